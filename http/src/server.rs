//! The server: what `greenwire_net` accepts is answered with a handler.

use crate::config::Config;
use crate::connection;
use crate::handler::Handler;
use crate::{IntoResponse, Request};
use greenwire_net::server::Handle;
use greenwire_net::{self as net, SocketAddr, TcpListener, ToSocketAddrs};
use std::io;
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
pub struct Server {
    server: net::Server,
    config: Config,
}

impl Server {
    /// Listens on `addr`; connections queue until [`serve`](Server::serve) accepts them.
    ///
    /// # Errors
    /// Those of [`TcpListener::bind`].
    pub fn bind(addr: impl ToSocketAddrs) -> io::Result<Server> {
        net::Server::bind(addr).map(Server::from)
    }

    /// A server on a listener that is there already.
    pub fn from_listener(listener: TcpListener) -> Server {
        Server::from(net::Server::from_listener(listener))
    }

    /// Replaces the limits.
    pub fn config(mut self, config: Config) -> Server {
        self.config = config;
        self
    }

    /// The address listened on: the way to learn the port if it was 0.
    ///
    /// # Errors
    /// Those of [`TcpListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.server.local_addr()
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
        server.serve_with_slot(move |stream, peer, slot| {
            connection::serve(stream.into(), Some(peer), &*handler, &config, slot);
        })
    }
}

impl From<net::Server> for Server {
    /// For what only the server below can be asked for: several listeners of one address.
    fn from(server: net::Server) -> Server {
        Server {
            server,
            config: Config::default(),
        }
    }
}
