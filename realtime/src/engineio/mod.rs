//! Engine.IO 4: messages over requests at first, over a websocket once one has been found to work.
//!
//! It is what [`socketio`](crate::socketio) goes over, and can be used by itself, with
//! [engine.io-client](https://www.npmjs.com/package/engine.io-client):
//!
//! ```no_run
//! use greenwire_http::{Router, Server};
//! use greenwire_realtime::engineio;
//!
//! fn main() -> std::io::Result<()> {
//!     let echo = engineio::service(|mut session| {
//!         while let Some(message) = session.receive() {
//!             session.send(message)?;
//!         }
//!         Ok(())
//!     });
//!     Server::bind("127.0.0.1:3000")?.serve_handler(Router::new().mount("/engine.io", echo))
//! }
//! ```
//!
//! # What a session is
//!
//! ```text
//!   GET  handshake ──▶ id, a secret
//!   GET  receives  ◀── what waits ◀── whoever sends        a websocket, later or from the beginning:
//!   POST sends     ──▶ one listener                        both directions
//! ```
//!
//! The client is sent a ping [`Config::ping_interval`] after its last answer, and given up
//! [`Config::ping_timeout`] later. One green thread for each service looks at the time, exactly; a session that
//! waits over requests has no thread but that of its request, one over a websocket that of its connection. While a
//! client changes over to a websocket nothing is lost, and nothing arrives twice.
//!
//! # Limits
//!
//! | what | default | beyond it | set by |
//! |---|---|---|---|
//! | sessions | 100,000 | 503 | [`Config::max_sessions`] |
//! | body of a request, message of a websocket | 1,000,000 bytes | 413, or closed with 1009 | [`Config::max_payload`] |
//! | waiting for a client | 1 MiB | who sends waits | [`Config::max_queued`] |
//! | waiting for the handler | 1 MiB | the client is not read | [`Config::max_queued`] |
//! | silence | 25 s and 20 s | the session ends | [`Config::ping_interval`], [`Config::ping_timeout`] |
//! | an upgrade | 10 s | the client polls on | [`Config::upgrade_timeout`] |
//!
//! # Differences from the reference in Node
//!
//! * Pages of other origins may use neither requests nor websockets, unless they are
//!   [let in](Config::allow_origins).
//! * `PUT` and the like on a session is answered with 400, not 500; a websocket is refused before it opens.
//! * There is neither JSONP nor protocol version 3, which clients before 2020 speak, nor WebTransport.

mod config;
pub(crate) mod connection;
mod error;
pub(crate) mod keeper;
mod message;
mod polling;
pub(crate) mod protocol;
pub(crate) mod registry;
pub(crate) mod service;
mod session;
mod websocket;

pub use config::Config;
pub use error::{CloseReason, Closed};
pub use message::{Message, Prepared};
pub(crate) use registry::secret;
pub use service::Service;
pub use session::{Sender, Session};

/// What a session goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Requests that wait.
    Polling,
    /// A websocket.
    Websocket,
}

impl Transport {
    /// As clients call it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Transport::Polling => "polling",
            Transport::Websocket => "websocket",
        }
    }
}

/// Makes a service of a function that has the conversation with each client, with the default [`Config`]; see
/// [`Config::service`].
pub fn service<F>(handler: F) -> Service
where
    F: Fn(Session) -> Result<(), Closed> + Send + Sync + 'static,
{
    Config::default().service(handler)
}
