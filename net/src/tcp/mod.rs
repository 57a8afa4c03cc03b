//! TCP: what is about addresses and TCP's own options. How calls wait is in `socket`.

mod connect;
mod listener;
mod stream;

pub use listener::{Incoming, IntoIncoming, TcpListener};
pub use stream::TcpStream;
