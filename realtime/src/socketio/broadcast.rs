//! `Broadcast`: something for many clients at once, at all servers of a cluster.

use super::acks::Awaited;
use super::adapter::{Answers, Peers, Targets, left_of};
use super::namespace::give;
use super::{Args, Error, IntoArgs, Local, Namespace, Room, Socket, SocketInfo};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Clients that something is for. Made by `to`, `except` and the like of a [`Namespace`] or [`Socket`].
///
/// ```
/// # use greenwire_realtime::socketio::{Error, Server};
/// # fn tell() -> Result<(), Error> {
/// let io = Server::new();
/// io.of("/").to("red").to("blue").except("quiet").emit("news", "it works")?;
/// # Ok(())
/// # }
/// # tell().unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until something is done with it"]
pub struct Broadcast {
    namespace: Namespace,
    targets: Targets,
}

impl Broadcast {
    pub(crate) fn new(namespace: &Namespace) -> Broadcast {
        Broadcast {
            namespace: namespace.clone(),
            targets: Targets::default(),
        }
    }

    /// Those in this room, too; without any, all.
    pub fn to(mut self, room: impl AsRef<str>) -> Broadcast {
        self.targets.rooms.push(room.as_ref().into());
        self
    }

    /// But nobody in this room.
    pub fn except(mut self, room: impl AsRef<str>) -> Broadcast {
        self.targets.except.push(room.as_ref().into());
        self
    }

    /// Only those at this server.
    pub fn local(mut self) -> Broadcast {
        self.targets.flags.local = true;
        self
    }

    /// Leaves out those to whom something is on its way already.
    pub fn volatile(mut self) -> Broadcast {
        self.targets.flags.volatile = true;
        self
    }

    /// Waits for answers, of clients or servers, at most so long.
    pub fn timeout(mut self, limit: Duration) -> Broadcast {
        self.targets.flags.timeout = Some(limit);
        self
    }

    /// Emits an event to them. It is encoded once; nobody is waited for, and those who are too slow are parted with.
    ///
    /// # Errors
    /// [`Error::Json`], [`Error::Reserved`]; [`Error::Cluster`] if only the clients at this server got it.
    pub fn emit(&self, name: &str, args: impl IntoArgs) -> Result<(), Error> {
        let args = args.into_args()?;
        self.each(
            |namespace| namespace.emit_here(name, &args, &self.targets),
            |peers| peers.broadcast(name, &args, &self.targets),
        )
    }

    /// Emits an event to them, and waits for the answers of all.
    ///
    /// # Errors
    /// As [`emit`](Broadcast::emit), and [`Error::Timeout`] with those who did answer.
    pub fn emit_with_ack(&self, name: &str, args: impl IntoArgs) -> Result<Vec<Args>, Error> {
        super::check_name(name)?;
        let args = args.into_args()?;
        let since = Instant::now();
        let answers = Answers::of_servers(self.servers()?);
        let mut asked = Vec::new();
        for namespace in self.namespace.family() {
            let to = answers.clone();
            let answer = Arc::new(move |args| to.answer(args));
            let ask = Asked::ask(&namespace, name, &args, &self.targets, answer);
            answers.expect(ask.count());
            asked.push(ask);
            if let Some(peers) = self.peers_of(&namespace) {
                peers.broadcast_with_ack(name, &args, &self.targets, &answers)?;
            }
        }
        answers.wait(left_of(self.limit(), since))
    }

    /// How many servers will say how many clients they have.
    fn servers(&self) -> Result<usize, Error> {
        let family = self.namespace.family();
        let counts = family
            .iter()
            .map(|namespace| match self.peers_of(namespace) {
                Some(peers) => peers.server_count(),
                None => Ok(1),
            });
        counts.sum()
    }

    /// What is known of them, at all servers.
    ///
    /// # Errors
    /// [`Error::Cluster`], [`Error::Timeout`].
    pub fn fetch_sockets(&self) -> Result<Vec<RemoteSocket>, Error> {
        let mut fetched = Vec::new();
        for namespace in self.namespace.family() {
            let mut infos = Local::new(&namespace).fetch_sockets(&self.targets);
            if let Some(peers) = self.peers_of(&namespace) {
                infos.extend(peers.fetch_sockets(&self.targets, self.limit())?);
            }
            fetched.extend(infos.into_iter().map(|info| RemoteSocket {
                namespace: namespace.clone(),
                info,
            }));
        }
        Ok(fetched)
    }

    /// Lets them join a room.
    ///
    /// # Errors
    /// [`Error::Cluster`].
    pub fn sockets_join(&self, room: impl AsRef<str>) -> Result<(), Error> {
        let rooms = [Room::from(room.as_ref())];
        self.each(
            |namespace| {
                Local::new(namespace).join(&self.targets, &rooms);
                Ok(())
            },
            |peers| peers.join(&self.targets, &rooms),
        )
    }

    /// Lets them leave a room.
    ///
    /// # Errors
    /// [`Error::Cluster`].
    pub fn sockets_leave(&self, room: impl AsRef<str>) -> Result<(), Error> {
        let rooms = [Room::from(room.as_ref())];
        self.each(
            |namespace| {
                Local::new(namespace).leave(&self.targets, &rooms);
                Ok(())
            },
            |peers| peers.leave(&self.targets, &rooms),
        )
    }

    /// Has them leave the namespace.
    ///
    /// # Errors
    /// [`Error::Cluster`].
    pub fn disconnect_sockets(&self) -> Result<(), Error> {
        self.disconnect(false)
    }

    /// Closes their whole connections.
    ///
    /// # Errors
    /// [`Error::Cluster`].
    pub fn disconnect_clients(&self) -> Result<(), Error> {
        self.disconnect(true)
    }

    fn disconnect(&self, close: bool) -> Result<(), Error> {
        self.each(
            |namespace| {
                Local::new(namespace).disconnect(&self.targets, close);
                Ok(())
            },
            |peers| peers.disconnect(&self.targets, close),
        )
    }

    /// Does something here, then elsewhere, in the namespace or in all that were made from its pattern.
    fn each(
        &self,
        here: impl Fn(&Namespace) -> Result<(), Error>,
        elsewhere: impl Fn(&dyn Peers) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for namespace in self.namespace.family() {
            here(&namespace)?;
            if let Some(peers) = self.peers_of(&namespace) {
                elsewhere(&*peers)?;
            }
        }
        Ok(())
    }

    fn peers_of(&self, namespace: &Namespace) -> Option<Arc<dyn Peers>> {
        let peers = namespace.peers().cloned();
        peers.filter(|_| !self.targets.flags.local)
    }

    fn limit(&self) -> Duration {
        let default = || self.namespace.ack_timeout();
        self.targets.flags.timeout.unwrap_or_else(default)
    }
}

/// Clients of this server that were asked something. Dropped, nobody waits for their answers any more.
#[derive(Debug)]
#[must_use = "dropped, it takes no answers"]
pub struct Asked {
    sockets: Vec<Socket>,
    id: u64,
}

impl Asked {
    /// Emits an event to clients of this server, each of whose answers `answer` is called with.
    pub(crate) fn ask(
        namespace: &Namespace,
        name: &str,
        args: &Args,
        to: &Targets,
        answer: Arc<dyn Fn(Args) + Send + Sync>,
    ) -> Asked {
        let id = namespace.next_id();
        let sockets = namespace.select(to);
        for socket in &sockets {
            socket.acks().expect(id, Awaited::Many(answer.clone()));
        }
        let event = namespace.event(name, args.clone(), Some(id));
        give(&sockets, &event, to.flags);
        Asked { sockets, id }
    }

    /// How many clients were asked.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sockets.len()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        for socket in &self.sockets {
            drop(socket.take_awaited(self.id));
        }
    }
}

/// A client at any server of the cluster.
#[derive(Clone, Debug)]
pub struct RemoteSocket {
    namespace: Namespace,
    info: SocketInfo,
}

impl RemoteSocket {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.info.id
    }

    /// What was known of it when it was asked for.
    #[must_use]
    pub fn info(&self) -> &SocketInfo {
        &self.info
    }

    fn itself(&self) -> Broadcast {
        self.namespace.to(self.id())
    }

    /// Emits an event to it.
    ///
    /// # Errors
    /// As [`Broadcast::emit`].
    pub fn emit(&self, name: &str, args: impl IntoArgs) -> Result<(), Error> {
        self.itself().emit(name, args)
    }

    /// Lets it join a room.
    ///
    /// # Errors
    /// [`Error::Cluster`].
    pub fn join(&self, room: impl AsRef<str>) -> Result<(), Error> {
        self.itself().sockets_join(room)
    }

    /// Lets it leave a room.
    ///
    /// # Errors
    /// [`Error::Cluster`].
    pub fn leave(&self, room: impl AsRef<str>) -> Result<(), Error> {
        self.itself().sockets_leave(room)
    }

    /// Has it leave the namespace.
    ///
    /// # Errors
    /// [`Error::Cluster`].
    pub fn disconnect(&self) -> Result<(), Error> {
        self.itself().disconnect_sockets()
    }
}
