//! The settings of the runtime.

use std::io;
use std::num::NonZero;

use crate::scheduler::{self, Ticket};

/// The default size of a green thread's stack.
const STACK_SIZE: usize = 256 * 1024;

/// The variable that sets the number of workers where the program does not.
const WORKERS_VARIABLE: &str = "GREENWIRE_WORKERS";

/// The settings of the runtime, for a program that wants others than the defaults.
///
/// The runtime begins with the first use of anything in greenwire. A program that wants to set
/// something calls [`start`](Builder::start) before, usually as the first thing in `main`.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{Builder, thread};
///
/// # fn main() -> std::io::Result<()> {
/// Builder::new().workers(1).stack_size(64 * 1024).start()?;
/// thread::spawn(|| println!("on the only worker")).join().unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is set before `start`"]
pub struct Builder {
    workers: Option<usize>,
    stack_size: usize,
    os_threads: bool,
}

impl Builder {
    /// The default settings.
    pub fn new() -> Builder {
        Builder {
            workers: None,
            stack_size: STACK_SIZE,
            os_threads: false,
        }
    }

    /// How many workers, OS threads that run green threads, there are: 1 to 256.
    ///
    /// By default what the variable `GREENWIRE_WORKERS` says, or as many as the process may use CPUs.
    pub fn workers(mut self, count: usize) -> Builder {
        self.workers = Some(count);
        self
    }

    /// The size of a green thread's stack in bytes, unless [`thread::Builder::stack_size`] says
    /// otherwise. It is rounded up to a power of two from 32 KiB to 1 GiB; its guard, an eighth of it
    /// but 16 to 64 KiB, is part of it.
    ///
    /// By default 256 KiB. Only what is used takes memory: a page (4 KiB) at first.
    ///
    /// On Linux 6.13 and later a guard is a marker in the page table. Elsewhere, and if the variable
    /// `GREENWIRE_STACK_GUARD` is `mprotect`, each stack takes two memory maps, of which Linux allows
    /// 65,530 by default (`vm.max_map_count`).
    ///
    /// [`thread::Builder::stack_size`]: crate::thread::Builder::stack_size
    pub fn stack_size(mut self, bytes: usize) -> Builder {
        self.stack_size = bytes;
        self
    }

    /// Makes every thread an OS thread: [`thread::spawn`](crate::thread::spawn) is then std's, no
    /// worker starts, and only [`cancel`](crate::thread::JoinHandle::cancel) is not supported. The
    /// same program is then one thread per connection, to compare with.
    ///
    /// By default off.
    pub fn os_threads(mut self, on: bool) -> Builder {
        self.os_threads = on;
        self
    }

    /// Starts the runtime with these settings.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the runtime runs already, `InvalidInput` if a setting (or
    /// `GREENWIRE_WORKERS`) is out of its range, or what the system says if a worker cannot start.
    pub fn start(self) -> io::Result<()> {
        scheduler::begin(&self).map(drop)
    }

    pub(crate) fn default_stack_size(&self) -> usize {
        self.stack_size
    }

    /// How many workers to start: none in OS-thread mode.
    pub(crate) fn worker_count(&self) -> io::Result<usize> {
        if self.os_threads {
            return Ok(0);
        }
        let (count, source) = match (self.workers, std::env::var(WORKERS_VARIABLE)) {
            (Some(count), _) => (count, "Builder::workers"),
            (None, Ok(value)) => {
                let count = value.parse().map_err(|_| {
                    out_of_range(&format!("{WORKERS_VARIABLE} is {value:?}, not a number"))
                })?;
                (count, WORKERS_VARIABLE)
            }
            (None, Err(_)) => {
                let cpus = std::thread::available_parallelism().map_or(1, NonZero::get);
                return Ok(cpus.min(Ticket::MAX_WORKERS));
            }
        };
        if (1..=Ticket::MAX_WORKERS).contains(&count) {
            return Ok(count);
        }
        let most = Ticket::MAX_WORKERS;
        Err(out_of_range(&format!(
            "{source} is {count}: there must be 1 to {most} workers"
        )))
    }
}

impl Default for Builder {
    fn default() -> Builder {
        Builder::new()
    }
}

fn out_of_range(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
