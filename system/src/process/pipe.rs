//! Our ends of a child's pipes: in non-blocking mode, and waited for in the reactor.

use greenwire_runtime::io::{Direction, Source};
use rustix::io::{ioctl_fionbio, read, write};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::process::{self, Stdio};

/// Puts our end into non-blocking mode. The child's end is another open file, with a mode of its own.
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

macro_rules! pipe {
    ($Type:ident, $what:literal) => {
        #[doc = concat!("Our end of a pipe to a child's standard ", $what, ", as std's.")]
        ///
        /// # Differences from std
        ///
        /// The descriptor is in non-blocking mode for as long as it is here.
        #[derive(Debug)]
        pub struct $Type {
            source: Source<process::$Type>,
        }

        impl $Type {
            pub(super) fn adopt(io: process::$Type) -> io::Result<$Type> {
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
                let io = process::$Type::from(fd);
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
    ($Type:ident) => {
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
    };
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

pipe!(ChildStdin, "input");
pipe!(ChildStdout, "output");
pipe!(ChildStderr, "error");
writable!(ChildStdin, &ChildStdin);
readable!(ChildStdout);
readable!(ChildStderr);
