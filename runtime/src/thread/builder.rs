//! Settings of a thread to be started.

use std::io;
use std::panic::Location;
use std::time::{Duration, Instant};

use super::{JoinHandle, current_id, sleep_until};
use crate::os_thread;
use crate::scheduler::{self, Worker, runtime};
use crate::task::{Header, Origin, Spawned};

/// A thread to be started, with its settings. As [`std::thread::Builder`].
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
///
/// # fn main() -> std::io::Result<()> {
/// let builder = thread::Builder::new().name("reader".into()).stack_size(64 * 1024);
/// let name = builder.spawn(|| thread::current().name().map(str::to_owned))?;
/// assert_eq!(name.join().unwrap().as_deref(), Some("reader"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "must be used to spawn"]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
    worker: Option<usize>,
}

impl Builder {
    /// A thread without a name, with the runtime's stack size.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Names the thread. The name appears when its stack overflows.
    ///
    /// # Differences from std
    ///
    /// A name with a zero byte is allowed. The panic message names the worker.
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// Sets the size of the stack in bytes, rounded up to a power of two from 32 KiB to 1 GiB.
    ///
    /// # Differences from std
    ///
    /// The guard is part of it: an eighth, but 16 to 64 KiB.
    pub fn stack_size(mut self, size: usize) -> Builder {
        self.stack_size = Some(size);
        self
    }

    /// Has the thread run on the worker with this index, from 0 on, and on no other.
    ///
    /// By default the new thread stays beside its parent, unless another worker has clearly less to do.
    /// In OS-thread mode there are no workers, and this has no effect.
    pub fn worker(mut self, index: usize) -> Builder {
        self.worker = Some(index);
        self
    }

    /// Starts a green thread that runs `f`. See [`spawn`](super::spawn).
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no such [`worker`](Builder::worker), `Unsupported` in a process that was
    /// forked, and in OS-thread mode what the system says. A green thread that gets no stack does not
    /// fail here: [`JoinHandle::join`] gives an [`io::Error`] as the payload.
    ///
    /// # Panics
    ///
    /// If the runtime cannot start.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (worker, stack_size) = (self.worker, self.stack_size);
        let task = Spawned::new(self.header(), f);
        if runtime().uses_os_threads() {
            os_thread::spawn(task.clone(), stack_size)?;
        } else {
            scheduler::spawn(task.clone(), worker)?;
        }
        Ok(JoinHandle::new(task))
    }

    /// Starts a green thread that runs `f` not before `delay` from now. This is gevent's `spawn_later`.
    ///
    /// If it is cancelled before that, `f` never runs and is only dropped. It has its stack from the
    /// beginning.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Builder::spawn).
    ///
    /// # Panics
    ///
    /// If the runtime cannot start.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenwire_runtime::thread;
    /// use std::time::Duration;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let late = thread::Builder::new().spawn_after(Duration::from_secs(60), || 1)?;
    /// late.cancel()?;
    /// assert!(late.join().is_err());
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_after<F, T>(self, delay: Duration, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let start = Instant::now().checked_add(delay);
        self.spawn(move || {
            sleep_until(start);
            f()
        })
    }

    /// Starts a green thread beside the calling one. See [`spawn_local`](super::spawn_local).
    ///
    /// # Errors
    ///
    /// `Unsupported` if the caller is not a green thread, `InvalidInput` if another
    /// [`worker`](Builder::worker) than the caller's is asked for.
    #[track_caller]
    pub fn spawn_local<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + 'static,
        T: Send + 'static,
    {
        let Some((worker, _)) = Worker::running() else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "spawn_local starts a green thread beside a green thread: call it on one",
            ));
        };
        if self.worker.is_some_and(|index| index != worker.index()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "spawn_local starts a green thread on the caller's own worker: use spawn for another",
            ));
        }
        let (task, run) = Spawned::local(self.header(), f);
        worker.spawn_local(task.clone(), Box::new(run));
        Ok(JoinHandle::new(task))
    }

    #[track_caller]
    fn header(self) -> Header {
        let stack_size = self.stack_size.unwrap_or_else(|| runtime().stack_size());
        let origin = Origin {
            parent: current_id(),
            place: Location::caller(),
        };
        Header::new(self.name, stack_size, Some(origin))
    }
}
