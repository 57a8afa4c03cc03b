//! Where a server is, and how connections to it are made.

use super::Connection;
use ::redis::{
    ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError, RedisResult, cmd,
};
#[cfg(feature = "tls")]
use greenwire_net::tls::Connector;
use greenwire_net::unix::UnixStream;
use greenwire_net::{Stream, TcpStream};
use greenwire_runtime::time;
use std::io;
use std::time::Duration;

/// Knows a server, and connects to it.
///
/// ```
/// use greenwire_realtime::redis::Client;
/// use std::time::Duration;
///
/// let client = Client::open("redis://user:password@127.0.0.1:6379/2")?
///     .connect_timeout(Duration::from_secs(1));
/// # let _ = client;
/// # Ok::<(), greenwire_realtime::redis::RedisError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Client {
    info: ConnectionInfo,
    connect_timeout: Duration,
    response_timeout: Option<Duration>,
    #[cfg(feature = "tls")]
    tls: Option<Connector>,
}

impl Client {
    /// A client of a server at a URL (`redis://[user][:password@]host[:port][/db]`, `unix:///path`), or a
    /// pair of host and port. Does not connect.
    ///
    /// With `?protocol=resp3` it speaks version 3 of the protocol, which Redis has since 6.0. For TLS, see
    /// [`tls`](Client::tls).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidClientConfig`] if this is not understood.
    pub fn open(server: impl IntoConnectionInfo) -> RedisResult<Client> {
        Ok(Client {
            info: server.into_connection_info()?,
            connect_timeout: Duration::from_secs(5),
            response_timeout: Some(Duration::from_secs(30)),
            #[cfg(feature = "tls")]
            tls: None,
        })
    }

    /// How long it may take until a connection stands: looking up the name, connecting, shaking hands, logging
    /// in. Default 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Client {
        self.connect_timeout = timeout;
        self
    }

    /// How long a server may keep silent while it owes an answer, or take nothing of a command. `None` is no
    /// limit. Default 30 s.
    ///
    /// Commands that are meant to wait, such as `BLPOP` or `XREAD` with `BLOCK`, have no limit but their own.
    pub fn response_timeout(mut self, timeout: Option<Duration>) -> Client {
        self.response_timeout = timeout;
        self
    }

    /// Speaks TLS with the server; the URL begins with `redis://` all the same. Only with the feature `tls`.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, connector: Connector) -> Client {
        self.tls = Some(connector);
        self
    }

    /// Connects, and logs in.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if there is no connection, `TimedOut` if not in time;
    /// [`ErrorKind::AuthenticationFailed`], or what else the server answers.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn connect(&self) -> RedisResult<Connection> {
        let connected = time::timeout(self.connect_timeout, || -> RedisResult<Connection> {
            let mut connection = Connection::new(self.dial()?, self.info.redis_settings().db());
            self.log_in(&mut connection)?;
            Ok(connection)
        });
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "connecting took too long");
        let mut connection = connected.map_err(late)??;
        connection.set_response_timeout(self.response_timeout)?;
        Ok(connection)
    }

    fn dial(&self) -> RedisResult<Stream> {
        match self.info.addr() {
            ConnectionAddr::Tcp(host, port) => self.dial_tcp(host, *port),
            ConnectionAddr::Unix(path) => Ok(UnixStream::connect(path)?.into()),
            _ => Err(RedisError::from((
                ErrorKind::InvalidClientConfig,
                "TLS is set by Client::tls, for a URL with redis://",
            ))),
        }
    }

    fn dial_tcp(&self, host: &str, port: u16) -> RedisResult<Stream> {
        let stream = TcpStream::connect((host, port))?;
        stream.set_nodelay(true)?;
        #[cfg(feature = "tls")]
        if let Some(connector) = &self.tls {
            let stream = connector.connect(host, stream).map_err(io::Error::from)?;
            return Ok(stream.into());
        }
        Ok(stream.into())
    }

    /// Tells the server what it has to know before anything else.
    fn log_in(&self, connection: &mut Connection) -> RedisResult<()> {
        let settings = self.info.redis_settings();
        let credentials = settings.password().map(|password| {
            let user = settings.username().unwrap_or("default");
            (user, password)
        });
        if settings.protocol().supports_resp3() {
            let mut hello = cmd("HELLO");
            hello.arg(3);
            if let Some((user, password)) = credentials {
                hello.arg("AUTH").arg(user).arg(password);
            }
            hello.exec(connection).map_err(refused)?;
        } else if let Some((_, password)) = credentials {
            let mut auth = cmd("AUTH");
            // Before Redis 6 there are no users.
            auth.arg(settings.username()).arg(password);
            auth.exec(connection).map_err(refused)?;
        }
        if settings.db() != 0 {
            cmd("SELECT").arg(settings.db()).exec(connection)?;
        }
        Ok(())
    }
}

/// Says of a wrong password that it is one.
fn refused(error: RedisError) -> RedisError {
    match error.code() {
        Some("WRONGPASS" | "NOAUTH") => {
            let detail = error.detail().unwrap_or_default().to_owned();
            let what = "the server refuses the user or the password";
            RedisError::from((ErrorKind::AuthenticationFailed, what, detail))
        }
        _ => error,
    }
}
