//! What the programs in `src/bin` share: the command line, the listening socket, what they answer, and
//! how those on tokio start.

mod answers;
mod arguments;
mod feeds;
mod listener;
mod tokio_server;

pub use crate::Service;
pub use answers::{Greeting, HELLO, WAIT, compute};
pub use arguments::{Arguments, run};
pub use feeds::{Feeds, QUEUE};
pub use listener::{announce, announce_at, listen};
pub use tokio_server::{block_on, serve_connections};

/// How much the TCP echo servers read at once, in bytes.
pub const BUFFER: usize = 8 << 10;
