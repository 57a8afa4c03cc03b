//! TLS over [`TcpStream`](crate::TcpStream), by [rustls] with the *ring* provider.
//!
//! A server accepts a connection as before, and shakes hands in the connection's own green thread, so that
//! a slow client delays nobody:
//!
//! ```no_run
//! use greenwire_net::{TcpListener, tls::Acceptor};
//! use greenwire_runtime::thread;
//! use std::io::{self, Read, Write};
//!
//! # fn main() -> io::Result<()> {
//! let acceptor = Acceptor::from_pem(&std::fs::read("chain.pem")?, &std::fs::read("key.pem")?)?;
//! for stream in TcpListener::bind("0.0.0.0:4443")?.incoming() {
//!     let (stream, acceptor) = (stream?, acceptor.clone());
//!     thread::spawn(move || -> io::Result<()> {
//!         let mut stream = acceptor.accept(stream)?;
//!         let mut buf = [0; 1024];
//!         while let count @ 1.. = stream.read(&mut buf)? {
//!             stream.write_all(&buf[..count])?;
//!         }
//!         Ok(())
//!     });
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A client trusts whom the system trusts:
//!
//! ```no_run
//! use greenwire_net::{TcpStream, tls::Connector};
//! use std::io::{self, Read, Write};
//!
//! # fn main() -> io::Result<()> {
//! let connector = Connector::new()?.alpn(["http/1.1"]);
//! let mut stream = connector.connect("example.org", TcpStream::connect("example.org:443")?)?;
//! stream.write_all(b"GET / HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n")?;
//! let mut page = String::new();
//! stream.read_to_string(&mut page)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Versions, names, sessions
//!
//! TLS 1.3 (RFC 8446) and 1.2 (RFC 5246). The client sends the server's name (SNI, RFC 6066 §3) and checks
//! the certificate against it. Both sides can name application protocols (ALPN, RFC 7301). Sessions are
//! resumed by tickets: clones of a [`Connector`] share the last 256, an [`Acceptor`] keeps nothing but
//! the key of its tickets, which changes every six hours. Early data is neither sent nor accepted. What
//! these types do not offer, such as certificates by name or of clients, [`Acceptor::from_config`] and
//! [`Connector::from_config`] take from a configuration of rustls.
//!
//! # Full duplex
//!
//! [`TlsStream::split`] gives a half to read and a half to write, for two green threads. A reader that waits
//! keeps nobody from writing, and the other way round. What a read has to send (a new key, an alert)
//! leaves without waiting, in order with what is written.
//!
//! # How a connection ends
//!
//! By an alert, `close_notify`, in each direction (RFC 8446 §6.1). It is sent by
//! [`TlsStream::shutdown`], and by dropping the writing half or the last handle, if there is no panic or
//! cancellation under way. A connection that ends without it may have been cut by an attacker: a read
//! then fails with `UnexpectedEof`, and [`Error::Truncated`] inside.
//!
//! # What it costs
//!
//! The computation of a handshake (less than a millisecond with ECDSA keys, a few with RSA) happens on the
//! worker, and needs a stack of 64 KiB, or 128 KiB without optimisation. A connection keeps a buffer of 4 KiB
//! beside its keys.

mod acceptor;
mod connection;
mod connector;
mod error;
mod stream;

pub use acceptor::Acceptor;
pub use connector::Connector;
pub use error::Error;
pub use rustls;
pub use stream::{ReadHalf, TlsStream, WriteHalf};

use rustls::crypto::{CryptoProvider, ring};
use std::sync::Arc;
use std::time::Duration;

/// How long a handshake may take unless it is set: enough for a slow network, and far less than a client
/// that says nothing would hold its descriptor.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Given to each configuration, so that none is installed for the process.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
