//! `Connector`: the client's side of a handshake.

use super::connection::Connection;
use super::{Error, HANDSHAKE_TIMEOUT, TlsStream, provider};
use crate::TcpStream;
use greenwire_runtime::unblock;
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::Arc;
use std::time::Duration;

/// Makes TLS connections to servers. Cheap to clone; the clones share the sessions that can be resumed.
#[derive(Clone, Debug)]
pub struct Connector {
    config: Arc<ClientConfig>,
    handshake_timeout: Duration,
}

impl Connector {
    /// A client that trusts whom the system trusts: on Linux and the BSDs the certificates that are
    /// installed, read now; on Apple's systems its own judgement, asked at each handshake.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the system has no certificates.
    ///
    /// # Cancellation
    ///
    /// May park here, to read files.
    pub fn new() -> Result<Connector, Error> {
        unblock(|| {
            let verified = builder()?.with_platform_verifier();
            Ok(Connector::without_certificate(
                verified.map_err(Error::Config)?,
            ))
        })
    }

    /// A client that trusts the certificates in a PEM text, and nobody else: those of a private authority, or
    /// a server's own.
    ///
    /// # Errors
    ///
    /// [`Error::Pem`] if the text is broken, [`Error::Config`] if a certificate in it is.
    pub fn with_roots(roots: &[u8]) -> Result<Connector, Error> {
        let mut store = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(roots) {
            store
                .add(root.map_err(Error::Pem)?)
                .map_err(Error::Config)?;
        }
        let verified = builder()?.with_root_certificates(store);
        Ok(Connector::without_certificate(verified))
    }

    /// A client with everything as rustls is told.
    pub fn from_config(config: Arc<ClientConfig>) -> Connector {
        Connector {
            config,
            handshake_timeout: HANDSHAKE_TIMEOUT,
        }
    }

    /// The application protocols to ask for, the preferred one first. Default: none.
    #[must_use]
    pub fn alpn(mut self, protocols: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Connector {
        let protocols = protocols.into_iter().map(Into::into).collect();
        Arc::make_mut(&mut self.config).alpn_protocols = protocols;
        self
    }

    /// How long a handshake may take. Default: 10 seconds. `Duration::MAX` is no limit.
    #[must_use]
    pub fn handshake_timeout(mut self, limit: Duration) -> Connector {
        self.handshake_timeout = limit;
        self
    }

    /// Shakes hands with the server on `stream`, whose certificate has to be for `server_name`: a DNS name or
    /// an IP address. It waits even if the stream is in non-blocking mode, and the stream's own timeouts
    /// begin to count after it.
    ///
    /// # Errors
    ///
    /// [`Error::ServerName`], [`Error::HandshakeTimedOut`], [`Error::Tls`] if the certificate is not trusted or
    /// the server does not agree with us, and [`Error::Io`]. The stream is closed then.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn connect(&self, server_name: &str, stream: TcpStream) -> Result<TlsStream, Error> {
        let name = ServerName::try_from(server_name)
            .map_err(|_| Error::ServerName(server_name.to_owned()))?
            .to_owned();
        let client = ClientConnection::new(self.config.clone(), name).map_err(Error::Config)?;
        Connection::establish(client.into(), stream, self.handshake_timeout).map(TlsStream::new)
    }

    fn without_certificate(verified: ConfigBuilder<ClientConfig, WantsClientCert>) -> Connector {
        Connector::from_config(Arc::new(verified.with_no_client_auth()))
    }
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Error> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(Error::Config)
}
