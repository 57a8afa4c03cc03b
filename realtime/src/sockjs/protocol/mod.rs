//! SockJS 0.3.3 without I/O and without a clock: paths, frames, JSON, and the state of a session.

pub(crate) mod frame;
pub(crate) mod json;
pub(crate) mod mailbox;
pub(crate) mod route;
pub(crate) mod wrapping;
