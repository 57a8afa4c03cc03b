//! What a broadcast leaves to be written: to few connections before its green thread parks, to many
//! by a green thread of its own that gives way to others after every few.

use super::Outbound;
use greenwire_runtime::{BeforePark as _, before_park, thread};
use std::collections::VecDeque;
use std::sync::Arc;

/// Writes between which nobody else has a turn. As many take about as long as a worker's turn.
const AT_ONCE: usize = 16;

/// Connections that have something queued. Whatever becomes of it, all are written to.
#[derive(Debug, Default)]
pub(crate) struct Wave(VecDeque<Arc<Outbound>>);

impl Wave {
    pub(super) fn add(&mut self, outbound: Arc<Outbound>) {
        self.0.push_back(outbound);
    }

    /// All are queued.
    pub(crate) fn leave(mut self) {
        if self.0.len() <= AT_ONCE {
            return self.0.drain(..).for_each(|outbound| before_park(outbound));
        }
        let builder = thread::Builder::new().name("websocket broadcast".to_owned());
        if let Err(error) = builder.spawn(move || self.write()) {
            log::debug!("websocket: no thread for a broadcast: {error}");
        }
    }

    fn write(mut self) {
        while !self.0.is_empty() {
            self.write_some(AT_ONCE);
            thread::yield_now();
        }
    }

    fn write_some(&mut self, count: usize) {
        let count = count.min(self.0.len());
        for outbound in self.0.drain(..count) {
            outbound.before_park();
        }
    }
}

impl Drop for Wave {
    fn drop(&mut self) {
        self.write_some(usize::MAX);
    }
}
