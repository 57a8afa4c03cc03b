//! The seam to the wires: what a protocol gives the server, and the server a protocol.
//!
//! A protocol opens a [`Client`](super::client::Client) with a [`Wire`] of its own, passes on the packets that come,
//! and says when the connection has ended. Everything else is behind the client.

use super::packet::{Content, Packet};
use super::protocol::encode::encode;
use crate::engineio::connection::{Connection, Patience};
use crate::engineio::{CloseReason, Closed, Prepared};
use greenwire_websocket as websocket;
use std::sync::{Arc, OnceLock};

/// The way to one client. No method calls back into the client; none but a patient `send` waits.
pub(crate) trait Wire: Send + Sync {
    /// Sends a packet.
    fn send(&self, packet: &Outgoing, patience: Patience) -> Result<(), Closed>;

    /// Sends a packet without waiting, or leaves it to `batch`, if it goes over a websocket.
    fn broadcast(&self, packet: &Outgoing, batch: &mut Batch);

    /// Whether what is sent now leaves soon.
    fn is_writable(&self) -> bool;

    /// Ends the connection.
    fn close(&self, reason: CloseReason);

    /// What it goes over, as clients call it.
    fn transport(&self) -> &'static str;
}

/// A packet for any number of clients, which each protocol encodes at most once.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) packet: Packet,
    modern: OnceLock<Prepared>,
    #[cfg(feature = "socketio-legacy")]
    legacy: OnceLock<super::legacy::Encoded>,
}

impl Outgoing {
    pub(crate) fn new(packet: Packet) -> Outgoing {
        Outgoing {
            packet,
            modern: OnceLock::new(),
            #[cfg(feature = "socketio-legacy")]
            legacy: OnceLock::new(),
        }
    }

    /// Roughly what it takes in memory.
    pub(crate) fn size(&self) -> usize {
        match &self.packet.content {
            Content::Event { name, args, .. } => name.len() + args.size(),
            Content::Ack { args, .. } => args.size(),
            _ => 0,
        }
    }

    /// For Socket.IO 5.
    fn modern(&self) -> &Prepared {
        self.modern
            .get_or_init(|| Prepared::sequence(encode(&self.packet)))
    }

    /// For Socket.IO 0.9.
    #[cfg(feature = "socketio-legacy")]
    pub(crate) fn legacy(&self) -> &super::legacy::Encoded {
        self.legacy
            .get_or_init(|| super::legacy::encode(&self.packet))
    }
}

/// The websockets that one packet goes to, by how it is encoded for them.
#[derive(Debug, Default)]
pub(crate) struct Batch(Vec<(websocket::Prepared, Vec<websocket::Sender>)>);

impl Batch {
    pub(crate) fn add(&mut self, frames: &websocket::Prepared, socket: websocket::Sender) {
        match self.0.iter_mut().find(|(known, _)| known.is_same(frames)) {
            Some((_, sockets)) => sockets.push(socket),
            None => self.0.push((frames.clone(), vec![socket])),
        }
    }

    /// Sends it to all of them, and parts with those who are too slow.
    pub(crate) fn leave(self) {
        for (frames, sockets) in self.0 {
            let before: Vec<u64> = sockets.iter().map(websocket::Sender::dropped).collect();
            if websocket::broadcast(&sockets, &frames) == sockets.len() {
                continue;
            }
            for (socket, before) in sockets.iter().zip(before) {
                if socket.dropped() > before {
                    // An error means that it is closed already.
                    let _ = socket.close(websocket::code::TRY_AGAIN_LATER, "too slow");
                }
            }
        }
    }
}

/// Socket.IO 5 over Engine.IO 4.
pub(crate) struct Modern(pub(crate) Arc<Connection>);

impl Wire for Modern {
    fn send(&self, packet: &Outgoing, patience: Patience) -> Result<(), Closed> {
        self.0.send(packet.modern(), patience)
    }

    fn broadcast(&self, packet: &Outgoing, batch: &mut Batch) {
        match self.0.socket() {
            Some(socket) => batch.add(packet.modern().as_frames(), socket),
            // One that is closed, or too slow and therefore closed now, gets nothing.
            None => drop(self.0.send(packet.modern(), Patience::Never)),
        }
    }

    fn is_writable(&self) -> bool {
        self.0.is_writable()
    }

    fn close(&self, reason: CloseReason) {
        self.0.close(reason);
    }

    fn transport(&self) -> &'static str {
        self.0.transport().as_str()
    }
}
