//! A client of Socket.IO 0.9 as the server sees it, and the server as the client does.

use super::connection::{Connection, Listener};
use super::encoded::Encoded;
use super::protocol::packet::{Body, Packet as Legacy, Reason as Refusal};
use super::translate::{Meaning, understand};
use crate::engineio::connection::Patience;
use crate::engineio::{CloseReason, Closed};
use crate::socketio::Reason;
use crate::socketio::client::Client;
use crate::socketio::packet::{Content, Packet};
use crate::socketio::server::Shared;
use crate::socketio::wire::{Batch, Outgoing, Wire};
use crate::waiters::Waiters;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Has the server serve a client that has just got a transport.
pub(super) fn open(server: &Arc<Shared>, connection: &Arc<Connection>) {
    let endpoints = Arc::new(Endpoints::default());
    let way = Way {
        connection: connection.clone(),
        endpoints: endpoints.clone(),
    };
    let client = Client::open(server, way, connection.handshake().clone());
    let ear = Arc::new(Ear {
        connection: connection.clone(),
        endpoints,
        client,
    });
    if !connection.start(ear.clone()) {
        return ear.closed(CloseReason::TransportClose);
    }
    // Who connects is in the nameless namespace.
    let root = Packet::new(&"/".into(), Content::Connect(json!({})));
    ear.pass_on(root);
}

/// From the server to the client.
struct Way {
    connection: Arc<Connection>,
    endpoints: Arc<Endpoints>,
}

impl Wire for Way {
    fn send(&self, packet: &Outgoing, patience: Patience) -> Result<(), Closed> {
        let Packet { namespace, content } = &packet.packet;
        if **namespace == *"/" && matches!(content, Content::Disconnect) {
            // To such a client this is the end of all.
            self.connection.close_soon(CloseReason::ForcedClose);
            return Ok(());
        }
        let sent = self.connection.send(packet.legacy(), patience);
        if **namespace == *"/" && matches!(content, Content::Refuse(_)) {
            self.connection.close_soon(CloseReason::ForcedClose);
        }
        match content {
            Content::Connect(_) => self.endpoints.decide(namespace, true),
            Content::Refuse(_) | Content::Disconnect => self.endpoints.decide(namespace, false),
            Content::Event { .. } | Content::Ack { .. } => {}
        }
        sent
    }

    fn broadcast(&self, packet: &Outgoing, batch: &mut Batch) {
        match self.connection.socket() {
            Some(socket) => batch.add(packet.legacy().frames(), socket),
            // One that is closed, or too slow and therefore closed now, gets nothing.
            None => drop(self.connection.send(packet.legacy(), Patience::Never)),
        }
    }

    fn is_writable(&self) -> bool {
        self.connection.is_writable()
    }

    fn close(&self, reason: CloseReason) {
        self.connection.close(reason);
    }

    fn transport(&self) -> &'static str {
        match self.connection.socket() {
            Some(_) => "websocket",
            None => "polling",
        }
    }
}

/// From the client to the server.
struct Ear {
    connection: Arc<Connection>,
    endpoints: Arc<Endpoints>,
    client: Arc<Client>,
}

impl Listener for Ear {
    fn packet(&self, text: &str) {
        match Legacy::decode(text).map(understand) {
            Ok(Meaning::Packet(packet, receipt)) => {
                if let Some(receipt) = receipt {
                    self.answer(&receipt);
                }
                self.pass_on(packet);
            }
            Ok(Meaning::Farewell) => self.connection.close(CloseReason::ClientClosed),
            Ok(Meaning::Nothing) => {}
            Err(_) => self.answer(&Legacy::new("", Body::Error(None, None))),
        }
    }

    fn closed(&self, reason: CloseReason) {
        self.endpoints.end();
        self.client.ended(Reason::Connection(reason));
    }
}

impl Ear {
    fn answer(&self, packet: &Legacy) {
        // An error means that the client is gone.
        let _ = self.connection.send(&Encoded::new(packet), Patience::Waits);
    }

    /// A packet for the server. What is for a namespace where the client is not goes nowhere, as ever with this
    /// protocol.
    fn pass_on(&self, packet: Packet) {
        let namespace = packet.namespace.clone();
        let is_wanted = match packet.content {
            Content::Connect(_) => self.endpoints.begin(&namespace),
            Content::Disconnect => self.endpoints.leave(&namespace),
            _ => self.endpoints.wait(&namespace),
        };
        if !is_wanted {
            return;
        }
        let is_connect = matches!(packet.content, Content::Connect(_));
        let passed = self.client.receive(packet);
        // Else the server has put the client out a moment ago.
        if passed.is_err() && is_connect {
            self.endpoints.decide(&namespace, false);
            let refusal = Body::Error(Some(Refusal::Unauthorized), None);
            self.answer(&Legacy::new(&namespace, refusal));
        }
    }
}

/// Where a client is, or is about to be.
///
/// Such a client sends to a namespace before it knows that it is in there. So its packets wait until that is decided.
#[derive(Default)]
struct Endpoints(Mutex<State>);

#[derive(Default)]
struct State {
    /// Whether it is decided that the client is in there.
    joined: HashMap<Arc<str>, bool>,
    undecided: Waiters,
}

impl Endpoints {
    /// The client wants to join. False if that is known.
    fn begin(&self, namespace: &Arc<str>) -> bool {
        let mut state = self.lock();
        let is_new = !state.joined.contains_key(namespace);
        if is_new {
            state.joined.insert(namespace.clone(), false);
        }
        is_new
    }

    /// The server has decided.
    fn decide(&self, namespace: &str, may: bool) {
        let mut state = self.lock();
        match state.joined.get_mut(namespace) {
            Some(joined) if may => *joined = true,
            _ => drop(state.joined.remove(namespace)),
        }
        state.undecided.wake();
    }

    /// Waits until it is decided whether the client is in there.
    fn wait(&self, namespace: &str) -> bool {
        loop {
            let mut state = self.lock();
            match state.joined.get(namespace) {
                Some(true) => return true,
                Some(false) => {}
                None => return false,
            }
            let decided = state.undecided.join();
            drop(state);
            decided.wait();
        }
    }

    /// The client leaves.
    fn leave(&self, namespace: &str) -> bool {
        let was = self.wait(namespace);
        self.lock().joined.remove(namespace);
        was
    }

    /// The client is nowhere any more.
    fn end(&self) {
        let mut state = self.lock();
        state.joined.clear();
        state.undecided.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
