//! Reading for a connection: waits for messages, and gives up its place when the connection ends.

use super::Error;
use super::hub::{self, Position, Update};
use super::shared::Shared;
use super::transport::hello::Hello;
use greenwire_runtime::sync::Event;
use greenwire_runtime::thread::no_cancel;
use greenwire_runtime::time::Instant;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What a poll or a stream reads by.
#[derive(Debug)]
pub(super) struct Reader {
    shared: Arc<Shared>,
    place: hub::Reader,
    position: Position,
    stopped: Arc<AtomicBool>,
}

impl Reader {
    /// # Errors
    /// [`Error::UnknownClient`].
    pub(super) fn attach(shared: &Arc<Shared>, hello: &Hello) -> Result<Reader, Error> {
        let attach = |hub: &mut hub::Hub, now| hub.attach(&hello.clients, &hello.cursors, now);
        let (place, position) = shared.with_hub(attach)?;
        Ok(Reader {
            shared: shared.clone(),
            place,
            position,
            stopped: Arc::default(),
        })
    }

    /// Waits for messages. None after `limit`, or once it was stopped.
    ///
    /// # Errors
    /// [`Error::UnknownClient`] once a client has been killed.
    pub(super) fn wait(&self, limit: Duration) -> Result<Vec<Update>, Error> {
        let deadline = Instant::now() + limit;
        loop {
            // Before looking: what comes after the look rings again.
            self.place.bell().clear();
            let look = |hub: &mut hub::Hub, _| hub.updates(&self.place, &self.position);
            let updates = self.shared.with_hub(look)?;
            let left = deadline.saturating_duration_since(Instant::now());
            if !updates.is_empty() || left.is_zero() || self.is_stopped() {
                return Ok(updates);
            }
            self.place.bell().wait_timeout(left);
        }
    }

    /// Goes on after these, which the client has got.
    pub(super) fn advance(&mut self, updates: &[Update]) {
        self.go_on_after(updates);
        self.acknowledge(updates);
    }

    /// The next [`wait`](Reader::wait) is for later messages.
    pub(super) fn go_on_after(&mut self, updates: &[Update]) {
        for update in updates {
            self.position.insert(update.channel.clone(), update.last);
        }
    }

    /// Another reader for the same clients begins after these.
    pub(super) fn acknowledge(&self, updates: &[Update]) {
        let advance = |hub: &mut hub::Hub, _| hub.advance(&self.place, updates);
        self.shared.with_hub(advance);
    }

    pub(super) fn position(&self) -> &Position {
        &self.position
    }

    /// What ends [`wait`](Reader::wait) from another thread, when it is dropped.
    pub(super) fn stopper(&self) -> Stopper {
        Stopper {
            stopped: self.stopped.clone(),
            bell: self.place.bell().clone(),
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let detach = |hub: &mut hub::Hub, now| hub.detach(&self.place, now);
        // The hub may be locked, and a cancellation then would leave the client active for ever.
        no_cancel(|| self.shared.with_hub(detach));
    }
}

/// Stops a reader on drop: however the other half of its connection ends.
pub(super) struct Stopper {
    stopped: Arc<AtomicBool>,
    bell: Arc<Event>,
}

impl Drop for Stopper {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        self.bell.set();
    }
}
