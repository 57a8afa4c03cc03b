//! The settings of the runtime.

use std::env;
use std::io;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::context::{Guard, Interrupted};
use crate::scheduler::{self, Ticket};

/// The default size of a green thread's stack.
const STACK_SIZE: usize = 256 * 1024;

/// The default number of threads for blocking work.
const MAX_UNBLOCK_THREADS: usize = 64;

/// A number that the program may set, or else a variable of the environment.
struct Setting {
    method: &'static str,
    variable: &'static str,
    unit: &'static str,
    range: RangeInclusive<usize>,
}

const WORKERS: Setting = Setting {
    method: "Builder::workers",
    variable: "GREENWIRE_WORKERS",
    unit: "workers",
    range: 1..=Ticket::MAX_WORKERS,
};

const STACK: Setting = Setting {
    method: "Builder::stack_size",
    variable: "GREENWIRE_STACK_SIZE",
    unit: "bytes",
    range: 1..=1 << 30,
};

const UNBLOCK_THREADS: Setting = Setting {
    method: "Builder::unblock_threads",
    variable: "GREENWIRE_UNBLOCK_THREADS",
    unit: "threads",
    range: 1..=4096,
};

const WATCHDOG: Setting = Setting {
    method: "Builder::watchdog",
    variable: "GREENWIRE_WATCHDOG",
    unit: "milliseconds",
    range: 0..=24 * 60 * 60 * 1000,
};

/// The least limit of a watchdog: ten turns of a worker that nobody holds.
const SHORTEST_WATCH: Duration = Duration::from_millis(1);

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
    stack_size: Option<usize>,
    unblock_threads: Option<usize>,
    os_threads: bool,
    watchdog: Option<Duration>,
    dump_on_sigusr1: bool,
}

impl Builder {
    /// The default settings.
    pub fn new() -> Builder {
        Builder {
            workers: None,
            stack_size: None,
            unblock_threads: None,
            os_threads: false,
            watchdog: None,
            dump_on_sigusr1: false,
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
    /// By default what the variable `GREENWIRE_STACK_SIZE` says, or 256 KiB. Only what is used takes
    /// memory: a page (4 KiB) at first.
    ///
    /// On Linux 6.13 and later a guard is a marker in the page table. Elsewhere, and if the variable
    /// `GREENWIRE_STACK_GUARD` is `mprotect`, each stack takes two memory maps, of which Linux allows
    /// 65,530 by default (`vm.max_map_count`).
    ///
    /// [`thread::Builder::stack_size`]: crate::thread::Builder::stack_size
    pub fn stack_size(mut self, bytes: usize) -> Builder {
        self.stack_size = Some(bytes);
        self
    }

    /// How many OS threads there may be for [`unblock`](crate::unblock): 1 to 4096. Further jobs wait for
    /// one of them.
    ///
    /// By default what the variable `GREENWIRE_UNBLOCK_THREADS` says, or 64.
    pub fn unblock_threads(mut self, count: usize) -> Builder {
        self.unblock_threads = Some(count);
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

    /// Starts a watchdog: an OS thread that names each green thread which has held its worker for longer
    /// than `limit` without waiting or yielding, and logs where it is, once, as a warning. It takes up to
    /// twice the limit to notice. A limit of zero means none.
    ///
    /// By default what the variable `GREENWIRE_WATCHDOG` says, in milliseconds, or none: it takes an OS
    /// thread, and interrupts the worker in question with the signal `SIGURG`, so a system call that it is
    /// in may end with `EINTR`. While all workers sleep it does so, too.
    ///
    /// The function that the green thread is in is always known. Its callers are found by their frame
    /// pointers, which Rust leaves out by default, in debug builds, too: build with
    /// `RUSTFLAGS="-C force-frame-pointers=yes"` to see them.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenwire_runtime::Builder;
    /// use std::time::Duration;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// Builder::new().watchdog(Duration::from_millis(50)).start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn watchdog(mut self, limit: Duration) -> Builder {
        self.watchdog = Some(limit);
        self
    }

    /// Logs a [`dump`](crate::dump), as a warning, at each signal `SIGUSR1`, even when all workers are held.
    ///
    /// By default off, as it changes what the signal does: it ends the process otherwise.
    pub fn dump_on_sigusr1(mut self, on: bool) -> Builder {
        self.dump_on_sigusr1 = on;
        self
    }

    /// Starts the runtime with these settings.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the runtime runs already, `InvalidInput` if a setting, or the variable that is
    /// used in its place, is out of its range, `Unsupported` if there is no watchdog for this system (there
    /// is one for Linux on x86-64 and aarch64), or what the system says if a worker cannot start.
    pub fn start(self) -> io::Result<()> {
        scheduler::begin(&self).map(drop)
    }

    /// The limit of the watchdog, if there is to be one.
    pub(crate) fn watchdog_limit(&self) -> io::Result<Option<Duration>> {
        let limit = match self.watchdog {
            Some(limit) => limit,
            None => Duration::from_millis(WATCHDOG.choose(None)?.unwrap_or(0) as u64),
        };
        if limit.is_zero() || self.os_threads {
            return Ok(None);
        }
        if !Interrupted::IS_KNOWN {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "there is no watchdog for this system",
            ));
        }
        Ok(Some(limit.max(SHORTEST_WATCH)))
    }

    pub(crate) fn dumps_on_sigusr1(&self) -> bool {
        self.dump_on_sigusr1
    }

    pub(crate) fn default_stack_size(&self) -> io::Result<usize> {
        Ok(STACK.choose(self.stack_size)?.unwrap_or(STACK_SIZE))
    }

    /// How stacks are guarded: the variable `GREENWIRE_STACK_GUARD` can ask for the older way.
    pub(crate) fn stack_guard(&self) -> io::Result<Guard> {
        match env::var_os("GREENWIRE_STACK_GUARD") {
            None => Ok(Guard::detect()),
            Some(value) if value == "mprotect" => Ok(Guard::Protect),
            Some(value) => Err(invalid(format!(
                "GREENWIRE_STACK_GUARD is {value:?}: the only guard to ask for is mprotect"
            ))),
        }
    }

    pub(crate) fn unblock_thread_count(&self) -> io::Result<usize> {
        let chosen = UNBLOCK_THREADS.choose(self.unblock_threads)?;
        Ok(chosen.unwrap_or(MAX_UNBLOCK_THREADS))
    }

    /// How many workers to start: none in OS-thread mode.
    pub(crate) fn worker_count(&self) -> io::Result<usize> {
        if self.os_threads {
            return Ok(0);
        }
        let cpus = || std::thread::available_parallelism().map_or(1, NonZero::get);
        let chosen = WORKERS.choose(self.workers)?;
        Ok(chosen.unwrap_or_else(|| cpus().min(Ticket::MAX_WORKERS)))
    }
}

impl Setting {
    /// What the program has set, or else the variable, if it is a number in the range.
    fn choose(&self, set: Option<usize>) -> io::Result<Option<usize>> {
        let (count, source) = match (set, env::var_os(self.variable)) {
            (None, None) => return Ok(None),
            (Some(count), _) => (count, self.method),
            (None, Some(value)) => {
                let count = value.to_str().and_then(|value| value.parse().ok());
                let wrong = || invalid(format!("{} is {value:?}, not a number", self.variable));
                (count.ok_or_else(wrong)?, self.variable)
            }
        };
        if self.range.contains(&count) {
            return Ok(Some(count));
        }
        let (least, most) = self.range.clone().into_inner();
        Err(invalid(format!(
            "{source} is {count}: there must be {least} to {most} {}",
            self.unit
        )))
    }
}

impl Default for Builder {
    fn default() -> Builder {
        Builder::new()
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
