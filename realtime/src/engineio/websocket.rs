//! The transport over websockets: from the beginning, or after an upgrade.

use super::connection::Connection;
use super::protocol::packet::{Malformed, Packet};
use super::{CloseReason, Message};
use greenwire_websocket::{self as websocket, Receiver, Sender, code};
use std::sync::Arc;

/// Reads a session that goes over a websocket, to its end.
pub(super) fn read(connection: &Connection, receiver: &mut Receiver) {
    let _lost = Lost(connection);
    let reason = loop {
        match receiver.receive() {
            Ok(Some(message)) => {
                match packet(message).and_then(|packet| connection.receive(packet)) {
                    Ok(()) => {}
                    Err(Malformed) => connection.close(CloseReason::ParseError),
                }
            }
            Ok(None) => break CloseReason::TransportClose,
            Err(error) => {
                log::debug!("engine.io: {error}");
                break CloseReason::TransportError;
            }
        }
    };
    connection.close(reason);
}

/// Ends the session when its reader unwinds, too.
struct Lost<'a>(&'a Connection);

impl Drop for Lost<'_> {
    fn drop(&mut self) {
        self.0.close(CloseReason::TransportError);
    }
}

/// Lets a client that polls change over, if it does as the protocol says; else only the websocket is closed.
pub(super) fn upgrade(connection: &Arc<Connection>, sender: &Sender, receiver: &mut Receiver) {
    if !connection.begin_probe(sender.clone()) {
        return;
    }
    let probe = Probe(connection);
    if next(receiver) == Some(Packet::Ping("probe".to_owned())) && sender.send("3probe").is_ok() {
        // It is to have the answer before its poll comes back.
        sender.flush();
        connection.probe_answers();
        if next(receiver) == Some(Packet::Upgrade) && connection.upgrade() {
            drop(probe);
            return read(connection, receiver);
        }
    }
    let _ = sender.close(code::PROTOCOL_ERROR, "no upgrade");
}

/// A websocket that is tried.
struct Probe<'a>(&'a Connection);

impl Drop for Probe<'_> {
    /// Does nothing after an upgrade.
    fn drop(&mut self) {
        self.0.end_probe();
    }
}

fn next(receiver: &mut Receiver) -> Option<Packet> {
    packet(receiver.receive().ok()??).ok()
}

fn packet(message: websocket::Message) -> Result<Packet, Malformed> {
    match message {
        websocket::Message::Text(text) => Packet::of_text(&text),
        websocket::Message::Binary(bytes) => Ok(Packet::Message(Message::Binary(bytes.into()))),
    }
}
