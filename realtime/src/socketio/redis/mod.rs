//! Servers that are one cluster through Redis: ours, and those in Node with `@socket.io/redis-adapter`.
//!
//! ```text
//!   Broadcast, RemoteSocket ... ──▶ RedisPeers ──messages──▶ Redis ──▶ RedisPeers ──▶ Local ──▶ clients
//! ```
//!
//! `message.rs` is all that servers say to one another, `peers.rs` who says it and does it, `pending.rs` who waits for
//! an answer.

mod channels;
mod emitter;
mod fields;
mod message;
mod msgpack;
mod peers;
mod pending;

pub use emitter::RedisEmitter;

use super::{Adapter, Error, Local, Peers};
use crate::engineio::secret;
use crate::pubsub::Redis;
use peers::RedisPeers;
use std::sync::Arc;

/// Bytes that are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Malformed;

/// What all names of channels begin with, unless something else is said.
const KEY: &str = "socket.io";

/// Makes a server one of a cluster, with all others on the same Redis: greenwire's, and those in Node whose adapter is
/// [`@socket.io/redis-adapter`](https://www.npmjs.com/package/@socket.io/redis-adapter) 8 as
/// `createAdapter` makes it. Clients in the same namespace and room are together, whichever server they are at.
///
/// ```no_run
/// use greenwire_realtime::pubsub::Redis;
/// use greenwire_realtime::socketio::{Config, RedisAdapter};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let redis = Redis::connect("redis://127.0.0.1/")?;
/// let io = Config::default().adapter(RedisAdapter::new(redis)).server();
/// io.on_connect(|socket| socket.join("news"));
/// io.to("news").emit("headline", "it rains")?; // to the clients of all servers
/// # Ok(())
/// # }
/// ```
///
/// # Without Redis
///
/// When the connection is lost, each server goes on for its own clients; what concerns others fails with
/// [`Error::Cluster`], after it has been done here. The connection comes back by itself, as
/// [`Redis`] says. What others emitted meanwhile is missing: Redis does not keep it, and so there is no
/// [recovery](super::Config::recovery) with this adapter.
///
/// # Trust
///
/// Who can publish on that Redis can do all that a server can.
///
/// # Differences from the reference in Node
///
/// * `compress` is left to each server.
/// * Bytes in what servers emit to each other or answer each other are not carried, as little as there.
#[derive(Clone, Debug)]
#[must_use = "it does nothing until a server has it"]
pub struct RedisAdapter {
    redis: Redis,
    key: String,
    answers_apart: bool,
}

impl RedisAdapter {
    /// Over this connection, which may be used for other things, too.
    pub fn new(redis: Redis) -> RedisAdapter {
        RedisAdapter {
            redis,
            key: KEY.to_owned(),
            answers_apart: false,
        }
    }

    /// What all names of channels begin with: clusters with different keys do not hear each other. Default
    /// `socket.io`, as the `key` of other servers.
    pub fn key(mut self, key: &str) -> RedisAdapter {
        key.clone_into(&mut self.key);
        self
    }

    /// Whether answers go on a channel of whoever asks, where no other server has to read them:
    /// `publishOnSpecificResponseChannel` of other servers. Default not, since servers with older adapters do not hear
    /// them there.
    pub fn answers_apart(mut self, apart: bool) -> RedisAdapter {
        self.answers_apart = apart;
        self
    }
}

impl Adapter for RedisAdapter {
    /// Listens from a moment later on: Redis has to confirm it.
    fn attach(&self, local: Local) -> Result<Arc<dyn Peers>, Error> {
        Ok(RedisPeers::start(self, local)?)
    }
}

/// An id that nobody else has.
fn random_id() -> Result<String, Error> {
    let id = secret().map_err(|_| Error::Cluster("no random bytes for an id".to_owned()))?;
    Ok(id.to_string())
}
