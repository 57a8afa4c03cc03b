//! Certificates made for one test, and rustls as the peer over std's sockets.

#![allow(dead_code, reason = "every story uses a part of it")]

use greenwire_net::tls::rustls::{self, pki_types};
use greenwire_net::tls::{Acceptor, Connector};
use pki_types::pem::PemObject;
use pki_types::{CertificateDer, PrivateKeyDer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};
use std::net;
use std::sync::{Arc, OnceLock};

/// An authority of its own for each process.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) chain: String,
    pub(crate) key: String,
}

pub(crate) type Client = StreamOwned<ClientConnection, net::TcpStream>;

/// The authority that all stories of a process trust.
pub(crate) fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let mut params = CertificateParams::new([]).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "the authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Authority(CertifiedIssuer::self_signed(params, key).unwrap())
    })
}

impl Authority {
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn issue(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity {
            chain: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    pub(crate) fn acceptor(&self, name: &str) -> Acceptor {
        let identity = self.issue(name);
        Acceptor::from_pem(identity.chain.as_bytes(), identity.key.as_bytes()).unwrap()
    }

    pub(crate) fn connector(&self) -> Connector {
        Connector::with_roots(self.pem().as_bytes()).unwrap()
    }
}

impl Identity {
    pub(crate) fn certificates(&self) -> Vec<CertificateDer<'static>> {
        let certificates = CertificateDer::pem_slice_iter(self.chain.as_bytes());
        certificates.map(Result::unwrap).collect()
    }

    pub(crate) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// rustls itself as the client of a story, of one version.
pub(crate) fn client_of(
    version: &'static rustls::SupportedProtocolVersion,
    stream: net::TcpStream,
) -> Client {
    let mut roots = RootCertStore::empty();
    roots.add(authority().0.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    StreamOwned::new(
        ClientConnection::new(Arc::new(config), name).unwrap(),
        stream,
    )
}

/// rustls itself as the client of a story.
pub(crate) fn client(stream: net::TcpStream) -> Client {
    client_of(&rustls::version::TLS13, stream)
}

/// What [`Acceptor::from_config`] takes, to be completed by a story.
pub(crate) fn server_config() -> rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert>
{
    ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
}
