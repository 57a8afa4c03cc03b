//! Socket.IO 5, for today's unmodified clients: events with answers, rooms and namespaces, over whatever reaches them.
//!
//! ```no_run
//! use greenwire_http::{Router, Server};
//! use greenwire_realtime::socketio;
//!
//! fn main() -> std::io::Result<()> {
//!     let io = socketio::Server::new();
//!     io.on_connect(|socket| {
//!         socket.on("say", |socket, text: String| socket.broadcast().emit("said", text));
//!         socket.on("add", |_, (a, b): (i64, i64)| a + b); // what it gives back is the answer
//!     });
//!     Server::bind("127.0.0.1:3000")?.serve_handler(Router::new().mount("/socket.io", io))
//! }
//! ```
//!
//! Handlers are sequential code: they may sleep, wait for a database, or ask the client something and wait for the
//! answer. Each client has them called one after the other, in the order of what it sends, on a green thread of its
//! own that exists while there is something to do. Many wait at once, nobody holds up another.

mod acks;
mod adapter;
mod args;
mod attachments;
mod broadcast;
mod client;
mod config;
mod data;
mod dispatch;
mod emitter;
mod error;
mod event;
mod failure;
mod handlers;
mod handshake;
#[cfg(feature = "socketio-legacy")]
mod legacy;
mod local;
mod namespace;
mod packet;
mod protocol;
mod reason;
mod recovery;
#[cfg(feature = "redis")]
mod redis;
mod rooms;
mod server;
mod socket;
mod turns;
mod wire;

pub use adapter::{Adapter, Answers, Flags, Peers, SocketInfo, Targets};
pub use args::{Args, Binary, IntoArgs};
pub use broadcast::{Asked, Broadcast, RemoteSocket};
pub use config::Config;
pub use data::Data;
pub use emitter::Emitter;
pub use error::{Error, Refusal};
pub use event::{Ack, Event, FromEvent, IntoReply};
pub use failure::Failure;
pub use handshake::Handshake;
#[cfg(feature = "socketio-legacy")]
pub use legacy::Legacy;
pub use local::Local;
pub use namespace::Namespace;
pub use reason::Reason;
pub use recovery::Recovery;
#[cfg(feature = "redis")]
pub use redis::{RedisAdapter, RedisEmitter};
pub use rooms::Room;
pub use server::Server;
pub use socket::Socket;

use greenwire_runtime::thread;
use protocol::decode::RESERVED;
use std::io;

/// Names that mean something else are none for events.
fn check_name(name: &str) -> Result<(), Error> {
    match RESERVED.contains(&name) {
        true => Err(Error::Reserved(name.to_owned())),
        false => Ok(()),
    }
}

fn spawn(name: &str, f: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(f).map(drop)
}
