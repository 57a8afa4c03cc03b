//! RFC 6455 websockets in blocking style and full duplex: servers and clients whose handlers are
//! plain loops, on green threads or ordinary ones. With compression (RFC 7692).
//!
//! ```no_run
//! use greenwire_http::{Request, Server};
//! use greenwire_websocket as websocket;
//!
//! fn main() -> std::io::Result<()> {
//!     Server::bind("127.0.0.1:9001")?.serve(|request: Request| {
//!         websocket::upgrade(request, |mut ws| {
//!             while let Some(message) = ws.receive()? {
//!                 ws.send(message)?;
//!             }
//!             Ok(())
//!         })
//!     })
//! }
//! ```
//!
//! # Full duplex
//!
//! [`split`](WebSocket::split) gives a [`Sender`] and a [`Receiver`]; one thread reads while others
//! write. A [`Sender`] may be cloned and moved to any thread, and their messages never mix.
//!
//! ```no_run
//! use greenwire_http::{Request, Response};
//! use greenwire_runtime::{sync::mpsc, thread};
//! use greenwire_websocket as websocket;
//!
//! fn chat(request: Request, feed: mpsc::Receiver<String>) -> Response {
//!     websocket::upgrade(request, move |ws| {
//!         let (sender, mut receiver) = ws.split();
//!         thread::spawn(move || for item in feed { if sender.send(item).is_err() { break } });
//!         while let Some(message) = receiver.receive()? { /* act on it */ }
//!         Ok(())
//!     })
//! }
//! ```
//!
//! A client is the same thing from the other end:
//!
//! ```no_run
//! # fn main() -> Result<(), greenwire_websocket::Error> {
//! let mut ws = greenwire_websocket::connect("ws://127.0.0.1:9001/")?;
//! ws.send("hello")?;
//! let answer = ws.receive()?;
//! ws.close(greenwire_websocket::code::NORMAL, "done")?;
//! # Ok(())
//! # }
//! ```
//!
//! # Over TLS
//!
//! With the feature `tls`, which is on by default, a client connects to `wss://` (whom it trusts is for
//! [`Config::tls`] to say), and a server is one of [`greenwire_http`] with
//! [`tls`](greenwire_http::Server::tls): nothing else changes, and the halves of a connection still work at
//! the same time.
//!
//! ```no_run
//! # #[cfg(feature = "tls")]
//! fn main() -> std::io::Result<()> {
//!     use greenwire_http::{Request, Server};
//!     use greenwire_net::tls::Acceptor;
//!     use greenwire_websocket as websocket;
//!
//!     let acceptor = Acceptor::from_pem(&std::fs::read("chain.pem")?, &std::fs::read("key.pem")?)?;
//!     Server::bind("0.0.0.0:443")?.tls(acceptor).serve(|request: Request| {
//!         websocket::upgrade(request, |ws| ws.send("in secret"))
//!     })
//! }
//! # #[cfg(not(feature = "tls"))]
//! # fn main() {}
//! ```
//!
//! # One to many
//!
//! [`broadcast`] sends a [`Prepared`] message, encoded once, to any number of senders and waits for none.
//! What becomes of messages for a peer that reads too slowly is for [`Config::slow_reader`] to say:
//!
//! ```
//! use greenwire_websocket::{Config, Prepared, Sender, SlowReader, broadcast};
//!
//! fn publish(subscribers: &[Sender], price: f64) {
//!     broadcast(subscribers, &Prepared::new(format!("{{\"price\":{price}}}")));
//! }
//! let config = Config::default().slow_reader(SlowReader::DropOldest);
//! # publish(&[], 1.0);
//! ```
//!
//! # Other styles
//!
//! An [`Application`] is an object that is told what happens on its connection, instead of a loop that
//! asks. [`Receiver::receive_ref`] lends messages where they lie, without a copy. [`Receiver::reader`] and
//! [`Sender::writer`] receive and send a message in pieces, however long it is.
//!
//! # What happens to a message
//!
//! ```text
//! socket -> buffer, borrowed while it holds bytes -> frames, unmasked in place -> receive(), receive_ref()
//!
//! send() -> queue of the connection --just before the green thread parks, or 64 KiB--> socket
//!                                   \--what the socket does not take--> drainer ------^
//! ```
//!
//! Replies are gathered: all that a green thread sends before it waits for something leaves in one
//! write, unless it is long. On an OS thread each message leaves at once, unless the thread is the one that
//! receives and the next message is at hand already. [`Sender::flush`] does not wait for either. What a slow
//! peer does not take is queued up to a bound, and then `send` waits, or does what
//! [`Config::slow_reader`] says; one green thread writes it out and exists only as long as that takes. An
//! idle connection owns no buffer.
//!
//! # Errors
//!
//! A closed connection is not an error: [`receive`](WebSocket::receive) returns `None`, and
//! [`close_reason`](WebSocket::close_reason) says what the peer said. A peer that breaks the rules
//! gets everything that was sent before, then a close frame with the right code (1002, 1007, 1009);
//! `receive` returns [`Error::Protocol`].
//!
//! # Limits
//!
//! All are on by default and set by [`Config`]: message and frame size, bytes queued for a slow
//! reader, the time it may take none of them, the time for the handshakes, the silence of a peer
//! before it is sent a ping and before it is given up. Sizes are checked on the header of a frame, before
//! memory is taken for it, and again while a message is decompressed.

#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod client;
mod compression;
mod config;
mod connection;
mod error;
mod event;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod inbound;
mod message;
mod outbound;
mod payload;
mod protocol;
mod random;
mod receiver;
mod sender;
mod server;
mod silence;
mod spare;
mod websocket;

pub use client::connect;
pub use compression::Compression;
pub use config::{Config, SlowReader};
pub use error::{Error, HandshakeError};
pub use event::{Application, Resource, application};
pub use message::{Kind, Message, MessageRef};
pub use payload::{Payload, Prepared, broadcast};
pub use protocol::close::{CloseReason, code};
pub use protocol::violation::Violation;
pub use receiver::{MessageReader, Receiver};
pub use sender::{MessageWriter, Sender};
pub use server::upgrade;
pub use websocket::WebSocket;
