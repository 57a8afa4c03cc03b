//! The websockets of greenwire.
#![forbid(unsafe_code)]
mod message;
mod protocol;
pub use message::Message;
pub use protocol::close::{CloseReason, code};
pub use protocol::violation::Violation;
