//! The event style: an object for each connection whose methods are called, as gevent-websocket's
//! `WebSocketApplication`, and the `Resource` that finds it by the path of a request.

use crate::{CloseReason, Config, Error, Message, Sender, WebSocket};
use greenwire_http::{Handler, IntoResponse, Request, Response};
use http::StatusCode;
use std::fmt;
use std::sync::Arc;

/// An object that serves one connection by being told what happens on it.
///
/// Its methods are called one after the other, in the order of what they tell: first `on_open`, then
/// `on_message` for each message, `on_close` at the end whatever the reason; they never overlap. They
/// may wait; the next one is called when they return. Between them the connection needs nothing but
/// the object itself, so programs must not rely on being called on the same stack, green thread or OS
/// thread each time.
///
/// To send, keep the [`Sender`] that the object is made with. It may be given away, so that others send
/// as well.
///
/// ```
/// use greenwire_http::{Request, Response};
/// use greenwire_websocket::{Application, Error, Message, Sender, application};
///
/// struct Echo(Sender);
///
/// impl Application for Echo {
///     fn on_message(&mut self, message: Message) -> Result<(), Error> {
///         self.0.send(message)
///     }
/// }
///
/// fn echo(request: Request) -> Response {
///     application(request, Echo)
/// }
/// # let _ = echo;
/// ```
pub trait Application: Send + 'static {
    /// The connection is open.
    ///
    /// # Errors
    /// One ends the connection with 1011; `on_close` follows.
    fn on_open(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// A message has come.
    ///
    /// # Errors
    /// One ends the connection with 1011; `on_close` follows.
    fn on_message(&mut self, message: Message) -> Result<(), Error>;

    /// The connection has ended: what the peer's close frame said, or `None` if it sent none. Not called
    /// after a panic of another method or a cancellation, which only drop the object.
    fn on_close(&mut self, reason: Option<&CloseReason>) {
        let _ = reason;
    }
}

/// Answers an upgrade request with the default [`Config`], and serves the connection with the object
/// that `open` makes.
pub fn application<A: Application>(
    request: Request,
    open: impl FnOnce(Sender) -> A + Send + 'static,
) -> Response {
    Config::default().application(request, open)
}

impl Config {
    /// As [`application`], with these settings.
    pub fn application<A: Application>(
        &self,
        request: Request,
        open: impl FnOnce(Sender) -> A + Send + 'static,
    ) -> Response {
        self.upgrade(request, |ws| {
            let application = open(ws.sender());
            run(ws, application)
        })
    }
}

fn run(mut ws: WebSocket, mut application: impl Application) -> Result<(), Error> {
    let end = tell_all(&mut ws, &mut application);
    application.on_close(ws.close_reason());
    end
}

fn tell_all(ws: &mut WebSocket, application: &mut impl Application) -> Result<(), Error> {
    application.on_open()?;
    while let Some(message) = ws.receive()? {
        application.on_message(message)?;
    }
    Ok(())
}

/// Applications by path, as gevent-websocket's `Resource`: a [`Handler`] for
/// [`Server::serve_handler`](greenwire_http::Server::serve_handler).
///
/// ```no_run
/// use greenwire_http::{Request, Server};
/// use greenwire_websocket::{Application, Error, Message, Resource, Sender};
///
/// struct Chat(Sender);
///
/// impl Application for Chat {
///     fn on_message(&mut self, message: Message) -> Result<(), Error> {
///         self.0.send(message)
///     }
/// }
///
/// fn main() -> std::io::Result<()> {
///     let resource = Resource::new()
///         .route("/chat", Chat)
///         .otherwise(|request: Request| format!("nothing at {}", request.uri()));
///     Server::bind("127.0.0.1:8000")?.serve_handler(resource)
/// }
/// ```
#[derive(Clone)]
#[must_use = "it is a handler for a server"]
pub struct Resource {
    config: Config,
    routes: Vec<(String, Arc<Route>)>,
    otherwise: Arc<dyn Handler>,
}

type Route = dyn Fn(&Config, Request) -> Response + Send + Sync;

impl Resource {
    /// Without routes: every request is answered with 404.
    pub fn new() -> Resource {
        Resource {
            config: Config::default(),
            routes: Vec::new(),
            otherwise: Arc::new(|_: Request| StatusCode::NOT_FOUND),
        }
    }

    /// Sets the settings of the connections.
    pub fn config(mut self, config: Config) -> Resource {
        self.config = config;
        self
    }

    /// Serves the connections to `path`, exactly this one, with the objects that `open` makes.
    pub fn route<A: Application>(
        mut self,
        path: &str,
        open: impl Fn(Sender) -> A + Clone + Send + Sync + 'static,
    ) -> Resource {
        let serve = move |config: &Config, request| config.application(request, open.clone());
        self.routes.push((path.to_owned(), Arc::new(serve)));
        self
    }

    /// Answers requests to all other paths with `handler`.
    pub fn otherwise<F, R>(mut self, handler: F) -> Resource
    where
        F: Fn(Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.otherwise = Arc::new(handler);
        self
    }
}

impl Default for Resource {
    fn default() -> Resource {
        Resource::new()
    }
}

impl Handler for Resource {
    fn call(&self, request: Request) -> Response {
        let path = request.uri().path();
        match self.routes.iter().find(|(of, _)| of == path) {
            Some((_, serve)) => serve(&self.config, request),
            None => self.otherwise.call(request),
        }
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = self.routes.iter().map(|(path, _)| path);
        f.debug_list().entries(paths).finish()
    }
}
