//! The server: what `greenwire_net` accepts is answered with a handler.

use crate::config::Config;
use crate::connection;
use crate::handler::Handler;
use crate::transport::Transport;
use crate::{IntoResponse, Request};
use greenwire_net::server::Handle;
#[cfg(feature = "tls")]
use greenwire_net::tls::Acceptor;
use greenwire_net::unix::UnixListener;
use greenwire_net::{self as net, SocketAddr, Stream, TcpListener, ToSocketAddrs};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// An HTTP/1.1 server.
///
/// ```no_run
/// use greenwire_http::{Config, Request, Server};
///
/// fn main() -> std::io::Result<()> {
///     let server = Server::bind("127.0.0.1:0")?.config(Config::default().max_body(1 << 10));
///     println!("listening on {}", server.local_addr()?);
///     server.serve(|request| format!("you asked for {}", request.uri()))
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Server<L = TcpListener> {
    server: net::Server<L>,
    config: Config,
    #[cfg(feature = "tls")]
    tls: Option<Acceptor>,
}

impl Server {
    /// Listens on `addr`; connections queue until [`serve`](Server::serve) accepts them.
    ///
    /// # Errors
    /// Those of [`TcpListener::bind`].
    pub fn bind(addr: impl ToSocketAddrs) -> io::Result<Server> {
        net::Server::bind(addr).map(Server::from)
    }

    /// The address listened on: the way to learn the port if it was 0.
    ///
    /// # Errors
    /// Those of [`TcpListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.server.local_addr()
    }

    /// Speaks TLS on every connection (feature `tls`). Each handshake is done on the connection's own
    /// green thread, within [`Acceptor::handshake_timeout`]. To clients who ask by ALPN, `http/1.1` is
    /// offered, whatever the acceptor was told.
    ///
    /// ```no_run
    /// use greenwire_http::Server;
    /// use greenwire_net::tls::Acceptor;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let acceptor = Acceptor::from_pem(&std::fs::read("chain.pem")?, &std::fs::read("key.pem")?)?;
    /// Server::bind("0.0.0.0:443")?.tls(acceptor).serve(|_| "in secret")
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls(mut self, acceptor: Acceptor) -> Server {
        self.tls = Some(acceptor.alpn(["http/1.1"]));
        self
    }
}

impl Server<UnixListener> {
    /// Listens on a path, at which there must be nothing yet: for a proxy on the same machine. Its
    /// file stays when the server is gone.
    ///
    /// # Errors
    /// Those of [`UnixListener::bind`].
    pub fn bind_unix(path: impl AsRef<Path>) -> io::Result<Server<UnixListener>> {
        net::Server::bind_unix(path).map(Server::from)
    }
}

impl<L: Transport> Server<L> {
    /// A server on a listener that is there already.
    pub fn from_listener(listener: L) -> Server<L> {
        Server::from(net::Server::from_listener(listener))
    }

    /// Replaces the limits.
    pub fn config(mut self, config: Config) -> Server<L> {
        self.config = config;
        self
    }

    /// What stops the server. Connections without a request under way are closed at once; the others
    /// after their present response, or when the grace is over, which is what ends upgraded ones.
    ///
    /// ```
    /// # use greenwire_http::Server;
    /// use greenwire_runtime::thread;
    /// use std::time::Duration;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let server = Server::bind("127.0.0.1:0")?;
    /// let handle = server.handle();
    /// let serving = thread::spawn(|| server.serve(|_| "hello"));
    /// assert_eq!(handle.shutdown(Duration::from_secs(5)), 0);
    /// serving.join().unwrap()
    /// # }
    /// ```
    pub fn handle(&self) -> Handle {
        self.server.handle()
    }

    /// Answers every request with `handler`, one green thread for each connection, until it is
    /// [shut down](Server::handle). How it accepts is said in [`greenwire_net::server`].
    ///
    /// # Errors
    /// Those of [`greenwire_net::Server::serve`].
    ///
    /// # Cancellation
    /// As [`greenwire_net::Server::serve`].
    pub fn serve<F, R>(self, handler: F) -> io::Result<()>
    where
        F: Fn(Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.serve_handler(handler)
    }

    /// As [`serve`](Server::serve), for a [`Handler`] that is not a function.
    ///
    /// # Errors
    /// As [`serve`](Server::serve).
    pub fn serve_handler(self, handler: impl Handler) -> io::Result<()> {
        let handler: Arc<dyn Handler> = Arc::new(handler);
        let config = self.config;
        let server = self.server.max_connections(config.max_connections);
        #[cfg(feature = "tls")]
        let tls = self.tls;
        server.serve_with_slot(move |stream, addr, slot| {
            let (stream, addr): (Stream, _) = (stream.into(), L::peer_addr(&addr));
            #[cfg(feature = "tls")]
            let stream = match &tls {
                None => stream,
                Some(acceptor) => match crate::transport::encrypt(stream, addr, acceptor, slot) {
                    Some(stream) => stream,
                    None => return,
                },
            };
            connection::serve(stream, addr, &*handler, &config, slot);
        })
    }
}

impl<L: Transport> From<net::Server<L>> for Server<L> {
    /// For what only the server below can be asked for: several listeners of one address.
    fn from(server: net::Server<L>) -> Server<L> {
        Server {
            server,
            config: Config::default(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}
