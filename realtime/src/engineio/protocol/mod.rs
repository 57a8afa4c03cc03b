//! Engine.IO 4 without I/O and clock: packets, payloads, what a request asks for, and the life of a session.

pub(crate) mod machine;
#[cfg(test)]
mod machine_tests;
pub(crate) mod packet;
pub(crate) mod request;
