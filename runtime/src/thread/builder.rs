//! Settings of a thread to be started.

use std::io;

use super::JoinHandle;
use crate::os_thread;
use crate::scheduler::{self, Worker, runtime};
use crate::task::{Header, Spawned};

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

    /// Starts a green thread that runs `f`. See [`spawn`](super::spawn).
    ///
    /// # Errors
    ///
    /// In OS-thread mode what the system says. A green thread never fails here: if it gets no stack,
    /// [`JoinHandle::join`] gives an [`io::Error`] as the payload.
    ///
    /// # Panics
    ///
    /// If the runtime cannot start.
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if runtime().uses_os_threads() {
            let stack_size = self.stack_size;
            let task = Spawned::new(self.header(), f);
            os_thread::spawn(task.clone(), stack_size)?;
            return Ok(JoinHandle::new(task));
        }
        let task = Spawned::new(self.header(), f);
        scheduler::spawn(task.clone());
        Ok(JoinHandle::new(task))
    }

    /// Starts a green thread beside the calling one. See [`spawn_local`](super::spawn_local).
    ///
    /// # Errors
    ///
    /// `Unsupported` if the caller is not a green thread.
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
        let (task, run) = Spawned::local(self.header(), f);
        worker.spawn_local(task.clone(), Box::new(run));
        Ok(JoinHandle::new(task))
    }

    fn header(self) -> Header {
        Header::new(
            self.name,
            self.stack_size.unwrap_or_else(|| runtime().stack_size()),
        )
    }
}
