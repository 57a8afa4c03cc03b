//! `Server`: namespaces, and the handler that serves their clients.

use super::adapter::Adapter;
use super::client::Client;
use super::config::Config;
use super::figures::Traffic;
use super::handshake::Handshake;
use super::protocol::decode::Decoder;
use super::recovery::Journal;
use super::wire::Modern;
use super::{Broadcast, Error, Failure, IntoArgs, Namespace, Reason, Socket};
use crate::engineio::connection::{Connection, Listener};
use crate::engineio::keeper::Keeper;
use crate::engineio::protocol::packet::Malformed;
use crate::engineio::{self, CloseReason, Message};
use crate::pubsub::pattern::matches;
use greenwire_http::files::Files;
use greenwire_http::{Handler, Request, Response};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Is told what goes wrong in handlers.
type ErrorHook = Arc<dyn Fn(&Socket, &Failure) + Send + Sync>;
/// Whether a namespace of this name may be made for this client.
type Wanted = Arc<dyn Fn(&str, &Handshake, &Value) -> bool + Send + Sync>;

/// A Socket.IO server: a [`Handler`], to be mounted at `/socket.io`. Clones are the same server.
///
/// What it has of a [`Namespace`]'s methods is about the namespace `/`.
#[derive(Clone)]
#[must_use = "it is a handler for a server"]
pub struct Server {
    shared: Arc<Shared>,
    service: engineio::Service,
    files: Option<Files>,
    #[cfg(feature = "socketio-legacy")]
    legacy: Option<super::legacy::Service>,
}

/// What all clients of a server share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) traffic: Traffic,
    namespaces: Mutex<Namespaces>,
    on_error: Mutex<Option<ErrorHook>>,
}

#[derive(Default)]
struct Namespaces {
    by_name: HashMap<Arc<str>, Known>,
    patterns: Vec<(Wanted, Namespace)>,
}

struct Known {
    namespace: Namespace,
    /// Clients that are in it, or on their way.
    visitors: usize,
}

/// A client in a namespace, or on its way there. One that was made for clients goes with the last.
pub(crate) struct Visit {
    shared: Arc<Shared>,
    name: Arc<str>,
}

impl Server {
    /// A server with the default [`Config`].
    pub fn new() -> Server {
        Config::default().server()
    }

    pub(crate) fn with(config: Config) -> Server {
        let engine = config.engine.clone();
        let files = config.client_files.clone();
        let shared = Arc::new(Shared {
            config,
            keeper: Arc::default(),
            traffic: Traffic::default(),
            namespaces: Mutex::default(),
            on_error: Mutex::default(),
        });
        let server = shared.clone();
        let open = move |connection: &Arc<Connection>, request| {
            let listener: Arc<dyn Listener> = Arc::new(Hears::open(&server, connection, &request));
            listener
        };
        let service = engineio::Service::new(engine, Box::new(open));
        #[cfg(feature = "socketio-legacy")]
        let legacy = shared.config.legacy.clone();
        let server = Server {
            #[cfg(feature = "socketio-legacy")]
            legacy: legacy.map(|legacy| super::legacy::Service::new(legacy, &shared, &service)),
            shared,
            service,
            files,
        };
        server.of("/");
        server
    }

    /// The namespace of this name, made if it does not exist. Clients may join it from now on.
    pub fn of(&self, name: &str) -> Namespace {
        let name = match name.starts_with('/') {
            true => name.to_owned(),
            false => format!("/{name}"),
        };
        let mut namespaces = self.shared.lock();
        if let Some(known) = namespaces.by_name.get(name.as_str()) {
            return known.namespace.clone();
        }
        self.shared.make(&mut namespaces, &name, None)
    }

    /// All namespaces whose names are as a pattern says, by the rules of Redis: `*` is any text, `?` a character,
    /// `[ab]` one of them. Each is made when the first client wants to join it, and forgotten with the last; all have
    /// the handlers of this one, and what is emitted here goes to the clients of all. Others go before it: those
    /// that exist, and patterns that were there earlier.
    ///
    /// ```
    /// # use greenwire_realtime::socketio::Server;
    /// let io = Server::new();
    /// io.of_pattern("/game-*").on_connect(|socket| {
    ///     println!("{} plays {}", socket.id(), socket.namespace().name());
    /// });
    /// ```
    pub fn of_pattern(&self, pattern: &str) -> Namespace {
        let text = pattern.to_owned();
        self.add_pattern(pattern, move |name, _, _| {
            matches(text.as_bytes(), name.as_bytes())
        })
    }

    /// As [`of_pattern`](Server::of_pattern), of the names that `wanted` likes, which it is called with, and with what
    /// the client came with and showed. It is called at each client's own risk and may wait.
    pub fn of_matching(
        &self,
        wanted: impl Fn(&str, &Handshake, &Value) -> bool + Send + Sync + 'static,
    ) -> Namespace {
        self.add_pattern("function", wanted)
    }

    fn add_pattern(
        &self,
        name: &str,
        wanted: impl Fn(&str, &Handshake, &Value) -> bool + Send + Sync + 'static,
    ) -> Namespace {
        let template = Namespace::new(name, None, Arc::downgrade(&self.shared), None);
        let mut namespaces = self.shared.lock();
        let pattern: (Wanted, Namespace) = (Arc::new(wanted), template.clone());
        namespaces.patterns.push(pattern);
        template
    }

    /// Has `hook` called with what goes wrong in handlers: errors that they return, arguments that are not what they
    /// ask for, panics. Without it that is logged. Nothing else comes of it: the client's next event is handled.
    pub fn on_error(&self, hook: impl Fn(&Socket, &Failure) + Send + Sync + 'static) {
        let mut slot = self
            .shared
            .on_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *slot = Some(Arc::new(hook));
    }

    /// See [`Namespace::on_connect`].
    pub fn on_connect(&self, handler: impl Fn(&Socket) + Send + Sync + 'static) {
        self.of("/").on_connect(handler);
    }

    /// See [`Namespace::emit`].
    ///
    /// # Errors
    /// As there.
    pub fn emit(&self, name: &str, args: impl IntoArgs) -> Result<(), Error> {
        self.of("/").emit(name, args)
    }

    /// See [`Namespace::to`].
    pub fn to(&self, room: impl AsRef<str>) -> Broadcast {
        self.of("/").to(room)
    }

    /// How many clients are connected, whether or not they are in a namespace.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.service.sessions()
    }

    /// All namespaces that there are.
    #[must_use]
    pub fn namespaces(&self) -> Vec<Namespace> {
        let namespaces = self.shared.lock();
        let known = namespaces.by_name.values();
        known.map(|known| known.namespace.clone()).collect()
    }

    pub(crate) fn traffic(&self) -> &Traffic {
        &self.shared.traffic
    }

    /// Disconnects all clients. New ones may still come.
    pub fn close(&self) {
        #[cfg(feature = "socketio-legacy")]
        if let Some(legacy) = &self.legacy {
            legacy.close();
        }
        self.service.close();
    }
}

impl Default for Server {
    fn default() -> Server {
        Server::new()
    }
}

impl Handler for Server {
    fn call(&self, request: Request) -> Response {
        #[cfg(feature = "socketio-legacy")]
        if let Some(legacy) = &self.legacy
            && legacy.is_at(request.uri().path())
        {
            return legacy.call(request);
        }
        match &self.files {
            Some(files) if request.uri().path().contains('.') => files.call(request),
            _ => self.service.call(request),
        }
    }
}

impl Shared {
    fn make(
        self: &Arc<Self>,
        namespaces: &mut Namespaces,
        name: &str,
        template: Option<&Namespace>,
    ) -> Namespace {
        let recovery = self.config.journal();
        let server = Arc::downgrade(self);
        let namespace = Namespace::new(name, template, server, recovery.map(Journal::new));
        if let Some(adapter) = self.adapter() {
            namespace.attach(adapter);
        }
        let known = Known {
            namespace: namespace.clone(),
            visitors: 0,
        };
        let name = namespace.shared_name().clone();
        namespaces.by_name.insert(name, known);
        namespace
    }

    fn adapter(&self) -> Option<&Arc<dyn Adapter>> {
        self.config.adapter.as_ref()
    }

    /// The namespace that a client wants to join, if there is one for it.
    pub(crate) fn find(
        self: &Arc<Self>,
        name: &Arc<str>,
        handshake: &Handshake,
        auth: &Value,
    ) -> Option<(Namespace, Visit)> {
        if let Some(found) = self.visit(&mut self.lock(), name) {
            return Some(found);
        }
        let template = self.template(name, handshake, auth)?;
        let mut namespaces = self.lock();
        // Another client may have had it made meanwhile.
        if !namespaces.by_name.contains_key(name) {
            self.make(&mut namespaces, name, Some(&template));
        }
        self.visit(&mut namespaces, name)
    }

    fn visit(
        self: &Arc<Self>,
        namespaces: &mut Namespaces,
        name: &Arc<str>,
    ) -> Option<(Namespace, Visit)> {
        let known = namespaces.by_name.get_mut(name)?;
        known.visitors += 1;
        let visit = Visit {
            shared: self.clone(),
            name: name.clone(),
        };
        Some((known.namespace.clone(), visit))
    }

    /// The first pattern that wants a namespace of this name. No lock is held while it is asked.
    fn template(&self, name: &str, handshake: &Handshake, auth: &Value) -> Option<Namespace> {
        let patterns = self.lock().patterns.clone();
        let mut patterns = patterns.iter();
        let found = patterns.find(|(wanted, _)| wanted(name, handshake, auth));
        found.map(|(_, template)| template.clone())
    }

    /// The namespaces that were made from this one; else only itself.
    pub(crate) fn family(&self, namespace: &Namespace) -> Vec<Namespace> {
        let namespaces = self.lock();
        let is_pattern = namespaces
            .patterns
            .iter()
            .any(|(_, it)| it.is_same(namespace));
        if !is_pattern {
            return vec![namespace.clone()];
        }
        let known = namespaces.by_name.values().map(|known| &known.namespace);
        known
            .filter(|it| it.is_child_of(namespace))
            .cloned()
            .collect()
    }

    /// Tells the error hook.
    pub(crate) fn report(&self, socket: &Socket, failure: &Failure) {
        let hook = self
            .on_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let told =
            greenwire_runtime::thread::catch_panic(std::panic::AssertUnwindSafe(|| match &hook {
                Some(hook) => hook(socket, failure),
                None => log::error!("socket.io: {failure}"),
            }));
        if told.is_err() {
            log::error!("socket.io: the error hook panicked, told of: {failure}");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Namespaces> {
        self.namespaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut namespaces = self.shared.lock();
        let Some(known) = namespaces.by_name.get_mut(&self.name) else {
            return;
        };
        known.visitors -= 1;
        let forgotten = match known.visitors == 0 && known.namespace.is_child() {
            true => namespaces.by_name.remove(&self.name),
            false => None,
        };
        // Whatever its handlers hold may call back.
        drop(namespaces);
        drop(forgotten);
    }
}

/// Socket.IO 5, heard over Engine.IO 4.
struct Hears {
    client: Arc<Client>,
    decoder: Mutex<Decoder>,
}

impl Hears {
    fn open(server: &Arc<Shared>, connection: &Arc<Connection>, request: &Request) -> Hears {
        let wire = Modern(connection.clone());
        Hears {
            client: Client::open(server, wire, Handshake::new(request)),
            decoder: Mutex::new(Decoder::new(server.config.max_attachments)),
        }
    }
}

impl Listener for Hears {
    fn message(&self, message: Message) -> Result<(), Malformed> {
        let mut decoder = self.decoder.lock().unwrap_or_else(PoisonError::into_inner);
        let packet = decoder.take(message)?;
        drop(decoder);
        packet.map_or(Ok(()), |packet| self.client.receive(packet))
    }

    fn closed(&self, reason: CloseReason) {
        self.client.ended(Reason::Connection(reason));
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("namespaces", &self.namespaces())
            .field("clients", &self.clients())
            .finish_non_exhaustive()
    }
}
