//! `Socket`: a client in a namespace, as a program sees it.

use super::acks::{Acks, Answered, Awaited};
use super::client::Client;
use super::emitter::Emitter;
use super::handlers::{Handlers, Table};
use super::packet::{Content, Packet};
use super::server::{Shared, Visit};
use super::turns::{Turn, Turns};
use super::{
    Args, Broadcast, Data, Error, Event, FromEvent, Handshake, IntoArgs, IntoReply, Namespace,
    Reason, Room, SocketInfo, Targets,
};
use greenwire_runtime::thread::Group;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A client in one namespace. Clones are the same client.
///
/// All that it sends is handled one after the other, in order, on a green thread of its own, which may wait as long as
/// it likes; answers come in meanwhile.
#[derive(Clone)]
pub struct Socket(Arc<Inner>);

struct Inner {
    id: Arc<str>,
    /// By which it comes back; a secret.
    pid: Option<Arc<str>>,
    recovered: bool,
    namespace: Namespace,
    client: Arc<Client>,
    handshake: Handshake,
    data: Data,
    handlers: Handlers,
    acks: Acks,
    turns: Turns,
    connected: AtomicBool,
    /// Threads that end with it; `None` inside once it has ended.
    threads: Mutex<Option<Group>>,
    ended: greenwire_runtime::sync::Event,
    _visit: Visit,
}

/// Who a new socket is.
pub(crate) struct Identity {
    pub(crate) id: Arc<str>,
    pub(crate) pid: Option<Arc<str>>,
    pub(crate) recovered: bool,
    pub(crate) data: Data,
}

impl Socket {
    pub(crate) fn new(
        identity: Identity,
        namespace: &Namespace,
        client: &Arc<Client>,
        handshake: Handshake,
        visit: Visit,
    ) -> Socket {
        let socket = Socket(Arc::new(Inner {
            id: identity.id,
            pid: identity.pid,
            recovered: identity.recovered,
            namespace: namespace.clone(),
            client: client.clone(),
            handshake,
            data: identity.data,
            handlers: Handlers::default(),
            acks: Acks::default(),
            turns: Turns::default(),
            connected: AtomicBool::new(false),
            threads: Mutex::default(),
            ended: greenwire_runtime::sync::Event::new(),
            _visit: visit,
        }));
        socket.turns().begin();
        socket
    }

    /// Its id in this namespace, and the name of the room that it has for itself. Others may know it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    pub(crate) fn shared_id(&self) -> &Arc<str> {
        &self.0.id
    }

    pub(crate) fn pid(&self) -> Option<&Arc<str>> {
        self.0.pid.as_ref()
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.0.namespace
    }

    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.0.client
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.0.turns
    }

    pub(crate) fn server(&self) -> &Arc<Shared> {
        self.0.client.server()
    }

    /// What it came with.
    #[must_use]
    pub fn handshake(&self) -> &Handshake {
        &self.0.handshake
    }

    /// What the program keeps about it in this namespace.
    #[must_use]
    pub fn data(&self) -> &Data {
        &self.0.data
    }

    /// What the program keeps about the client in all its namespaces, as gevent-socketio's `session`.
    #[must_use]
    pub fn session(&self) -> &Data {
        self.0.client.session()
    }

    /// Whether it is there.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.0.connected.load(Ordering::SeqCst)
    }

    /// Whether it has come back as who it was, with its id, rooms and data: see
    /// [`Config::recovery`](super::Config::recovery).
    #[must_use]
    pub fn is_recovered(&self) -> bool {
        self.0.recovered
    }

    /// What it goes over now: `"polling"`, `"websocket"`.
    #[must_use]
    pub fn transport(&self) -> &'static str {
        self.0.client.wire().transport()
    }

    /// Has `handler` called for each event of this name, after the namespace's own handlers and those that were added
    /// before. What it gives back is the answer, if the client waits for one.
    ///
    /// Handlers that all clients share take less memory in the [namespace](Namespace::on).
    ///
    /// ```
    /// # use greenwire_realtime::socketio::{Args, Server};
    /// let io = Server::new();
    /// io.on_connect(|socket| {
    ///     socket.on("add", |_, (a, b): (i64, i64)| a + b);
    ///     socket.on("shout", |socket, text: String| socket.emit("shouted", text.to_uppercase()));
    ///     socket.on("echo", |_, args: Args| args);
    /// });
    /// ```
    pub fn on<A: FromEvent, R: IntoReply>(
        &self,
        name: &str,
        handler: impl Fn(&Socket, A) -> R + Send + Sync + 'static,
    ) {
        if self.is_live() {
            self.0.handlers.on(name, handler);
        }
    }

    /// Has `handler` called for each event, before its own handlers.
    pub fn on_any(&self, handler: impl Fn(&Socket, &Event) + Send + Sync + 'static) {
        let handler = Arc::new(move |socket: &Socket, event: &Event| {
            handler(socket, event);
            Ok(())
        });
        self.change(|table| table.any.push(handler));
    }

    /// As [`on_any`](Socket::on_any); an error goes to the error hook.
    pub(crate) fn on_each(
        &self,
        handler: impl Fn(&Event) -> Result<(), Error> + Send + Sync + 'static,
    ) {
        let handler = Arc::new(move |_: &Socket, event: &Event| handler(event));
        self.change(|table| table.any.push(handler));
    }

    /// Asks `check` for each event before any handler sees it. One that is refused goes to the
    /// [error hook](super::Server::on_error), and nowhere else.
    pub fn before_event(
        &self,
        check: impl Fn(&Socket, &Event) -> Result<(), Error> + Send + Sync + 'static,
    ) {
        self.change(|table| table.before_event.push(Arc::new(check)));
    }

    /// Has `handler` called when the client has gone, while its rooms are still known.
    pub fn on_disconnecting(&self, handler: impl Fn(&Socket, Reason) + Send + Sync + 'static) {
        self.change(|table| table.disconnecting.push(Arc::new(handler)));
    }

    /// Has `handler` called when the client has gone, and has left its rooms. It is the last thing that happens to it.
    pub fn on_disconnect(&self, handler: impl Fn(&Socket, Reason) + Send + Sync + 'static) {
        self.change(|table| table.disconnect.push(Arc::new(handler)));
    }

    fn change(&self, change: impl FnOnce(&mut Table)) {
        if self.is_live() {
            self.0.handlers.change(change);
        }
    }

    /// Whether its end has not been handled.
    fn is_live(&self) -> bool {
        !self.0.ended.is_set()
    }

    pub(crate) fn handlers(&self) -> &Handlers {
        &self.0.handlers
    }

    /// Emits an event to it.
    ///
    /// Waits while [`max_queued`](crate::engineio::Config::max_queued) bytes wait for a slow client.
    ///
    /// # Errors
    /// [`Error::Closed`] if it is gone, [`Error::Json`], [`Error::Reserved`]. No error does not mean that the client
    /// has it.
    pub fn emit(&self, name: &str, args: impl IntoArgs) -> Result<(), Error> {
        self.emitter().emit(name, args)
    }

    /// Emits an event, and waits for the answer, as long as
    /// [`Config::ack_timeout`](super::Config::ack_timeout) says.
    ///
    /// # Errors
    /// As [`emit`](Socket::emit), and [`Error::Timeout`]; [`Error::Closed`] also if the client goes meanwhile.
    pub fn emit_with_ack(&self, name: &str, args: impl IntoArgs) -> Result<Args, Error> {
        self.emitter().emit_with_ack(name, args)
    }

    /// Emits an event, and has `then` called with the answer when that comes, in turn with the handlers. If none
    /// comes it is dropped with the client.
    ///
    /// # Errors
    /// As [`emit`](Socket::emit).
    pub fn emit_then(
        &self,
        name: &str,
        args: impl IntoArgs,
        then: impl FnOnce(&Socket, Args) + Send + 'static,
    ) -> Result<(), Error> {
        let socket = Arc::downgrade(&self.0);
        let call = move |args| {
            if let Some(socket) = socket.upgrade() {
                then(&Socket(socket), args);
            }
        };
        let id = self.await_answer(Awaited::Call(Box::new(call)))?;
        self.send_event(name, args.into_args()?, Some(id))
    }

    /// Emits without waiting, or gives up if something is on its way to the client already.
    pub fn volatile(&self) -> Emitter<'_> {
        self.emitter().volatile()
    }

    /// Emits and waits for the answer at most so long.
    pub fn timeout(&self, limit: Duration) -> Emitter<'_> {
        self.emitter().timeout(limit)
    }

    fn emitter(&self) -> Emitter<'_> {
        Emitter::new(self)
    }

    /// Sends an event as it is. It is not kept for a client that comes back.
    pub(crate) fn send_event(&self, name: &str, args: Args, id: Option<u64>) -> Result<(), Error> {
        super::check_name(name)?;
        if !self.is_connected() {
            return Err(Error::Closed);
        }
        let name = name.into();
        self.send(Content::Event { name, args, id })
    }

    pub(crate) fn send(&self, content: Content) -> Result<(), Error> {
        let packet = Packet::new(self.namespace().shared_name(), content);
        self.0.client.send(packet).map_err(|_| Error::Closed)
    }

    /// Answers an event of the client.
    pub(crate) fn answer(&self, id: u64, args: Args) -> Result<(), Error> {
        match self.is_connected() {
            true => self.send(Content::Ack { id, args }),
            false => Err(Error::Closed),
        }
    }

    /// Has an answer to a new id awaited.
    fn await_answer(&self, awaited: Awaited) -> Result<u64, Error> {
        let id = self.namespace().next_id();
        self.0.acks.expect(id, awaited);
        // Its end gives up what is awaited, after it is no longer connected.
        match self.is_connected() {
            true => Ok(id),
            false => Err(Error::Closed),
        }
    }

    pub(crate) fn ask(&self, name: &str, args: Args, limit: Duration) -> Result<Args, Error> {
        let answered = Arc::new(Answered::default());
        let id = self.await_answer(Awaited::One(answered.clone()))?;
        let _forgets = Forgets(self, id);
        self.send_event(name, args, Some(id))?;
        answered.wait(limit)
    }

    pub(crate) fn acks(&self) -> &Acks {
        &self.0.acks
    }

    /// Who waits for an answer of the client.
    pub(crate) fn take_awaited(&self, id: u64) -> Option<Awaited> {
        self.0.acks.take(id)
    }

    /// Lets it join a room.
    pub fn join(&self, room: impl AsRef<str>) {
        self.namespace()
            .rooms()
            .join(self.id(), &Room::from(room.as_ref()));
    }

    /// Lets it leave a room. It never leaves its own.
    pub fn leave(&self, room: impl AsRef<str>) {
        self.namespace().rooms().leave(self.id(), room.as_ref());
    }

    /// The rooms that it is in, its own first.
    #[must_use]
    pub fn rooms(&self) -> Vec<Room> {
        self.namespace().rooms().of(self.id())
    }

    /// All others in a room.
    pub fn to(&self, room: impl AsRef<str>) -> Broadcast {
        self.broadcast().to(room)
    }

    /// All others, but for those in a room.
    pub fn except(&self, room: impl AsRef<str>) -> Broadcast {
        self.broadcast().except(room)
    }

    /// All others in the namespace.
    pub fn broadcast(&self) -> Broadcast {
        self.namespace().all().except(self.id())
    }

    /// Runs `f` on a green thread that is cancelled when the client goes. If it has gone, `f` is dropped.
    pub fn spawn(&self, f: impl FnOnce() + Send + 'static) {
        let mut threads = self
            .0
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.is_live() {
            let group = threads.get_or_insert_with(Group::new);
            let builder = greenwire_runtime::thread::Builder::new();
            if let Err(error) = group.spawn_with(builder, f) {
                log::error!("socket.io: no thread: {error}");
            }
        }
    }

    /// Has it leave the namespace.
    pub fn disconnect(&self) {
        if self.is_connected() {
            // If it is gone already, it need not know.
            let _ = self.send(Content::Disconnect);
            self.end(Reason::ServerDisconnect);
        }
    }

    /// Closes the whole connection of the client, with all its namespaces.
    pub fn disconnect_client(&self) {
        self.0.client.close(Reason::ServerClose);
    }

    /// It is let in: from now on it can be sent something.
    pub(crate) fn set_connected(&self) {
        self.0.connected.store(true, Ordering::SeqCst);
    }

    /// It is gone, or leaves; its handlers hear of it in turn.
    pub(crate) fn end(&self, reason: Reason) {
        self.0.connected.store(false, Ordering::SeqCst);
        self.0.client.left(self);
        self.0.acks.give_up();
        self.add_turn(Turn::End(reason));
    }

    /// Nothing happens to it any more.
    pub(crate) fn set_ended(&self) {
        self.0.ended.set();
        self.0.handlers.clear();
        let mut threads = self
            .0
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(group) = threads.take() {
            // Where threads cannot be cancelled they end by themselves.
            let _ = group.cancel();
        }
    }

    /// Waits until its end has been handled.
    pub(crate) fn wait_ended(&self, limit: Duration) -> bool {
        self.0.ended.wait_timeout(limit)
    }

    /// As all servers of a cluster can know it.
    #[must_use]
    pub fn info(&self) -> SocketInfo {
        let rooms = self.rooms();
        SocketInfo {
            id: self.id().to_owned(),
            handshake: self.handshake().to_json(),
            rooms: rooms.iter().map(|room| room.to_string()).collect(),
            data: self.data().to_json(),
        }
    }

    pub(crate) fn itself(&self) -> Targets {
        Targets {
            rooms: vec![self.shared_id().clone()],
            ..Targets::default()
        }
    }
}

/// Nobody waits for the answer any more.
struct Forgets<'a>(&'a Socket, u64);

impl Drop for Forgets<'_> {
    fn drop(&mut self) {
        drop(self.0.0.acks.take(self.1));
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("id", &self.0.id)
            .field("namespace", &self.namespace().name())
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
