//! `RedisEmitter`: a word to a cluster from a process that has no clients.

use super::KEY;
use super::channels::Channels;
use super::message::{Broadcast, Request, What};
use crate::redis::{Client, Commands, IntoConnectionInfo, Pool, RedisResult};
use crate::socketio::{Error, IntoArgs, Room, Targets, check_name};
use std::fmt;
use std::sync::Arc;

/// The name under which emitters speak.
const UID: &str = "emitter";

/// Emits to the clients of a cluster from a process that has none: from a job, a script, another service. What it
/// says is what [`@socket.io/redis-emitter`](https://www.npmjs.com/package/@socket.io/redis-emitter) says; servers with
/// [`RedisAdapter`](super::RedisAdapter), and those in Node, do it.
///
/// It is made once, and narrowed down for each word. Narrowed ones are cheap.
///
/// ```no_run
/// use greenwire_realtime::socketio::RedisEmitter;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cluster = RedisEmitter::connect("redis://127.0.0.1/")?;
/// cluster.emit("time", 12)?;
/// cluster.of("/chat").to("red").except("quiet").emit("said", ("Ann", "hello"))?;
/// cluster.to("guests").disconnect_sockets(true)?;
/// # Ok(())
/// # }
/// ```
///
/// Its calls park until Redis has the message. No error does not mean that anybody is there to get it.
#[derive(Clone)]
#[must_use = "it does nothing until something is emitted"]
pub struct RedisEmitter {
    pool: Arc<Pool>,
    key: Arc<str>,
    namespace: Arc<str>,
    targets: Targets,
}

impl RedisEmitter {
    /// Knows a server by its URL. Connections are made as they are needed.
    ///
    /// # Errors
    /// If the URL is not understood.
    pub fn connect(server: impl IntoConnectionInfo) -> RedisResult<RedisEmitter> {
        Ok(RedisEmitter::with(Pool::new(Client::open(server)?)))
    }

    /// Over the connections of a pool.
    pub fn with(pool: Pool) -> RedisEmitter {
        RedisEmitter {
            pool: Arc::new(pool),
            key: KEY.into(),
            namespace: "/".into(),
            targets: Targets::default(),
        }
    }

    /// What the names of channels begin with, as [`RedisAdapter::key`](super::RedisAdapter::key).
    pub fn key(mut self, key: &str) -> RedisEmitter {
        self.key = key.into();
        self
    }

    /// For another namespace. Default `/`.
    pub fn of(&self, namespace: &str) -> RedisEmitter {
        let namespace = match namespace.starts_with('/') {
            true => namespace.into(),
            false => format!("/{namespace}").into(),
        };
        RedisEmitter {
            namespace,
            ..self.clone()
        }
    }

    /// For those in this room, too; without any, for all.
    pub fn to(&self, room: impl AsRef<str>) -> RedisEmitter {
        let mut narrowed = self.clone();
        narrowed.targets.rooms.push(room.as_ref().into());
        narrowed
    }

    /// But for nobody in this room.
    pub fn except(&self, room: impl AsRef<str>) -> RedisEmitter {
        let mut narrowed = self.clone();
        narrowed.targets.except.push(room.as_ref().into());
        narrowed
    }

    /// Leaves out those to whom something is on its way already.
    pub fn volatile(&self) -> RedisEmitter {
        let mut narrowed = self.clone();
        narrowed.targets.flags.volatile = true;
        narrowed
    }

    /// Emits an event.
    ///
    /// # Errors
    /// [`Error::Cluster`] if it did not get to Redis; [`Error::Json`], [`Error::Reserved`].
    ///
    /// # Cancellation
    /// May park here, and in all methods below.
    pub fn emit(&self, name: &str, args: impl IntoArgs) -> Result<(), Error> {
        check_name(name)?;
        let broadcast = Broadcast {
            namespace: self.namespace.to_string(),
            name: name.to_owned(),
            args: args.into_args()?,
            to: self.targets.clone(),
        };
        let channel = self.channels().broadcasts(match &self.targets.rooms[..] {
            [room] => Some(room),
            _ => None,
        });
        self.publish(&channel, &broadcast.encode(UID))
    }

    /// Lets clients join a room.
    ///
    /// # Errors
    /// [`Error::Cluster`].
    pub fn sockets_join(&self, room: impl AsRef<str>) -> Result<(), Error> {
        self.request(What::Join {
            who: self.targets.clone(),
            rooms: vec![Room::from(room.as_ref())],
        })
    }

    /// Lets clients leave a room.
    ///
    /// # Errors
    /// [`Error::Cluster`].
    pub fn sockets_leave(&self, room: impl AsRef<str>) -> Result<(), Error> {
        self.request(What::Leave {
            who: self.targets.clone(),
            rooms: vec![Room::from(room.as_ref())],
        })
    }

    /// Disconnects clients: from the namespace, or with `close` from all.
    ///
    /// # Errors
    /// [`Error::Cluster`].
    pub fn disconnect_sockets(&self, close: bool) -> Result<(), Error> {
        let who = self.targets.clone();
        self.request(What::Disconnect { who, close })
    }

    /// Emits an event to the servers themselves.
    ///
    /// # Errors
    /// As [`emit`](RedisEmitter::emit).
    pub fn server_side_emit(&self, name: &str, args: impl IntoArgs) -> Result<(), Error> {
        self.request(What::ServerSideEmit {
            name: name.to_owned(),
            args: args.into_args()?,
        })
    }

    fn request(&self, what: What) -> Result<(), Error> {
        let request = Request {
            uid: UID.to_owned(),
            id: None,
            what,
        };
        self.publish(&self.channels().requests(), &request.encode())
    }

    fn channels(&self) -> Channels {
        Channels::new(&self.key, &self.namespace)
    }

    fn publish(&self, channel: &str, message: &[u8]) -> Result<(), Error> {
        let published = self
            .pool
            .get()
            .and_then(|mut it| it.publish(channel, message));
        let _: usize = published.map_err(|error| Error::Cluster(format!("Redis: {error}")))?;
        Ok(())
    }
}

impl fmt::Debug for RedisEmitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisEmitter")
            .field("namespace", &self.namespace)
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}
