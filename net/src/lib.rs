//! Cooperative sockets with the names, signatures and meanings of [`std::net`], and of
//! [`std::os::unix::net`] in [`unix`].
//!
//! A green thread that has to wait is parked while other green threads run; an ordinary OS thread
//! waits in the kernel, as with std. The same code serves both:
//!
//! ```
//! use greenwire_net::{TcpListener, TcpStream};
//! use greenwire_runtime::thread;
//! use std::io::{self, Read, Write};
//!
//! fn main() -> io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     let addr = listener.local_addr()?;
//!     let echo = thread::spawn(move || -> io::Result<()> {
//!         let (mut stream, _) = listener.accept()?;
//!         let mut buf = [0; 1024];
//!         while let count @ 1.. = stream.read(&mut buf)? {
//!             stream.write_all(&buf[..count])?;
//!         }
//!         Ok(())
//!     });
//!
//!     let mut stream = TcpStream::connect(addr)?;
//!     stream.write_all(b"hello")?;
//!     let mut reply = [0; 5];
//!     stream.read_exact(&mut reply)?;
//!     assert_eq!(&reply, b"hello");
//!     drop(stream);
//!     echo.join().unwrap()
//! }
//! ```
//!
//! # Full duplex
//!
//! Reading and writing need `&TcpStream` only, and [`TcpStream::try_clone`] gives another handle to
//! the same descriptor: one green thread reads while another writes, in two plain loops.
//! [`TcpStream::shutdown`] wakes whoever waits on the stream.
//!
//! # Deadlines
//!
//! `set_read_timeout` and `set_write_timeout` limit every wait; a passed one is
//! [`ErrorKind::WouldBlock`](std::io::ErrorKind::WouldBlock), as std's is on Unix.
//! [`TcpStream::connect_timeout`] gives `TimedOut`.
//!
//! # Idle connections
//!
//! [`TcpStream::park_until_readable`] waits without a buffer, and [`Buffer::borrow`] lends one once
//! there is something to read, so that a hundred thousand idle connections own no read buffers.
//!
//! # Names
//!
//! A name is looked up off the workers; a numeric address is taken as it is. See [`dns`], also for a
//! resolver of your own.
//!
//! # Other people's descriptors
//!
//! [`wait_readable`] and [`wait_writable`] are for libraries that bring their own sockets.
//!
//! # Features
//!
//! - `tls` (on by default): the module `tls`, with rustls and *ring*.
//!
//! # Differences from std
//!
//! - Clones share one descriptor, and conversions into std's types can fail; see
//!   [`TcpStream`]. For the same reason there is no `IntoRawFd`.
//! - There is no `FromRawFd`, since this crate has no unsafe code: `OwnedFd` has it, and converts.
//! - [`ToSocketAddrs`] is a trait of this crate, because a name must not be resolved on an OS thread
//!   that runs green threads.
//! - A listener queues as many connections as the kernel permits, and its descriptor is in
//!   non-blocking mode; see [`TcpListener`].

#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

// `socket`, `listener`, `calls`, `handle` and `timeout` are for every family; what knows addresses and a
// protocol's options has a module for each protocol, as `tcp`.
mod addr;
mod buffer;
mod calls;
pub mod dns;
mod foreign;
mod handle;
mod listener;
pub mod server;
mod socket;
mod stream;
mod tcp;
mod timeout;
#[cfg(feature = "tls")]
pub mod tls;
mod udp;
pub mod unix;

pub use addr::ToSocketAddrs;
pub use buffer::Buffer;
pub use foreign::{wait_readable, wait_writable};
pub use server::Server;
#[doc(no_inline)]
pub use std::net::{
    AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6,
};
pub use stream::Stream;
pub use tcp::{Incoming, IntoIncoming, TcpListener, TcpStream};
pub use udp::UdpSocket;
