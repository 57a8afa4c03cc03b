//! `Namespace`: one conversation of many clients, with rooms and handlers of its own.

use super::adapter::{Adapter, Flags, Peers};
use super::client::Client;
use super::handlers::{Handlers, Table};
use super::packet::{Content, Packet};
use super::recovery::{HANDOVER, Journal, Journaled, Rejoin};
use super::rooms::Rooms;
use super::server::{Shared, Visit};
use super::socket::Identity;
use super::wire::{Batch, Outgoing};
use super::{
    Args, Broadcast, Error, Event, FromEvent, IntoArgs, IntoReply, Local, Reason, Room, Socket,
    Targets,
};
use crate::engineio::connection::Patience;
use crate::engineio::{CloseReason, Closed};
use greenwire_runtime::sync;
use greenwire_runtime::thread::{self, catch_panic};
use serde_json::{Value, json};
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How much a client that is back is sent at most while nobody else can emit.
const LAST_BIT: usize = 64 << 10;

/// A namespace: clients, rooms and handlers that have nothing to do with those of others. Clones are the same.
///
/// Made by [`Server::of`](super::Server::of) and its like. Handlers that are added when clients are there already
/// count from then on.
#[derive(Clone)]
pub struct Namespace(Arc<Inner>);

pub(crate) struct Inner {
    name: Arc<str>,
    /// The pattern that it was made from, whose handlers it has, too.
    template: Option<Namespace>,
    handlers: Handlers,
    /// Never locked across a wait, and std's: who broadcasts must not park.
    rooms: Mutex<Rooms>,
    last_id: AtomicU64,
    /// What those who come back have missed. It is held while events are given out, so that they have one order.
    journal: Option<sync::Mutex<Journal>>,
    peers: OnceLock<Arc<dyn Peers>>,
    server: Weak<Shared>,
}

impl Namespace {
    pub(crate) fn new(
        name: &str,
        template: Option<&Namespace>,
        server: Weak<Shared>,
        journal: Option<Journal>,
    ) -> Namespace {
        Namespace(Arc::new(Inner {
            name: name.into(),
            template: template.cloned(),
            handlers: Handlers::default(),
            rooms: Mutex::new(Rooms::new()),
            last_id: AtomicU64::new(0),
            journal: journal.map(sync::Mutex::new),
            peers: OnceLock::new(),
            server,
        }))
    }

    /// Makes it part of a cluster.
    pub(crate) fn attach(&self, adapter: &Arc<dyn Adapter>) {
        match adapter.attach(Local::new(self)) {
            Ok(peers) => drop(self.0.peers.set(peers)),
            Err(error) => log::error!("socket.io: {} stays alone: {error}", self.0.name),
        }
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn upgrade(inner: &Weak<Inner>) -> Option<Namespace> {
        inner.upgrade().map(Namespace)
    }

    /// Its name, which begins with `/`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn shared_name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// How many clients of this server are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rooms().len()
    }

    /// Whether no client of this server is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Has `handler` called for each client that has been let in, before anything that the client says.
    pub fn on_connect(&self, handler: impl Fn(&Socket) + Send + Sync + 'static) {
        let handler = Arc::new(move |socket: &Socket| {
            handler(socket);
            Ok(())
        });
        self.0.handlers.change(|table| table.connect.push(handler));
    }

    /// Asks `check` whether a client may come; whom it refuses is told the message and the data of the error. It may
    /// wait, and is asked on the client's own green thread. The client is in no room yet, and joins none; that is
    /// for [`on_connect`](Namespace::on_connect).
    ///
    /// ```
    /// use greenwire_realtime::socketio::{Error, Server};
    ///
    /// let io = Server::new();
    /// io.of("/admin").before_connect(|socket| match socket.handshake().auth()["token"] == "secret" {
    ///     true => Ok(()),
    ///     false => Err(Error::refused("who are you?")),
    /// });
    /// ```
    pub fn before_connect(
        &self,
        check: impl Fn(&Socket) -> Result<(), Error> + Send + Sync + 'static,
    ) {
        let check = Arc::new(check);
        self.0
            .handlers
            .change(|table| table.before_connect.push(check));
    }

    /// As [`Socket::on`], for all clients.
    pub fn on<A: FromEvent, R: IntoReply>(
        &self,
        name: &str,
        handler: impl Fn(&Socket, A) -> R + Send + Sync + 'static,
    ) {
        self.0.handlers.on(name, handler);
    }

    /// As [`Socket::on_any`], for all clients.
    pub fn on_any(&self, handler: impl Fn(&Socket, &Event) + Send + Sync + 'static) {
        let handler = Arc::new(move |socket: &Socket, event: &Event| {
            handler(socket, event);
            Ok(())
        });
        self.0.handlers.change(|table| table.any.push(handler));
    }

    /// As [`Socket::before_event`], for all clients.
    pub fn before_event(
        &self,
        check: impl Fn(&Socket, &Event) -> Result<(), Error> + Send + Sync + 'static,
    ) {
        let check = Arc::new(check);
        self.0
            .handlers
            .change(|table| table.before_event.push(check));
    }

    /// As [`Socket::on_disconnecting`], for all clients.
    pub fn on_disconnecting(&self, handler: impl Fn(&Socket, Reason) + Send + Sync + 'static) {
        let handler = Arc::new(handler);
        self.0
            .handlers
            .change(|table| table.disconnecting.push(handler));
    }

    /// As [`Socket::on_disconnect`], for all clients.
    pub fn on_disconnect(&self, handler: impl Fn(&Socket, Reason) + Send + Sync + 'static) {
        let handler = Arc::new(handler);
        self.0
            .handlers
            .change(|table| table.disconnect.push(handler));
    }

    /// Has `handler` called when another server of the cluster emits this event by
    /// [`server_side_emit`](Namespace::server_side_emit). What it gives back is the answer.
    pub fn on_server_event<R: IntoReply>(
        &self,
        name: &str,
        handler: impl Fn(Args) -> R + Send + Sync + 'static,
    ) {
        let handler = Arc::new(move |args| handler(args).into_reply());
        self.0.handlers.change(|table| {
            table.server_events.insert(name.into(), handler);
        });
    }

    /// Emits an event to the other servers of the cluster.
    ///
    /// # Errors
    /// [`Error::Cluster`], [`Error::Json`].
    pub fn server_side_emit(&self, name: &str, args: impl IntoArgs) -> Result<(), Error> {
        let args = args.into_args()?;
        self.peers()
            .map_or(Ok(()), |peers| peers.server_side_emit(name, &args))
    }

    /// As [`server_side_emit`](Namespace::server_side_emit), and waits for the answers, for
    /// [`Config::ack_timeout`](super::Config::ack_timeout).
    ///
    /// # Errors
    /// As there, and [`Error::Timeout`] with what was answered until then.
    pub fn server_side_emit_with_ack(
        &self,
        name: &str,
        args: impl IntoArgs,
    ) -> Result<Vec<Args>, Error> {
        let args = args.into_args()?;
        let limit = self.ack_timeout();
        self.peers().map_or(Ok(Vec::new()), |peers| {
            peers.server_side_emit_with_ack(name, &args, limit)
        })
    }

    /// All clients.
    pub fn all(&self) -> Broadcast {
        Broadcast::new(self)
    }

    /// The clients in a room.
    pub fn to(&self, room: impl AsRef<str>) -> Broadcast {
        self.all().to(room)
    }

    /// The clients that are not in a room.
    pub fn except(&self, room: impl AsRef<str>) -> Broadcast {
        self.all().except(room)
    }

    /// Emits an event to all clients; see [`Broadcast::emit`].
    ///
    /// # Errors
    /// As there.
    pub fn emit(&self, name: &str, args: impl IntoArgs) -> Result<(), Error> {
        self.all().emit(name, args)
    }

    /// The client of this id, if it is at this server.
    #[must_use]
    pub fn socket(&self, id: &str) -> Option<Socket> {
        self.rooms().get(id)
    }

    /// The clients at this server.
    #[must_use]
    pub fn sockets(&self) -> Vec<Socket> {
        self.select(&Targets::default())
    }

    pub(crate) fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those whom something is for, without those who are about to go.
    pub(crate) fn select(&self, to: &Targets) -> Vec<Socket> {
        let mut sockets = self.rooms().select(to);
        sockets.retain(Socket::is_connected);
        sockets
    }

    pub(crate) fn peers(&self) -> Option<&Arc<dyn Peers>> {
        self.0.peers.get()
    }

    pub(crate) fn tables(&self) -> Vec<Arc<Table>> {
        let template = self.0.template.as_ref();
        let template = template.and_then(|template| template.0.handlers.now());
        template.into_iter().chain(self.0.handlers.now()).collect()
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.0.last_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn ack_timeout(&self) -> Duration {
        let server = self.0.server.upgrade();
        server.map_or(Duration::ZERO, |server| server.config.ack_timeout)
    }

    /// The namespaces that were made from this pattern; else this one.
    pub(crate) fn family(&self) -> Vec<Namespace> {
        match self.0.server.upgrade() {
            Some(server) => server.family(self),
            None => vec![self.clone()],
        }
    }

    pub(crate) fn is_child_of(&self, template: &Namespace) -> bool {
        let parent = self.0.template.as_ref();
        parent.is_some_and(|parent| Arc::ptr_eq(&parent.0, &template.0))
    }

    pub(crate) fn is_child(&self) -> bool {
        self.0.template.is_some()
    }

    pub(crate) fn is_same(&self, other: &Namespace) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether events are kept for clients that come back.
    pub(crate) fn keeps_events(&self) -> bool {
        self.0.journal.is_some()
    }

    fn journal(&self) -> Option<sync::MutexGuard<'_, Journal>> {
        let journal = self.0.journal.as_ref()?;
        Some(journal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Emits an event to clients of this server, and waits for none of them.
    pub(crate) fn emit_here(&self, name: &str, args: &Args, to: &Targets) -> Result<(), Error> {
        super::check_name(name)?;
        if !to.flags.volatile
            && let Some(mut journal) = self.journal()
        {
            let args = journal.stamp(args);
            let event = Arc::new(self.event(name, args, None));
            journal.keep(event.clone(), to.clone(), Instant::now());
            let sockets = self.rooms().select(to);
            give(&sockets, &event, to.flags);
        } else {
            let sockets = self.rooms().select(to);
            give(&sockets, &self.event(name, args.clone(), None), to.flags);
        }
        Ok(())
    }

    pub(crate) fn event(&self, name: &str, args: Args, id: Option<u64>) -> Outgoing {
        let name = name.into();
        let content = Content::Event { name, args, id };
        Outgoing::new(Packet::new(&self.0.name, content))
    }

    /// Decides whether a client may come, and serves it until nothing is left to do.
    pub(crate) fn admit(
        &self,
        client: &Arc<Client>,
        auth: Value,
        visit: Visit,
    ) -> Result<(), Error> {
        let handshake = client.handshake().with(auth);
        let returning = self.returning(handshake.auth());
        let skips = returning.is_some() && client.server().config.skips_checks();
        let (identity, mut rejoin) = match returning {
            Some(journaled) => journaled.split(),
            None => (self.newcomer()?, None),
        };
        let socket = Socket::new(identity, self, client, handshake, visit);
        if !skips {
            self.check(&socket)?;
        }
        if let Some(rejoin) = &mut rejoin {
            self.catch_up(client, rejoin)?;
        }
        if !client.joined(&socket) {
            return Err(Error::Closed);
        }
        match self.enter(&socket, rejoin.as_ref()) {
            Ok(()) => socket.welcome(),
            // Its end follows.
            Err(_) => client.wire().close(CloseReason::TransportError),
        }
        socket.serve();
        Ok(())
    }

    fn newcomer(&self) -> Result<Identity, Error> {
        let secret = || {
            crate::engineio::secret().map_err(|_| Error::refused("no ids at the moment, try again"))
        };
        let pid = self.keeps_events().then(secret).transpose()?;
        Ok(Identity {
            id: secret()?,
            pid,
            recovered: false,
            data: super::Data::default(),
        })
    }

    fn check(&self, socket: &Socket) -> Result<(), Error> {
        for check in self.tables().iter().flat_map(|table| &table.before_connect) {
            let checked = catch_panic(AssertUnwindSafe(|| check(socket)));
            checked.unwrap_or_else(|_| Err(Error::refused("Internal error")))?;
        }
        Ok(())
    }

    /// Who a client says it was, if that is known and nothing is missing.
    fn returning(&self, auth: &Value) -> Option<Journaled> {
        let pid = auth.get("pid")?.as_str()?;
        let offset = auth.get("offset")?.as_str()?;
        // It may be back before the server has noticed that it was gone.
        let before = self.journal()?.present(pid);
        if let Some(before) = before {
            before.client().wire().close(CloseReason::TransportClose);
            before.wait_ended(HANDOVER);
        }
        self.journal()?.take(pid, offset, Instant::now())
    }

    /// From now on a client gets what is emitted to it; one that has come back gets first what it has missed.
    fn enter(&self, socket: &Socket, rejoin: Option<&Rejoin>) -> Result<(), Error> {
        let journal = self.journal();
        let client = socket.client();
        let mut reply = json!({"sid": socket.id()});
        if let Some(pid) = socket.pid() {
            reply["pid"] = Value::from(&**pid);
        }
        {
            let mut rooms = self.rooms();
            rooms.insert(socket.shared_id(), socket.clone());
            for room in rejoin.into_iter().flat_map(|rejoin| &rejoin.rooms) {
                rooms.join(socket.id(), room);
            }
        }
        if let Some(mut journal) = journal {
            if let Some(rejoin) = rejoin {
                for event in journal.missed(rejoin).ok_or(Error::Closed)?.events {
                    let sent = client.send_outgoing(&event, Patience::Never);
                    sent.map_err(gone)?;
                }
            }
            journal.note_present(socket);
        }
        socket.set_connected();
        let reply = Packet::new(&self.0.name, Content::Connect(reply));
        let reply = Outgoing::new(reply);
        client.send_outgoing(&reply, Patience::Never).map_err(gone)
    }

    /// Sends a client that is back what it has missed, but for the last bit, which [`enter`](Namespace::enter) sends
    /// while nobody else can emit.
    fn catch_up(&self, client: &Client, rejoin: &mut Rejoin) -> Result<(), Error> {
        loop {
            let missed = self.journal().and_then(|journal| journal.missed(rejoin));
            let missed = missed.ok_or(Error::Closed)?;
            if missed.bytes <= LAST_BIT {
                return Ok(());
            }
            for event in missed.events {
                let sent = client.send_outgoing(&event, Patience::Waits);
                sent.map_err(gone)?;
            }
            rejoin.next = missed.next;
            while !client.wire().is_writable() && !client.is_gone() {
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// A client is gone.
    pub(crate) fn part(&self, socket: &Socket, reason: Reason) {
        let mut journal = self.journal();
        let own = std::iter::once(socket.shared_id().clone());
        let left = self.rooms().remove(socket.id());
        if let Some(journal) = &mut journal {
            let rooms: Vec<Room> = own.chain(left.into_iter().flatten()).collect();
            journal.part(socket, rooms, reason, Instant::now());
        }
    }
}

fn gone(_: Closed) -> Error {
    Error::Closed
}

/// Gives an event to clients; waits for none.
pub(crate) fn give(sockets: &[Socket], event: &Outgoing, flags: Flags) {
    let mut batch = Batch::default();
    let mut given = 0;
    for socket in sockets {
        let wire = socket.client().wire();
        if !flags.volatile || wire.is_writable() {
            wire.broadcast(event, &mut batch);
            given += 1;
        }
    }
    batch.leave();
    if let Some(socket) = sockets.first() {
        socket.server().traffic.note_sent(given);
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Namespace")
            .field("name", &self.0.name)
            .field("handlers", &self.0.handlers)
            .field("clients", &self.len())
            .finish_non_exhaustive()
    }
}
