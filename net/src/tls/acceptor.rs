//! `Acceptor`: the server's side of a handshake.

use super::connection::Connection;
use super::{Error, HANDSHAKE_TIMEOUT, TlsStream, provider};
use crate::TcpStream;
use rustls::crypto::ring::Ticketer;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use std::sync::Arc;
use std::time::Duration;

/// Makes TLS connections of accepted streams. Cheap to clone, for a handshake in each connection's own
/// green thread.
#[derive(Clone, Debug)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
    handshake_timeout: Duration,
}

impl Acceptor {
    /// A server that shows one certificate, whatever name it is asked for. The PEM texts are the certificate
    /// followed by those that vouch for it, and its private key (PKCS #8, PKCS #1 or SEC 1).
    ///
    /// # Errors
    ///
    /// [`Error::Pem`] if a text is broken, [`Error::Config`] if the key is of no known kind or not the
    /// certificate's.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Acceptor, Error> {
        let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
        let key = PrivateKeyDer::from_pem_slice(key).map_err(Error::Pem)?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(Error::Config)?
            .with_no_client_auth()
            .with_single_cert(chain.map_err(Error::Pem)?, key);
        let mut config = config.map_err(Error::Config)?;
        // Sessions that the clients keep, instead of a table that many connections would fight over.
        config.ticketer = Ticketer::new().map_err(Error::Config)?;
        Ok(Acceptor::from_config(Arc::new(config)))
    }

    /// A server with everything as rustls is told: certificates by name, clients' certificates, and so on.
    pub fn from_config(config: Arc<ServerConfig>) -> Acceptor {
        Acceptor {
            config,
            handshake_timeout: HANDSHAKE_TIMEOUT,
        }
    }

    /// The application protocols to offer, the preferred one first. Default: none. A client that knows none
    /// of them is refused; one that does not ask is not.
    #[must_use]
    pub fn alpn(mut self, protocols: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Acceptor {
        let protocols = protocols.into_iter().map(Into::into).collect();
        Arc::make_mut(&mut self.config).alpn_protocols = protocols;
        self
    }

    /// How long a handshake may take. Default: 10 seconds, so that clients who say nothing do not use up
    /// the descriptors. `Duration::MAX` is no limit.
    #[must_use]
    pub fn handshake_timeout(mut self, limit: Duration) -> Acceptor {
        self.handshake_timeout = limit;
        self
    }

    /// Shakes hands with a client. It waits even if the stream is in non-blocking mode, and the stream's own
    /// timeouts begin to count after it.
    ///
    /// # Errors
    ///
    /// [`Error::HandshakeTimedOut`], [`Error::Tls`] if the client's offer is broken or suits no one here, and
    /// [`Error::Io`]. The stream is closed then.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn accept(&self, stream: TcpStream) -> Result<TlsStream, Error> {
        let server = ServerConnection::new(self.config.clone()).map_err(Error::Config)?;
        Connection::establish(server.into(), stream, self.handshake_timeout).map(TlsStream::new)
    }
}
