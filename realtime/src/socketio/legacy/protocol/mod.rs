//! Socket.IO 0.9 without I/O and clock: packets, what several of them look like in one body, and paths.

pub(crate) mod machine;
pub(crate) mod packet;
pub(crate) mod payload;
pub(crate) mod route;
