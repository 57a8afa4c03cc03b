//! The websockets of greenwire.
#![forbid(unsafe_code)]
#![allow(dead_code)]
mod client;
mod config;
mod connection;
mod error;
mod inbound;
mod message;
mod outbound;
mod protocol;
mod random;
mod server;
mod spare;
mod websocket;
pub use client::connect;
pub use config::Config;
pub use error::{Error, HandshakeError};
pub use message::Message;
pub use protocol::close::{CloseReason, code};
pub use protocol::violation::Violation;
pub use websocket::{Receiver, Sender, WebSocket};
