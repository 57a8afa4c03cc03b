//! Work that is done once.

use std::fmt;
use std::sync::{self, Mutex, MutexGuard, PoisonError};

use super::source::{Source, wait_for};
use crate::insight::{Reason, number_of};
use crate::interrupt::Interrupts;
use crate::wait::{Key, WaitList};

/// Work that is done once, whoever comes first, as [`std::sync::Once`]. The others park meanwhile.
///
/// # Differences from std
///
/// A cancellation or a [`timeout`](crate::time::timeout) that ends the work does not poison it: the next
/// one who comes begins anew.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{sync::Once, thread};
/// use std::time::Duration;
///
/// static SET_UP: Once = Once::new();
///
/// let set_up = || SET_UP.call_once(|| thread::sleep(Duration::from_millis(1)));
/// let threads: Vec<_> = (0..10).map(|_| thread::spawn(set_up)).collect();
/// threads.into_iter().for_each(|thread| thread.join().unwrap());
/// assert!(SET_UP.is_completed());
/// ```
pub struct Once {
    completed: sync::OnceLock<()>,
    state: Mutex<State>,
}

struct State {
    stage: Stage,
    waiters: WaitList,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Incomplete,
    Poisoned,
    Running,
    Complete,
}

/// What [`Once::call_once_force`] tells its closure.
///
/// Our own, since std's cannot be made outside of std.
#[derive(Debug)]
pub struct OnceState {
    poisoned: bool,
}

impl OnceState {
    /// Whether the work was begun before, and panicked.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

impl Once {
    /// Work that was not done yet.
    #[expect(clippy::new_without_default, reason = "std's has no default either")]
    #[must_use]
    pub const fn new() -> Once {
        let state = State {
            stage: Stage::Incomplete,
            waiters: WaitList::new(),
        };
        Once {
            completed: sync::OnceLock::new(),
            state: Mutex::new(state),
        }
    }

    /// Does the work, unless it is done. Parks while another thread does it.
    ///
    /// # Panics
    ///
    /// If the work panicked before. If `f` calls this again, it parks for ever.
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        self.call(|state| {
            assert_not_poisoned(state.is_poisoned());
            f();
        });
    }

    /// As [`call_once`](Once::call_once), also if the work panicked before.
    pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
        self.call(f);
    }

    /// Whether the work is done. Never parks.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.completed.get().is_some()
    }

    /// Parks until the work is done.
    ///
    /// # Panics
    ///
    /// If the work panicked.
    pub fn wait(&self) {
        assert_not_poisoned(self.wait_for_end(false));
    }

    /// Parks until the work is done. If it panicked, until another one did it after all.
    pub fn wait_force(&self) {
        self.wait_for_end(true);
    }

    /// Returns whether the work panicked, which with `force` is not the end.
    fn wait_for_end(&self, force: bool) -> bool {
        let end = End { once: self, force };
        !self.is_completed() && wait_for(&end) == Stage::Poisoned
    }

    fn call(&self, f: impl FnOnce(&OnceState)) {
        if self.is_completed() {
            return;
        }
        let before = wait_for(&Turn(self));
        if before == Stage::Complete {
            return;
        }
        let running = Running(self);
        f(&OnceState {
            poisoned: before == Stage::Poisoned,
        });
        let _ = self.completed.set(());
        drop(running);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn assert_not_poisoned(poisoned: bool) {
    assert!(!poisoned, "Once instance has previously been poisoned");
}

/// What those wait for who would do the work: that nobody else is at it. Gives the stage before, and
/// unless the work is done, it is theirs now.
struct Turn<'a>(&'a Once);

impl Source for Turn<'_> {
    type Output = Stage;

    fn poll(&self, place: &mut Option<Key>) -> Option<Stage> {
        let mut state = self.0.lock();
        let stage = state.end_of_work(place, |stage| stage != Stage::Running)?;
        if stage != Stage::Complete {
            state.stage = Stage::Running;
        }
        Some(stage)
    }

    fn reason(&self) -> Reason {
        Reason::Once(number_of(self.0))
    }

    fn leave(&self, place: Key) {
        self.0.lock().waiters.remove(place);
    }
}

/// What those wait for who leave the work to others.
struct End<'a> {
    once: &'a Once,
    force: bool,
}

impl Source for End<'_> {
    type Output = Stage;

    fn poll(&self, place: &mut Option<Key>) -> Option<Stage> {
        let is_end = |stage| match stage {
            Stage::Complete => true,
            Stage::Poisoned => !self.force,
            Stage::Incomplete | Stage::Running => false,
        };
        self.once.lock().end_of_work(place, is_end)
    }

    fn reason(&self) -> Reason {
        Reason::Once(number_of(self.once))
    }

    fn leave(&self, place: Key) {
        self.once.lock().waiters.remove(place);
    }
}

impl State {
    /// The stage, if it `is_end`. Else the caller joins those who are told of the next one.
    fn end_of_work(
        &mut self,
        place: &mut Option<Key>,
        is_end: impl FnOnce(Stage) -> bool,
    ) -> Option<Stage> {
        if is_end(self.stage) {
            place.take().map(|place| self.waiters.remove(place));
            return Some(self.stage);
        }
        *place = Some(self.waiters.push(*place));
        None
    }
}

/// The work is being done. When it is over, everybody is told.
struct Running<'a>(&'a Once);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let stage = if self.0.is_completed() {
            Stage::Complete
        } else if Interrupts::with(Interrupts::is_panicking) {
            Stage::Poisoned
        } else {
            Stage::Incomplete
        };
        let mut state = self.0.lock();
        state.stage = stage;
        let waiters = state.waiters.take();
        drop(state);
        waiters.for_each(|waiter| waiter.wake());
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}
