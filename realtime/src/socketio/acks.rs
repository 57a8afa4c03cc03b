//! Answers that are waited for.

use super::{Args, Error};
use greenwire_runtime::sync::Event;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Who waits for an answer of a client.
pub(crate) enum Awaited {
    One(Arc<Answered>),
    /// One of many clients who were asked at once.
    Many(Arc<dyn Fn(Args) + Send + Sync>),
    /// A function is called with it, on the green thread of the client.
    Call(Box<dyn FnOnce(Args) + Send>),
}

/// The answers that a client owes, by the ids of their events.
#[derive(Default)]
pub(crate) struct Acks(Mutex<Option<HashMap<u64, Awaited>>>);

/// Set once by an answer, or by the end of the client.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    args: Mutex<Option<Args>>,
    done: Event,
}

impl Acks {
    /// Waits for the answer to `id` from now on.
    pub(crate) fn expect(&self, id: u64, awaited: Awaited) {
        self.lock().get_or_insert_default().insert(id, awaited);
    }

    /// Who waits for the answer to `id`. Nobody, if it has come before, or too late.
    pub(crate) fn take(&self, id: u64) -> Option<Awaited> {
        self.lock().as_mut()?.remove(&id)
    }

    /// No answers will come any more.
    pub(crate) fn give_up(&self) {
        let owed = self.lock().take().unwrap_or_default();
        for awaited in owed.into_values() {
            if let Awaited::One(answered) = awaited {
                answered.done.set();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<HashMap<u64, Awaited>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answered {
    pub(crate) fn set(&self, args: Args) {
        *self.lock() = Some(args);
        self.done.set();
    }

    pub(crate) fn wait(&self, limit: Duration) -> Result<Args, Error> {
        if !self.done.wait_timeout(limit) {
            return Err(Error::Timeout(Vec::new()));
        }
        self.lock().take().ok_or(Error::Closed)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Args>> {
        self.args.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Acks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owed = self.lock().as_ref().map_or(0, HashMap::len);
        f.debug_tuple("Acks").field(&owed).finish()
    }
}
