//! Socket.IO 5 without I/O: packets to and from Engine.IO messages.

pub(super) mod decode;
pub(super) mod encode;
