//! Waiting without switching: the worker takes in what happens, but runs no other green thread.

use std::sync::atomic::Ordering;

use super::slot::{Slot, State};
use super::worker::Worker;
use crate::fork;

/// Runs `f`, and has every wait in it block the worker instead of letting other green threads run.
///
/// For code that must not be interleaved with others of the same OS thread, although it may wait: see
/// the [safety model](crate::safety_model). Keep it short: all green threads of the worker stand still.
/// Who waits in there for one of them waits for ever.
///
/// On an ordinary OS thread this just runs `f`, since nobody else runs on it.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use std::time::Duration;
///
/// let outer = thread::spawn(|| {
///     let other_ran = Rc::new(Cell::new(false));
///     let sees = other_ran.clone();
///     thread::spawn_local(move || sees.set(true));
///     thread::no_switch(|| thread::sleep(Duration::from_millis(1)));
///     other_ran.get()
/// });
/// assert!(!outer.join().unwrap());
/// ```
pub fn no_switch<T>(f: impl FnOnce() -> T) -> T {
    struct Release(&'static Worker, bool);
    impl Drop for Release {
        fn drop(&mut self) {
            self.0.held.set(self.1 || fork::is_child());
        }
    }
    let _release = Worker::running().map(|(worker, _)| Release(worker, worker.hold()));
    f()
}

impl Worker {
    /// Has the running green thread wait in place from now on. Returns whether it did before.
    pub(crate) fn hold(&self) -> bool {
        self.held.replace(true)
    }

    /// What takes the place of a switch: returns when the green thread would be resumed.
    #[cold]
    pub(super) fn wait_in_place(&self, slot: &'static Slot, state: State) {
        fork::assert_not_child();
        if state == State::Ready {
            return;
        }
        // It counts as running, so a wake only leaves a note.
        while !slot.notified.take() {
            self.fire_timers(self.runtime.clock.now());
            // Who wants to be shown the green threads cannot be answered: none of them may run now. It will
            // find out what is running instead.
            drop(self.read_inbox());
            if slot.notified.get() {
                continue;
            }
            let timer = self.timers.borrow().next();
            self.block_unless(timer, || false);
            // It cannot look for work now. Others can.
            if self.shared.asked_to_search.swap(false, Ordering::SeqCst) {
                self.runtime.search_ended();
            }
        }
    }
}
