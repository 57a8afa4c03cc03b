//! Those who wait until something behind a std lock has changed, which must not be held meanwhile.

use greenwire_runtime::sync::Event;
use std::mem;
use std::sync::Arc;

/// Threads that wait for the same thing.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Vec<Arc<Event>>);

impl Waiters {
    /// One more: it lets go of the lock, waits for the event, and looks again.
    pub(crate) fn join(&mut self) -> Arc<Event> {
        let event = Arc::new(Event::new());
        self.0.push(event.clone());
        event
    }

    /// Lets all look again. Never parks.
    pub(crate) fn wake(&mut self) {
        for event in mem::take(&mut self.0) {
            event.set();
        }
    }
}
