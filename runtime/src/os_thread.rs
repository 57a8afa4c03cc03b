//! OS threads in the runtime's eyes: those that `spawn` makes in OS-thread mode, and every other one
//! that calls in.

use std::cell::OnceCell;
use std::io;
use std::sync::Arc;
use std::thread;

use crate::scheduler::LiveOsThread;
use crate::task::{Header, Task};

thread_local! {
    static CURRENT: OnceCell<Arc<dyn Task>> = const { OnceCell::new() };
}

/// An OS thread that the runtime did not make.
struct Foreign(Header);

impl Task for Foreign {
    fn header(&self) -> &Header {
        &self.0
    }

    fn run(&self) {}

    fn fail(&self, _: io::Error) {}
}

/// The task of the calling OS thread.
pub(crate) fn current() -> Arc<dyn Task> {
    let foreign = || -> Arc<dyn Task> { Arc::new(Foreign(Header::of_this_thread())) };
    let known = CURRENT.try_with(|current| current.get_or_init(foreign).clone());
    // While the thread's locals are being destroyed, a new one at each call must do.
    known.unwrap_or_else(|_| foreign())
}

/// Runs `task` on an OS thread of its own.
///
/// # Errors
/// What the system says.
pub(crate) fn spawn(task: Arc<dyn Task>, stack_size: Option<usize>) -> io::Result<()> {
    let mut builder = thread::Builder::new();
    if let Some(name) = task.header().name() {
        builder = builder.name(name.to_owned());
    }
    if let Some(size) = stack_size {
        builder = builder.stack_size(size);
    }
    let live = LiveOsThread::new();
    builder.spawn(move || {
        let _live = live;
        task.header().runs_on_this_thread();
        CURRENT.with(|current| {
            let _ = current.set(task.clone());
        });
        task.run();
    })?;
    Ok(())
}
