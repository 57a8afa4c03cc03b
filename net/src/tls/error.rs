//! What can go wrong with TLS, beside the network.

use std::fmt;
use std::io;

/// Why a TLS connection cannot be made, or cannot go on. A clean end is not an error: a read gives 0.
///
/// It turns into an [`io::Error`] by `?`. There, and in the errors of reads and writes, it is found by
/// `error.get_ref()` and `downcast_ref`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The stream below failed, or the peer left during the handshake.
    Io(io::Error),
    /// The handshake took longer than the acceptor or connector allows.
    HandshakeTimedOut,
    /// The peer broke the protocol, refused ours by an alert, or its certificate is not trusted. The
    /// connection is of no more use.
    Tls(rustls::Error),
    /// The connection ended without `close_notify`: what was received may not be all.
    Truncated,
    /// Certificates, a key or a configuration that cannot be used.
    Config(rustls::Error),
    /// A PEM text without what is needed, or with something broken.
    Pem(rustls::pki_types::pem::Error),
    /// Neither a DNS name nor an IP address.
    ServerName(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(error) => error.fmt(f),
            Error::HandshakeTimedOut => f.write_str("the TLS handshake took too long"),
            Error::Tls(error) => write!(f, "TLS failed: {error}"),
            Error::Truncated => f.write_str(
                "the connection ended without close_notify: what was received may not be all",
            ),
            Error::Config(error) => write!(f, "the TLS configuration cannot be used: {error}"),
            Error::Pem(error) => write!(f, "the PEM text cannot be used: {error}"),
            Error::ServerName(name) => {
                write!(f, "{name:?} is neither a DNS name nor an IP address")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io(error) => Some(error),
            Error::Tls(error) | Error::Config(error) => Some(error),
            Error::Pem(error) => Some(error),
            Error::HandshakeTimedOut | Error::Truncated | Error::ServerName(_) => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Io(error)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match error {
            Error::Io(error) => return error,
            Error::HandshakeTimedOut => io::ErrorKind::TimedOut,
            Error::Tls(_) => io::ErrorKind::InvalidData,
            Error::Truncated => io::ErrorKind::UnexpectedEof,
            Error::Config(_) | Error::Pem(_) | Error::ServerName(_) => io::ErrorKind::InvalidInput,
        };
        io::Error::new(kind, error)
    }
}
