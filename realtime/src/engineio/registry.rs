//! All sessions of a service, by their ids.

use super::Config;
use super::connection::Connection;
use super::keeper::Keeper;
use super::protocol::machine::Times;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use greenwire_websocket as websocket;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all sessions of a service share.
#[derive(Debug)]
pub(crate) struct Commons {
    pub(crate) times: Times,
    pub(crate) max_queued: usize,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) registry: Registry,
    /// As it goes over websockets.
    pub(crate) ping: websocket::Prepared,
}

impl Commons {
    pub(crate) fn new(config: &Config) -> Arc<Commons> {
        Arc::new(Commons {
            times: config.times,
            max_queued: config.max_queued,
            keeper: Arc::default(),
            registry: Registry::default(),
            ping: websocket::Prepared::new("2"),
        })
    }
}

/// The sessions of a service.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    table: Mutex<HashMap<Arc<str>, Arc<Connection>>>,
    count: Arc<AtomicUsize>,
}

/// There is no place for another session, or no randomness for its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overloaded;

/// A place among the sessions, which a session has as long as it lives.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Registry {
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// A place, if there are fewer than `max`.
    pub(crate) fn take_place(&self, max: usize) -> Result<Place, Overloaded> {
        let place = Place(self.count.clone());
        match self.count.fetch_add(1, Ordering::Relaxed) < max {
            true => Ok(place),
            false => Err(Overloaded),
        }
    }

    pub(crate) fn insert(&self, connection: &Arc<Connection>) {
        let id = connection.id().clone();
        self.lock().insert(id, connection.clone());
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Connection>> {
        self.lock().get(id).cloned()
    }

    pub(crate) fn forget(&self, id: &str) {
        self.lock().remove(id);
    }

    pub(crate) fn all(&self) -> Vec<Arc<Connection>> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Connection>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 20 characters that nobody can guess.
pub(crate) fn secret() -> Result<Arc<str>, Overloaded> {
    let mut random = [0; 15];
    getrandom::fill(&mut random).map_err(|error| {
        log::error!("engine.io: no random bytes for an id: {error}");
        Overloaded
    })?;
    Ok(URL_SAFE_NO_PAD.encode(random).into())
}
