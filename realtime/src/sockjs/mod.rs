//! SockJS 0.3.3: a websocket where there is one, and something that feels like it everywhere else.
//!
//! ```no_run
//! use greenwire_http::{Router, Server};
//! use greenwire_realtime::sockjs;
//!
//! fn main() -> std::io::Result<()> {
//!     let echo = sockjs::service(|mut session| {
//!         while let Some(message) = session.receive()? {
//!             session.send(message)?;
//!         }
//!         Ok(())
//!     });
//!     Server::bind("127.0.0.1:8081")?.serve_handler(Router::new().mount("/echo", echo))
//! }
//! ```
//!
//! A page does `new SockJS("/echo")` with [sockjs-client](https://github.com/sockjs/sockjs-client), which finds out
//! which transport works where it is.
//!
//! # Full duplex
//!
//! [`split`](Session::split) gives a [`Sender`] and a [`Receiver`], as a websocket's:
//!
//! ```
//! use greenwire_realtime::sockjs::{Error, Session};
//! use greenwire_runtime::{sync::mpsc, thread};
//!
//! fn chat(session: Session, feed: mpsc::Receiver<String>) -> Result<(), Error> {
//!     let (sender, mut receiver) = session.split();
//!     thread::spawn(move || for item in feed { if sender.send(item).is_err() { break } });
//!     while let Some(message) = receiver.receive()? { /* act on it */ }
//!     Ok(())
//! }
//! # let _ = chat;
//! ```
//!
//! An [`Application`] is an object that is told what happens instead, as sockjs-tornado's connections. [`broadcast`]
//! sends a [`Prepared`] message, encoded once, to any number of clients.
//!
//! # What a session is
//!
//! ```text
//!   websocket            one connection, one green thread
//!   xhr-streaming, eventsource, htmlfile, xhr-polling, jsonp-polling:
//!     handler (a green thread) <--> what waits, in both directions <--> one request that receives
//!                                                                  <--- requests that send
//! ```
//!
//! Over HTTP a session begins with the first request that receives under a new name, and ends
//! [`Config::disconnect_delay`] after the last one, or at once when a client hangs up that waits, since nobody knows
//! then what reached it. One green thread for each service looks at the time: it sends heartbeats, notices clients
//! that are gone within the delay, and forgets sessions. Without sessions it does not exist.
//!
//! What a client may do to others: nothing. The name of a session is its secret, chosen by the client, shown to
//! nobody, and of no use from another address ([`Config::verify_ip`]).
//!
//! # Limits
//!
//! | what | default | beyond it | set by |
//! |---|---|---|---|
//! | sessions | 100,000 | 503 | [`Config::max_sessions`] |
//! | body of a request, message of a websocket | 2 MiB | 413, or closed | [`Config::max_message_size`] |
//! | messages in one of these | 65,536 | as broken JSON | |
//! | waiting for a client | 1 MiB | `send` waits, or see there | [`Config::slow_reader`] |
//! | waiting for the handler | 1 MiB | requests that send wait | [`Config::max_queued`] |
//! | a streaming response | 128 KiB | the client asks again | [`Config::response_limit`] |
//! | without a request that receives | 5 s | the session ends | [`Config::disconnect_delay`] |
//! | nothing for the client | 25 s | a heartbeat | [`Config::heartbeat`] |
//!
//! # Differences from other servers
//!
//! * Messages are strings, which is all that clients send; other JSON is "Broken JSON encoding". Half of a
//!   surrogate pair, which JavaScript allows in a string, becomes U+FFFD.
//! * There is no handshake of the websocket drafts before RFC 6455.

mod application;
mod config;
mod error;
mod headers;
mod pages;
mod polled;
mod protocol;
mod registry;
mod service;
mod session;
mod transport;

pub use application::Application;
pub use config::{Config, Transport};
pub use error::Error;
pub use greenwire_websocket::SlowReader;
pub use protocol::frame::Prepared;
pub use service::Service;
pub use session::{Receiver, Sender, Session, broadcast};

/// Makes a service of a function that has the conversation with each client, with the default [`Config`]; see
/// [`Config::service`].
pub fn service<F>(handler: F) -> Service
where
    F: Fn(Session) -> Result<(), Error> + Send + Sync + 'static,
{
    Config::default().service(handler)
}

/// Makes a service of objects that are told what happens, with the default [`Config`]; see
/// [`Config::application`].
pub fn application<A: Application>(open: impl Fn(Sender) -> A + Send + Sync + 'static) -> Service {
    Config::default().application(open)
}
