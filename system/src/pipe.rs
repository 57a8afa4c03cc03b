//! Our ends of pipes: in non-blocking mode, and waited for in the reactor. Those of a child's streams, and
//! those of [`pipe`].

use greenwire_runtime::io::{Direction, Source};
use rustix::io::{ioctl_fionbio, read, write};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::process::{self, Stdio};

/// Puts our end into non-blocking mode. The other end is another open file, with a mode of its own.
fn adopt<T: AsFd>(io: T) -> io::Result<Source<T>> {
    ioctl_fionbio(&io, true)?;
    Ok(Source::new(io))
}

/// Gives our end away, in the mode in which others expect it.
fn give_up<T: AsFd>(source: Source<T>) -> T {
    let io = source.into_inner();
    // It fails only on a descriptor that is none.
    let _ = ioctl_fionbio(&io, false);
    io
}

/// Makes a type of ours over one of std's.
macro_rules! end {
    ($(#[$doc:meta])* $Type:ident, $Std:ty) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $Type {
            source: Source<$Std>,
        }

        impl $Type {
            pub(crate) fn adopt(io: $Std) -> io::Result<$Type> {
                adopt(io).map(|source| $Type { source })
            }
        }

        impl AsFd for $Type {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.source.get_ref().as_fd()
            }
        }

        impl AsRawFd for $Type {
            fn as_raw_fd(&self) -> RawFd {
                self.source.get_ref().as_raw_fd()
            }
        }

        impl IntoRawFd for $Type {
            /// In blocking mode.
            fn into_raw_fd(self) -> RawFd {
                give_up(self.source).into_raw_fd()
            }
        }

        impl From<$Type> for OwnedFd {
            /// In blocking mode.
            fn from(pipe: $Type) -> OwnedFd {
                give_up(pipe.source).into()
            }
        }

        impl From<$Type> for Stdio {
            /// For another child, which gets it in blocking mode.
            fn from(pipe: $Type) -> Stdio {
                give_up(pipe.source).into()
            }
        }

        impl From<OwnedFd> for $Type {
            /// The descriptor goes into non-blocking mode. It has to be a pipe, or the like.
            fn from(fd: OwnedFd) -> $Type {
                let io = <$Std>::from(fd);
                // It fails only on a descriptor that is none; then so does every later call.
                let _ = ioctl_fionbio(&io, true);
                $Type {
                    source: Source::new(io),
                }
            }
        }
    };
}

/// Not `Source::read`, which concludes from a short read that nothing is left: a pipe may keep packets
/// apart, and what was made of a foreign descriptor may be a terminal, which gives a line at a time.
macro_rules! readable {
    ($($Type:ty),*) => {$(
        impl Read for $Type {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                let pipe = &self.source;
                pipe.perform(Direction::Read, None, |io| Ok(read(io, &mut *buf)?))
            }

            fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                let pipe = &self.source;
                pipe.perform(Direction::Read, None, |io| Ok(rustix::io::readv(io, bufs)?))
            }
        }
    )*};
}

macro_rules! writable {
    ($($Type:ty),*) => {$(
        impl Write for $Type {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                let pipe = &self.source;
                pipe.perform(Direction::Write, None, |io| Ok(write(io, buf)?))
            }

            fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                let pipe = &self.source;
                pipe.perform(Direction::Write, None, |io| Ok(rustix::io::writev(io, bufs)?))
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
    )*};
}

macro_rules! of_a_child {
    ($Type:ident, $what:literal) => {
        end!(
            #[doc = concat!("Our end of a pipe to a child's standard ", $what, ", as std's.")]
            ///
            /// # Differences from std
            ///
            /// The descriptor is in non-blocking mode for as long as it is here.
            $Type,
            process::$Type
        );
    };
}

of_a_child!(ChildStdin, "input");
of_a_child!(ChildStdout, "output");
of_a_child!(ChildStderr, "error");
end!(
    /// The end of a [`pipe`] to read from, as [`std::io::PipeReader`].
    PipeReader,
    io::PipeReader
);
end!(
    /// The end of a [`pipe`] to write to, as [`std::io::PipeWriter`].
    PipeWriter,
    io::PipeWriter
);
readable!(ChildStdout, ChildStderr, PipeReader, &PipeReader);
writable!(ChildStdin, &ChildStdin, PipeWriter, &PipeWriter);

/// A pipe, as [`std::io::pipe`]: what is written to one end is read from the other, by threads of this
/// process or by others that an end is given to. It holds 64 KiB on Linux.
///
/// A green thread that reads is parked until there is something, one that writes until there is room.
/// Reading gives 0 when all writers are closed; writing fails with `BrokenPipe` when all readers are.
///
/// ```
/// use greenwire_system::io::{self, Read};
/// use greenwire_system::process::Command;
///
/// # fn main() -> io::Result<()> {
/// let (mut reader, writer) = io::pipe()?;
/// let mut echo = Command::new("sh");
/// echo.args(["-c", "echo out; echo err >&2"]);
/// let mut child = echo.stdout(writer.try_clone()?).stderr(writer).spawn()?;
/// drop(echo); // It holds both writers, for children to come.
/// let mut both = String::new();
/// reader.read_to_string(&mut both)?;
/// assert_eq!(both, "out\nerr\n");
/// assert!(child.wait()?.success());
/// # Ok(())
/// # }
/// ```
///
/// # Differences from std
///
/// Both ends are in non-blocking mode while they are here, and an end that is given away, to a child or
/// as an [`OwnedFd`], is put into blocking mode. Clones of an end share its mode: whoever keeps one when
/// it gives another away waits with its whole OS thread from then on.
///
/// # Errors
///
/// The system's, when there are no free descriptors.
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    Ok((PipeReader::adopt(reader)?, PipeWriter::adopt(writer)?))
}

macro_rules! can_be_cloned {
    ($($Type:ident),*) => {$(
        impl $Type {
            /// Another descriptor of the same end, which counts as a further reader or writer.
            ///
            /// # Errors
            ///
            /// The system's, when there is no free descriptor.
            pub fn try_clone(&self) -> io::Result<$Type> {
                $Type::adopt(self.source.get_ref().try_clone()?)
            }
        }
    )*};
}

can_be_cloned!(PipeReader, PipeWriter);
