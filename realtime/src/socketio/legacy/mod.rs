//! Socket.IO 0.9, for clients from before 2014: its wire, behind which they are clients of the same server as all
//! others, in the same namespaces and rooms.
//!
//! ```text
//!   GET /1/ ──▶ id   GET, POST /1/xhr-polling/ID, /1/jsonp-polling/ID   or a websocket at /1/websocket/ID
//! ```

mod config;
mod connection;
mod encoded;
pub(super) mod protocol;
mod registry;
mod service;
mod translate;
mod wire;

pub use config::Legacy;
pub(crate) use encoded::Encoded;
pub(crate) use service::Service;
pub(crate) use translate::encode;
