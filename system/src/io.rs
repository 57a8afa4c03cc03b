//! Standard input and pipes that park, beside the names that a program uses of [`std::io`].
//!
//! ```no_run
//! use greenwire_system::io;
//!
//! # fn main() -> io::Result<()> {
//! for line in io::stdin().lines() {
//!     println!("you typed {:?}", line?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What is generic, such as [`copy`] and [`read_to_string`], is std's: it waits as its streams do. Standard
//! output and error are std's, too: who writes to them waits in the kernel, with the whole worker, when
//! they lead to a pipe that nobody reads.

use greenwire_runtime::io::{Direction, Source, blocks_in_kernel};
use greenwire_runtime::sync::{Mutex, MutexGuard};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::{LazyLock, PoisonError};

pub use crate::pipe::{PipeReader, PipeWriter, pipe};
#[doc(no_inline)]
pub use std::io::{
    BufRead, BufReader, BufWriter, Bytes, Chain, Cursor, Empty, Error, ErrorKind, IntoInnerError,
    IoSlice, IoSliceMut, IsTerminal, LineWriter, Lines, Read, Repeat, Result, Seek, SeekFrom, Sink,
    Split, Stderr, StderrLock, Stdout, StdoutLock, Take, Write, WriterPanicked, copy, empty,
    prelude, read_to_string, repeat, sink, stderr, stdout,
};

/// The one buffer of standard input, as std has one.
static STDIN: LazyLock<Mutex<BufReader<Raw>>> =
    LazyLock::new(|| Mutex::new(BufReader::new(Raw(Source::new(std::io::stdin())))));

/// A handle to the standard input of the process. As [`std::io::stdin`].
///
/// A green thread that reads is parked until there is something, if it is a terminal, a pipe or a
/// socket. A file is read on the spot.
///
/// # Differences from std
///
/// - Its buffer is not that of std's `stdin`: a program reads from one of them.
/// - The descriptor stays in blocking mode, since other processes share it. A green thread waits until
///   it is readable, and then reads; if another process takes the input in between, the worker
///   waits for more.
#[must_use]
pub fn stdin() -> Stdin {
    Stdin(std::io::stdin())
}

/// Standard input; see [`stdin`].
#[derive(Debug)]
pub struct Stdin(std::io::Stdin);

impl Stdin {
    /// Whether a person may be typing there. (Std's trait [`IsTerminal`] is sealed.)
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }

    /// Keeps others from reading until the guard is dropped. Parks while another thread reads.
    pub fn lock(&self) -> StdinLock<'static> {
        StdinLock(STDIN.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Appends a line, with its end; 0 at the end of the input. As [`std::io::Stdin::read_line`].
    ///
    /// # Errors
    ///
    /// `InvalidData` for what is not UTF-8; the system's.
    ///
    /// # Cancellation
    ///
    /// May park here. A part of a line that was read by then is lost.
    pub fn read_line(&self, buf: &mut String) -> Result<usize> {
        self.lock().read_line(buf)
    }

    /// The lines of the input, without their ends.
    pub fn lines(self) -> Lines<StdinLock<'static>> {
        self.lock().lines()
    }
}

impl Read for Stdin {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        self.lock().read(buf)
    }
}

impl Read for &Stdin {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        self.lock().read(buf)
    }
}

impl AsFd for Stdin {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Stdin {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Standard input while nobody else reads; see [`Stdin::lock`].
pub struct StdinLock<'a>(MutexGuard<'a, BufReader<Raw>>);

impl Read for StdinLock<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        self.0.read(buf)
    }
}

impl BufRead for StdinLock<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl AsFd for StdinLock<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().0.get_ref().as_fd()
    }
}

impl AsRawFd for StdinLock<'_> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for StdinLock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdinLock").finish_non_exhaustive()
    }
}

/// Standard input without a buffer.
struct Raw(Source<std::io::Stdin>);

impl Read for Raw {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let read = self.0.perform(Direction::Read, None, |stdin| {
            if !blocks_in_kernel() && !is_readable(stdin)? {
                return Err(ErrorKind::WouldBlock.into());
            }
            Ok(rustix::io::read(stdin, &mut *buf)?)
        });
        match read {
            // A process without standard input, as std sees it.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::BADF) => Ok(0),
            result => result,
        }
    }
}

/// Whether a read would not wait now.
fn is_readable(stdin: &std::io::Stdin) -> Result<bool> {
    let now = Timespec::default();
    let ready = poll(&mut [PollFd::new(stdin, PollFlags::IN)], Some(&now))?;
    Ok(ready > 0)
}
