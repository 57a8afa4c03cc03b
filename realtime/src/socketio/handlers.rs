//! Who is told of what: tables of handlers, of a namespace and of a socket.

use super::{Args, Error, Event, FromEvent, IntoReply, Reason, Socket};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Is told of an event; what it answers.
pub(crate) type OnEvent = Arc<dyn Fn(&Socket, &Event) -> Result<Args, Error> + Send + Sync>;
/// Sees an event, and may refuse it.
pub(crate) type Check = Arc<dyn Fn(&Socket, &Event) -> Result<(), Error> + Send + Sync>;
/// Sees a client, and may refuse it.
pub(crate) type OnSocket = Arc<dyn Fn(&Socket) -> Result<(), Error> + Send + Sync>;
/// Is told that a client goes.
pub(crate) type OnEnd = Arc<dyn Fn(&Socket, Reason) + Send + Sync>;

/// The handlers at one moment.
#[derive(Clone, Default)]
pub(crate) struct Table {
    pub(crate) events: HashMap<Arc<str>, Vec<OnEvent>>,
    pub(crate) any: Vec<Check>,
    pub(crate) before_event: Vec<Check>,
    pub(crate) before_connect: Vec<OnSocket>,
    pub(crate) connect: Vec<OnSocket>,
    pub(crate) disconnecting: Vec<OnEnd>,
    pub(crate) disconnect: Vec<OnEnd>,
    /// What other servers of the cluster emit.
    pub(crate) server_events: HashMap<Arc<str>, OnServerEvent>,
}

/// Is told what another server has emitted; what it answers.
pub(crate) type OnServerEvent = Arc<dyn Fn(Args) -> Result<Args, Error> + Send + Sync>;

/// A table that changes now and then, and is read often: without handlers it takes no memory.
#[derive(Default)]
pub(crate) struct Handlers(Mutex<Option<Arc<Table>>>);

impl Handlers {
    /// The table as it is now.
    pub(crate) fn now(&self) -> Option<Arc<Table>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Table)) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(table.get_or_insert_default()));
    }

    /// Adds a handler of an event.
    pub(crate) fn on<A: FromEvent, R: IntoReply>(
        &self,
        name: &str,
        handler: impl Fn(&Socket, A) -> R + Send + Sync + 'static,
    ) {
        let handler: OnEvent =
            Arc::new(move |socket, event| handler(socket, event.parse()?).into_reply());
        self.change(|table| table.events.entry(name.into()).or_default().push(handler));
    }

    /// Forgets all: handlers may hold what holds this.
    pub(crate) fn clear(&self) {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(table);
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.now();
        let names = table.iter().flat_map(|table| table.events.keys());
        f.debug_list().entries(names).finish()
    }
}
