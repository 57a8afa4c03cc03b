//! All clients of Socket.IO 0.9, by their ids.

use super::connection::Connection;
use super::protocol::machine::Times;
use crate::engineio::keeper::Keeper;
use greenwire_websocket as websocket;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all clients share.
#[derive(Debug)]
pub(super) struct Commons {
    pub(super) times: Times,
    pub(super) max_queued: usize,
    pub(super) keeper: Arc<Keeper>,
    pub(super) registry: Registry,
    /// As they go over websockets.
    pub(super) heartbeat: websocket::Prepared,
    pub(super) farewell: websocket::Prepared,
}

impl Commons {
    pub(super) fn new(times: Times, max_queued: usize, keeper: Arc<Keeper>) -> Arc<Commons> {
        Arc::new(Commons {
            times,
            max_queued,
            keeper,
            registry: Registry::default(),
            heartbeat: websocket::Prepared::new("2::"),
            farewell: websocket::Prepared::new("0::"),
        })
    }
}

/// The clients by their ids.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<HashMap<Arc<str>, Arc<Connection>>>);

impl Registry {
    pub(super) fn insert(&self, connection: &Arc<Connection>) {
        let id = connection.id().clone();
        self.lock().insert(id, connection.clone());
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Connection>> {
        self.lock().get(id).cloned()
    }

    pub(super) fn forget(&self, id: &str) {
        self.lock().remove(id);
    }

    pub(super) fn all(&self) -> Vec<Arc<Connection>> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
