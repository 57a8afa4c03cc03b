//! A Redis client for green threads: the commands and values of the crate
//! [`redis`](https://docs.rs/redis), over greenwire's streams.
//!
//! ```no_run
//! use greenwire_realtime::redis::{Client, Commands, RedisResult, cmd, pipe};
//!
//! # fn main() -> RedisResult<()> {
//! let mut connection = Client::open("redis://127.0.0.1/")?.connect()?;
//! connection.set::<_, _, ()>("visitors", 41)?;
//! let visitors: u32 = connection.incr("visitors", 1)?;
//!
//! // Many commands in one round trip, all or none of them.
//! let (name, age): (String, u32) = pipe()
//!     .atomic()
//!     .set("name", "Ann")
//!     .ignore()
//!     .get("name")
//!     .incr("age", 1)
//!     .query(&mut connection)?;
//!
//! // Parks until there is a job.
//! let (_, job): (String, String) = connection.blpop("jobs", 0.0)?;
//!
//! // Whatever has no method.
//! let size: u64 = cmd("DBSIZE").query(&mut connection)?;
//! # Ok(())
//! # }
//! ```
//!
//! A [`Connection`] belongs to one thread at a time. Handlers share a [`Pool`], which lends each of them one
//! for as long as it is needed. All that waits here parks, and can be cancelled or cut short by a
//! [`timeout`](greenwire_runtime::time::timeout); the connection is closed then, since the answer is still to
//! come.
//!
//! To subscribe to channels, see [`pubsub::Redis`](crate::pubsub::Redis).
//!
//! A server is trusted as far as memory goes: an answer may be as large as Redis allows, 512 MB for a value.

mod client;
mod connection;
mod pool;
pub(crate) mod reader;

pub use ::redis::{
    Cmd, Commands, ConnectionAddr, ConnectionInfo, ConnectionLike, ErrorKind, FromRedisValue,
    IntoConnectionInfo, Pipeline, RedisConnectionInfo, RedisError, RedisResult, ToRedisArgs,
    TypedCommands, Value, cmd, pipe,
};
pub use client::Client;
pub use connection::Connection;
pub use pool::{Pool, Pooled};
