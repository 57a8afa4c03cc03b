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
//! own that exists while there is something to do. Many wait at once, nobody holds up another. An error or a panic goes
//! to the [error hook](Server::on_error), and the client's next event is handled.
//!
//! # Concepts
//!
//! * A [`Socket`] is a client in a [`Namespace`]. Its id is public; the name of its connection is a secret.
//! * Handlers are added to a namespace, for all its clients, or to a socket. What they take is a [`FromEvent`]: a tuple
//!   of the arguments, [`Args`] as they are, the whole [`Event`]. What they give back is an [`IntoReply`]: the answer.
//! * [`Binary`] arguments travel as bytes, anywhere in the others.
//! * Rooms are names that sockets join. A [`Broadcast`] is for rooms, but for others; it is encoded once.
//! * [`Namespace::before_connect`] decides who may come, [`Namespace::before_event`] what may be said.
//! * A client that loses its connection comes back as who it was, and has missed nothing, with
//!   [`Config::recovery`].
//! * Several servers are one with an [`Adapter`].
//! * [`classes`] has gevent-socketio's way: an object for each client, whose methods are events.
//! * [`Server::figures`] shows clients, rooms and events on `/debug/green`.
//!
//! ```text
//!  browser ── Engine.IO: requests, websocket ──▶ client ─┬─▶ socket in / ────▶ its events, one after the other:
//!                                                        │                     checks, on_any, handlers, answer
//!                                                        └─▶ socket in /game ▶ the same, independently
//!  emit, broadcast ◀── rooms of a namespace ◀── whoever has something to say, at this server or another
//! ```
//!
//! # Limits
//!
//! | what | default | beyond it | set by |
//! |---|---|---|---|
//! | connections, and what they bring and queue | see [`engineio`](crate::engineio) | | [`Config::engine`] |
//! | connected without a namespace | 45 s | closed | [`Config::connect_timeout`] |
//! | namespaces of a client | 100 | closed | [`Config::max_namespaces`] |
//! | attachments of an event | 10 | closed | [`Config::max_attachments`] |
//! | events that wait for handlers | 1 MiB | the client is not read | [`Config::max_waiting`] |
//! | an answer | 30 s | [`Error::Timeout`] | [`Config::ack_timeout`], [`Socket::timeout`] |
//! | events for those who come back | 2 minutes, 64 MiB | they come as new | [`Recovery`] |
//!
//! # Differences from the reference in Node
//!
//! * Waiting takes the place of callbacks: [`Socket::emit_with_ack`] returns the answer.
//! * A client that is too slow is parted with when a broadcast does not fit into its queue; there the queue grows.
//! * A client that comes back before the server has noticed that it was gone takes over from its old connection.
//! * Namespaces made from a pattern are forgotten with their last clients, and patterns are those of Redis.

mod acks;
mod adapter;
mod args;
mod attachments;
mod broadcast;
pub mod classes;
mod client;
mod config;
mod data;
mod dispatch;
mod emitter;
mod error;
mod event;
mod failure;
mod figures;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
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
