//! A packet for any number of clients, encoded once.

use super::protocol::packet::Packet;
use greenwire_websocket as websocket;
use std::sync::{Arc, OnceLock};

/// A packet as it goes over requests, and over websockets.
#[derive(Debug)]
pub(crate) struct Encoded {
    text: Arc<str>,
    frames: OnceLock<websocket::Prepared>,
}

impl Encoded {
    pub(super) fn new(packet: &Packet) -> Encoded {
        Encoded {
            text: packet.encode().into(),
            frames: OnceLock::new(),
        }
    }

    /// As a packet of a body.
    pub(super) fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// As a message of a websocket.
    pub(super) fn frames(&self) -> &websocket::Prepared {
        self.frames
            .get_or_init(|| websocket::Prepared::new(&*self.text))
    }
}
