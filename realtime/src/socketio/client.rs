//! One connection, whatever its wire, and the namespaces that it has joined.

use super::acks::Awaited;
use super::handshake::Handshake;
use super::packet::{Content, Packet};
use super::server::Shared;
use super::wire::{Outgoing, Wire};
use super::{Data, Error, Reason, Socket};
use crate::engineio::connection::Patience;
use crate::engineio::keeper::{Alarm, Sleeper};
use crate::engineio::protocol::packet::Malformed;
use crate::engineio::{CloseReason, Closed};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

/// A connected client.
pub(crate) struct Client {
    server: Arc<Shared>,
    wire: Box<dyn Wire>,
    handshake: Handshake,
    /// What the program keeps about it, in all namespaces.
    session: Data,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// `None` while it is being let in.
    sockets: HashMap<Arc<str>, Option<Socket>>,
    ended: Option<Reason>,
    /// When it must have joined a namespace.
    alarm: Option<Alarm>,
}

impl Client {
    /// A client has connected. It has to join a namespace in time.
    pub(crate) fn open(
        server: &Arc<Shared>,
        wire: impl Wire + 'static,
        handshake: Handshake,
    ) -> Arc<Client> {
        let client = Arc::new(Client {
            server: server.clone(),
            wire: Box::new(wire),
            handshake,
            session: Data::default(),
            state: Mutex::default(),
        });
        let me: Weak<dyn Sleeper> = Arc::downgrade(&client) as Weak<Client>;
        let by = Instant::now() + server.config.connect_timeout;
        client.lock().alarm = Some(server.keeper.set(by, me));
        client
    }

    pub(crate) fn wire(&self) -> &dyn Wire {
        &*self.wire
    }

    pub(crate) fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    pub(crate) fn session(&self) -> &Data {
        &self.session
    }

    /// Whether the connection has ended.
    pub(crate) fn is_gone(&self) -> bool {
        self.lock().ended.is_some()
    }

    pub(crate) fn server(&self) -> &Arc<Shared> {
        &self.server
    }

    pub(crate) fn send(&self, packet: Packet) -> Result<(), Closed> {
        self.send_outgoing(&Outgoing::new(packet), Patience::Waits)
    }

    /// Sends a packet that may be for others, too.
    pub(crate) fn send_outgoing(
        &self,
        packet: &Outgoing,
        patience: Patience,
    ) -> Result<(), Closed> {
        self.wire.send(packet, patience)?;
        if let Content::Event { .. } = packet.packet.content {
            self.server.traffic.note_sent(1);
        }
        Ok(())
    }

    /// A packet has come. Waits while too much waits for the handlers. An error has to end the connection.
    pub(crate) fn receive(self: &Arc<Self>, packet: Packet) -> Result<(), Malformed> {
        let Packet { namespace, content } = packet;
        match content {
            Content::Connect(auth) => return self.connect(namespace, auth),
            Content::Refuse(_) => return Err(Malformed),
            _ => {}
        }
        let socket = self.lock().sockets.get(&namespace).cloned().flatten();
        let socket = socket.ok_or(Malformed)?;
        match content {
            Content::Event { name, args, id } => {
                self.server.traffic.note_received();
                socket.deliver(name, args, id);
            }
            Content::Ack { id, args } => match socket.take_awaited(id) {
                Some(Awaited::One(answered)) => answered.set(args),
                Some(Awaited::Many(answer)) => answer(args),
                Some(Awaited::Call(call)) => socket.deliver_answer(call, args),
                // Too late, or nobody has asked.
                None => {}
            },
            _ => socket.end(Reason::ClientDisconnect),
        }
        Ok(())
    }

    /// The client wants to join a namespace. That is decided on a green thread of its own.
    fn connect(self: &Arc<Self>, name: Arc<str>, auth: Value) -> Result<(), Malformed> {
        let mut state = self.lock();
        let full = state.sockets.len() >= self.server.config.max_namespaces;
        if full || state.sockets.contains_key(&name) {
            return Err(Malformed);
        }
        if state.ended.is_some() {
            return Ok(());
        }
        state.sockets.insert(name.clone(), None);
        drop(state);
        let client = self.clone();
        let named = name.clone();
        let joining = move || {
            Joining {
                client,
                name: named,
            }
            .join(auth)
        };
        if let Err(error) = super::spawn("socket.io client", joining) {
            log::error!("socket.io: no thread for a client: {error}");
            self.lock().sockets.remove(&name);
            self.wire.close(CloseReason::ForcedClose);
        }
        Ok(())
    }

    /// The client has been let in: packets may come for it. False if it is gone by now.
    pub(crate) fn joined(&self, socket: &Socket) -> bool {
        let mut state = self.lock();
        if state.ended.is_some() {
            return false;
        }
        let name = socket.namespace().shared_name().clone();
        state.sockets.insert(name, Some(socket.clone()));
        if let Some(alarm) = state.alarm.take() {
            self.server.keeper.unset(alarm);
        }
        true
    }

    /// The client is no longer in a namespace, and may join it again.
    pub(crate) fn left(&self, socket: &Socket) {
        let mut state = self.lock();
        let name = socket.namespace().name();
        // It may have come again meanwhile.
        if let Some(Some(known)) = state.sockets.get(name)
            && known.id() == socket.id()
        {
            state.sockets.remove(name);
        }
    }

    /// Ends the whole connection.
    pub(crate) fn close(&self, reason: Reason) {
        self.ended(reason);
        self.wire.close(CloseReason::ForcedClose);
    }

    /// The connection has ended. Never waits.
    pub(crate) fn ended(&self, reason: Reason) {
        let mut state = self.lock();
        state.ended.get_or_insert(reason);
        if let Some(alarm) = state.alarm.take() {
            self.server.keeper.unset(alarm);
        }
        let sockets: Vec<Socket> = state.sockets.drain().filter_map(|(_, it)| it).collect();
        drop(state);
        for socket in sockets {
            socket.end(reason);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sleeper for Client {
    /// It has not joined any namespace in time.
    fn wake(self: Arc<Self>, _: Instant) {
        self.wire.close(CloseReason::ForcedClose);
    }
}

/// A client on its way into a namespace; if anything goes wrong there, it is as if it had not tried.
struct Joining {
    client: Arc<Client>,
    name: Arc<str>,
}

impl Joining {
    fn join(self, auth: Value) {
        let client = &self.client;
        let joined = match client.server.find(&self.name, &client.handshake, &auth) {
            Some((namespace, visit)) => namespace.admit(client, auth, visit),
            None => Err(Error::refused("Invalid namespace")),
        };
        if let Err(error) = joined {
            let refusal = refusal(error);
            // If it is gone, it need not know.
            let _ = client.send(self.leave(refusal));
        }
    }

    /// The client may try again as soon as it knows.
    fn leave(&self, refusal: Value) -> Packet {
        self.forget();
        Packet::new(&self.name, Content::Refuse(refusal))
    }

    fn forget(&self) {
        let mut state = self.client.lock();
        if let Some(None) = state.sockets.get(&self.name) {
            state.sockets.remove(&self.name);
        }
    }
}

impl Drop for Joining {
    fn drop(&mut self) {
        self.forget();
    }
}

/// What a client is told that may not come.
fn refusal(error: Error) -> Value {
    match error {
        Error::Refused(refusal) if refusal.data.is_null() => json!({"message": refusal.message}),
        Error::Refused(refusal) => json!({"message": refusal.message, "data": refusal.data}),
        // What else goes wrong is not the client's business.
        other => {
            log::debug!("socket.io: a client is refused: {other}");
            json!({"message": "Internal error"})
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("transport", &self.wire.transport())
            .finish_non_exhaustive()
    }
}
