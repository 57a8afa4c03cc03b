//! Namespaces as objects, gevent-socketio's way: one object for each client, whose methods are its events.
//!
//! ```
//! use greenwire_realtime::socketio::classes::{Base, Broadcasts, Methods, Namespace};
//! use greenwire_realtime::socketio::{Error, Server};
//!
//! struct Chat {
//!     base: Base,
//!     nickname: Option<String>,
//! }
//!
//! impl Namespace for Chat {
//!     fn base(&self) -> &Base {
//!         &self.base
//!     }
//!
//!     fn methods(methods: &mut Methods<Chat>) {
//!         methods.on("nickname", Chat::on_nickname).on("user message", Chat::on_user_message);
//!     }
//!
//!     fn initial_acl(&self) -> Option<Vec<String>> {
//!         Some(vec!["on_nickname".into()]) // and nothing else, until there is a nickname
//!     }
//! }
//!
//! impl Chat {
//!     fn on_nickname(&mut self, name: String) -> bool {
//!         self.nickname = Some(name);
//!         self.lift_acl_restrictions();
//!         true // the answer
//!     }
//!
//!     fn on_user_message(&mut self, text: String) -> Result<(), Error> {
//!         self.broadcast_event("user message", (&self.nickname, text))
//!     }
//! }
//!
//! let io = Server::new();
//! io.of("/chat").serve(|base| Chat { base, nickname: None });
//! ```
//!
//! # Where gevent-socketio has what
//!
//! | there | here |
//! |---|---|
//! | `socketio_manage(environ, {"/chat": Chat})` | [`serve`](super::Namespace::serve) |
//! | `on_EVENT(self, *args)` | a method, under its name in [`Namespace::methods`] |
//! | `initialize`, `recv_connect`, `recv_disconnect`, `recv_message` | the same |
//! | `get_initial_acl`, `add_acl_method`, `del_acl_method`, `lift_acl_restrictions`, `reset_acl` | [`initial_acl`](Namespace::initial_acl) and the same |
//! | `emit`, `error`, `spawn`, `session`, `disconnect` | the same |
//! | `callback=` of `emit` | [`Socket::emit_then`](super::Socket::emit_then), or wait: [`Socket::emit_with_ack`](super::Socket::emit_with_ack) |
//! | what a method returns | the answer, for every client that waits for one |
//! | `RoomsMixin`, `BroadcastMixin` | [`Rooms`], [`Broadcasts`] |
//! | an exception in a method | the [error hook](super::Server::on_error); the next event is handled |

mod acl;
mod methods;
mod mixins;

pub use acl::Acl;
pub use methods::Methods;
pub use mixins::{Broadcasts, Rooms};

use super::{Args, Data, Error, Event, IntoArgs, Socket};
use greenwire_runtime::sync::{Mutex, MutexGuard};
use std::sync::{Arc, PoisonError};

/// What each object has to begin with: its client, and what that may do.
#[derive(Debug)]
pub struct Base {
    socket: Socket,
    acl: Acl,
}

impl Base {
    /// The client.
    #[must_use]
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// What it may do.
    #[must_use]
    pub fn acl(&self) -> &Acl {
        &self.acl
    }
}

/// An object that serves one client in one namespace.
///
/// Its methods are called one after the other, on the client's own green thread, and may wait.
pub trait Namespace: Send + Sized + 'static {
    /// What it was made with.
    fn base(&self) -> &Base;

    /// Names its methods.
    fn methods(methods: &mut Methods<Self>);

    /// It has been made.
    fn initialize(&mut self) {}

    /// The client has been let in.
    fn recv_connect(&mut self) {}

    /// The client is gone.
    fn recv_disconnect(&mut self) {}

    /// The client has sent a message that is no event: `socket.send(…)` in JavaScript. Also what has no method for the
    /// event `message` comes here.
    ///
    /// # Errors
    /// They go to the error hook.
    fn recv_message(&mut self, message: Args) -> Result<(), Error> {
        let _ = message;
        Ok(())
    }

    /// The methods that the client may call at first, as `"on_nickname"`, `"recv_message"`; `None` is all, which is
    /// the default. Underscores stand for spaces.
    fn initial_acl(&self) -> Option<Vec<String>> {
        None
    }

    /// The client has asked for something that it may not have. By default it is told, by the event `error`. `name`
    /// is one of `no_such_method`, `method_access_denied`, `invalid_method_args` and `unallowed_event_name`.
    fn on_refused(&mut self, name: &str, message: &str) {
        log::debug!("socket.io: {name}: {message}");
        // If it is gone, it need not know.
        let _ = self.error(name, message);
    }

    /// The client.
    fn socket(&self) -> &Socket {
        &self.base().socket
    }

    /// What is kept about the client in all its namespaces.
    fn session(&self) -> &Data {
        self.socket().session()
    }

    /// Emits an event to the client.
    ///
    /// # Errors
    /// As [`Socket::emit`].
    fn emit(&self, event: &str, args: impl IntoArgs) -> Result<(), Error> {
        self.socket().emit(event, args)
    }

    /// Tells the client of an error: the event `error`, with a name for programs and a message for people.
    ///
    /// # Errors
    /// As [`Socket::emit`].
    fn error(&self, name: &str, message: &str) -> Result<(), Error> {
        self.emit("error", (name, message))
    }

    /// Runs `f` on a green thread that is cancelled when the client goes.
    fn spawn(&self, f: impl FnOnce() + Send + 'static) {
        self.socket().spawn(f);
    }

    /// Has the client leave the namespace.
    fn disconnect(&self) {
        self.socket().disconnect();
    }

    /// Lets the client call a method, as `"on_nickname"`. Where it could call all it can call only this one from now
    /// on, as in gevent-socketio.
    fn add_acl_method(&self, method: &str) {
        self.base().acl.add(method);
    }

    /// Lets the client call a method no longer. Where it can call all nothing changes.
    fn del_acl_method(&self, method: &str) {
        self.base().acl.remove(method);
    }

    /// Lets the client call all methods.
    fn lift_acl_restrictions(&self) {
        self.base().acl.set(None);
    }

    /// Lets the client call what it could at first.
    fn reset_acl(&self) {
        self.base().acl.set(self.initial_acl());
    }

    /// Whether the client may call a method.
    fn is_method_allowed(&self, method: &str) -> bool {
        self.base().acl.allows(method)
    }
}

impl super::Namespace {
    /// Serves each client with an object of its own, which `make` makes. It sees all events, beside other handlers.
    pub fn serve<N: Namespace>(&self, make: impl Fn(Base) -> N + Send + Sync + 'static) {
        let methods = Arc::new(Methods::of());
        self.on_connect(move |socket| {
            let base = Base {
                socket: socket.clone(),
                acl: Acl::default(),
            };
            begin(socket, make(base), methods.clone());
        });
    }
}

fn begin<N: Namespace>(socket: &Socket, mut object: N, methods: Arc<Methods<N>>) {
    object.reset_acl();
    object.initialize();
    if object.is_method_allowed("recv_connect") {
        object.recv_connect();
    }
    let object = Arc::new(Mutex::new(object));
    let last = object.clone();
    socket.on_each(move |event| lock(&object).take(event, &methods));
    socket.on_disconnect(move |_, _| lock(&last).recv_disconnect());
}

/// Only the client's own thread wants it, and a method that panicked has told the error hook.
fn lock<N>(object: &Mutex<N>) -> MutexGuard<'_, N> {
    object.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What happens to an event.
trait Takes: Namespace {
    fn take(&mut self, event: &Event, methods: &Methods<Self>) -> Result<(), Error> {
        let Some(method) = methods::name_of(event.name()) else {
            let message = "name must only contains alpha numerical characters";
            self.on_refused("unallowed_event_name", message);
            return Ok(());
        };
        let handler = methods.get(event.name());
        let is_message = handler.is_none() && event.name() == "message";
        let asked = if is_message { "recv_message" } else { &method };
        if !self.is_method_allowed(asked) {
            let message = format!("You do not have access to method \"{asked}\"");
            self.on_refused("method_access_denied", &message);
            return Ok(());
        }
        match handler {
            Some(handler) => self.call(handler, &method, event),
            None if is_message => self.recv_message(event.args().clone()),
            None => {
                let message = format!("The method \"{method}\" was not found");
                self.on_refused("no_such_method", &message);
                Ok(())
            }
        }
    }

    fn call(
        &mut self,
        handler: &methods::Method<Self>,
        method: &str,
        event: &Event,
    ) -> Result<(), Error> {
        match handler(self, event)? {
            methods::Called::Answer(args) => {
                // Whoever else has answered, or a client that waits for nothing, needs none.
                event.take_ack().map_or(Ok(()), |ack| ack.send(args))
            }
            methods::Called::WrongArgs(error) => {
                let message = format!("The method \"{method}\" takes other arguments: {error}");
                self.on_refused("invalid_method_args", &message);
                Ok(())
            }
        }
    }
}

impl<N: Namespace> Takes for N {}
