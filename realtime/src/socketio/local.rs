//! `Local`: what other servers of a cluster may ask of a namespace.

use super::broadcast::Asked;
use super::namespace::Inner;
use super::{Args, Error, Namespace, Room, Socket, SocketInfo, Targets};
use std::fmt;
use std::sync::{Arc, Weak};

/// The clients of one namespace that are at this server: what an [`Adapter`](super::Adapter) acts on when
/// another server says something. It does not keep the namespace; once that is gone nothing happens.
#[derive(Clone)]
pub struct Local(Weak<Inner>);

impl Local {
    pub(crate) fn new(namespace: &Namespace) -> Local {
        Local(namespace.downgrade())
    }

    fn namespace(&self) -> Option<Namespace> {
        Namespace::upgrade(&self.0)
    }

    /// The name of the namespace; `None` once it is gone.
    #[must_use]
    pub fn name(&self) -> Option<Arc<str>> {
        Some(self.namespace()?.shared_name().clone())
    }

    fn select(&self, to: &Targets) -> Vec<Socket> {
        let namespace = self.namespace();
        namespace.map_or_else(Vec::new, |namespace| namespace.select(to))
    }

    /// Emits an event to clients.
    ///
    /// # Errors
    /// [`Error::Reserved`].
    pub fn broadcast(&self, name: &str, args: &Args, to: &Targets) -> Result<(), Error> {
        let namespace = self.namespace();
        namespace.map_or(Ok(()), |namespace| namespace.emit_here(name, args, to))
    }

    /// Emits an event to clients, and has `answer` called with what each of them answers, as long as the result
    /// lives. `answer` holds up the client that it is called for.
    pub fn broadcast_with_ack(
        &self,
        name: &str,
        args: &Args,
        to: &Targets,
        answer: impl Fn(Args) + Send + Sync + 'static,
    ) -> Option<Asked> {
        let namespace = self.namespace()?;
        Some(Asked::ask(&namespace, name, args, to, Arc::new(answer)))
    }

    /// The ids of the clients.
    #[must_use]
    pub fn ids(&self, to: &Targets) -> Vec<Arc<str>> {
        let sockets = self.select(to);
        sockets.iter().map(|it| it.shared_id().clone()).collect()
    }

    /// The clients.
    #[must_use]
    pub fn fetch_sockets(&self, to: &Targets) -> Vec<SocketInfo> {
        self.select(to).iter().map(Socket::info).collect()
    }

    /// All rooms but those of clients by themselves.
    #[must_use]
    pub fn rooms(&self) -> Vec<Room> {
        let namespace = self.namespace();
        namespace.map_or_else(Vec::new, |namespace| namespace.rooms().names())
    }

    /// Whether a client is in this room.
    #[must_use]
    pub fn has_room(&self, room: &str) -> bool {
        let namespace = self.namespace();
        namespace.is_some_and(|namespace| namespace.rooms().has(room))
    }

    /// Lets clients join rooms.
    pub fn join(&self, to: &Targets, rooms: &[Room]) {
        for socket in self.select(to) {
            rooms.iter().for_each(|room| socket.join(room));
        }
    }

    /// Lets clients leave rooms.
    pub fn leave(&self, to: &Targets, rooms: &[Room]) {
        for socket in self.select(to) {
            rooms.iter().for_each(|room| socket.leave(room));
        }
    }

    /// Disconnects clients: from the namespace, or with `close` from all.
    pub fn disconnect(&self, to: &Targets, close: bool) {
        for socket in self.select(to) {
            match close {
                true => socket.disconnect_client(),
                false => socket.disconnect(),
            }
        }
    }

    /// Another server has emitted an event to the servers: what is answered, if anybody handles it.
    ///
    /// # Errors
    /// That of the handler.
    pub fn server_side_emit(&self, name: &str, args: Args) -> Result<Option<Args>, Error> {
        let tables = self.namespace().map_or_else(Vec::new, |it| it.tables());
        let mut handlers = tables
            .iter()
            .filter_map(|table| table.server_events.get(name));
        handlers
            .next_back()
            .map(|handler| handler(args))
            .transpose()
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Local").field(&self.name()).finish()
    }
}
