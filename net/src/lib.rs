//! Cooperative sockets. (Interface sketch on std; the parking ones follow.)

mod buffer;
mod tcp;

pub use buffer::Buffer;
pub use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, ToSocketAddrs};
pub use tcp::{Incoming, TcpListener, TcpStream};
