//! The keeper: the one thread that looks at the time for all sessions of a service.
//!
//! Each session has at most one alarm. The keeper sleeps until the earliest, to the millisecond; without alarms it
//! does not exist.

use greenwire_runtime::sync::Event;
use greenwire_runtime::thread;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

/// After how many alarms the keeper gives way to others.
const STRIDE: usize = 64;

/// What an alarm wakes.
pub(crate) trait Sleeper: Send + Sync {
    /// The time has come, or something else has.
    fn wake(self: Arc<Self>, now: Instant);
}

/// When, and which of those at the same time.
pub(crate) type Alarm = (Instant, u64);

/// All alarms.
#[derive(Default)]
pub(crate) struct Keeper {
    state: Mutex<State>,
    /// An alarm is earlier than all before it.
    earlier: Event,
}

#[derive(Default)]
struct State {
    alarms: BTreeMap<Alarm, Weak<dyn Sleeper>>,
    last: u64,
    /// Whether there is a thread.
    kept: bool,
}

impl Keeper {
    /// Makes `alarm`, the only one of its sleeper, one that comes at `at` or before. One that is too early does no
    /// harm, and is more often right in the end than not.
    pub(crate) fn set_by(
        self: &Arc<Self>,
        alarm: &mut Option<Alarm>,
        at: Instant,
        sleeper: Weak<dyn Sleeper>,
    ) {
        if let Some(alarm) = *alarm {
            if alarm.0 <= at {
                return;
            }
            self.unset(alarm);
        }
        *alarm = Some(self.set(at, sleeper));
    }

    /// Sets an alarm.
    pub(crate) fn set(self: &Arc<Self>, at: Instant, sleeper: Weak<dyn Sleeper>) -> Alarm {
        let mut state = self.lock();
        state.last += 1;
        let alarm = (at, state.last);
        let first = state.alarms.first_key_value();
        let is_first = first.is_none_or(|(first, _)| alarm < *first);
        state.alarms.insert(alarm, sleeper);
        if is_first {
            self.earlier.set();
        }
        if !state.kept {
            state.kept = true;
            drop(state);
            self.start();
        }
        alarm
    }

    /// Takes an alarm back.
    pub(crate) fn unset(&self, alarm: Alarm) {
        self.lock().alarms.remove(&alarm);
    }

    fn start(self: &Arc<Self>) {
        let keeper = self.clone();
        let builder = thread::Builder::new().name("engine.io keeper".to_owned());
        if let Err(error) = builder.spawn(move || keeper.keep()) {
            // The next alarm tries again.
            log::error!("engine.io: no thread to watch over the sessions: {error}");
            self.lock().kept = false;
        }
    }

    fn keep(&self) {
        loop {
            let now = Instant::now();
            let due = self.take_due(now);
            if !due.is_empty() {
                for sleeper in due.into_iter().filter_map(|sleeper| sleeper.upgrade()) {
                    sleeper.wake(now);
                }
                thread::yield_now();
                continue;
            }
            let mut state = self.lock();
            let Some((&(next, _), _)) = state.alarms.first_key_value() else {
                state.kept = false;
                return;
            };
            self.earlier.clear();
            drop(state);
            self.earlier
                .wait_timeout(next.saturating_duration_since(Instant::now()));
        }
    }

    fn take_due(&self, now: Instant) -> Vec<Weak<dyn Sleeper>> {
        let mut state = self.lock();
        let mut due = Vec::new();
        while due.len() < STRIDE
            && let Some(first) = state.alarms.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
        due
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper")
            .field("alarms", &self.lock().alarms.len())
            .finish_non_exhaustive()
    }
}
