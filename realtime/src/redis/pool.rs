//! Connections that are lent.

use super::{Client, Connection};
use ::redis::{ConnectionLike, RedisResult};
use greenwire_runtime::sync::{OwnedSemaphorePermit, PoisonError, Semaphore};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Lends connections to a server, and makes them as they are needed. Cloning it gives another handle to the
/// same pool.
///
/// ```no_run
/// use greenwire_http::{Request, Server};
/// use greenwire_realtime::redis::{Client, Commands, Pool};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = Pool::new(Client::open("redis://127.0.0.1/")?);
/// Server::bind("127.0.0.1:8000")?.serve(move |_: Request| {
///     let visits: Result<u64, _> = pool.get().and_then(|mut redis| redis.incr("visits", 1));
///     match visits {
///         Ok(visits) => format!("visit number {visits}\n"),
///         Err(error) => format!("there is no counting today: {error}\n"),
///     }
/// })?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
    idle_limit: Duration,
}

struct Shared {
    client: Client,
    /// One for each connection that may be lent.
    places: Arc<Semaphore>,
    /// Those that came back, with the time when they did; the latest last.
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Pool {
    /// A pool of up to 32 connections. None is made yet.
    #[must_use]
    pub fn new(client: Client) -> Pool {
        Pool::with_size(client, 32)
    }

    /// A pool of up to `size` connections, at least one. Who wants another one waits until one comes back.
    #[must_use]
    pub fn with_size(client: Client, size: usize) -> Pool {
        let shared = Shared {
            client,
            places: Arc::new(Semaphore::new(size.max(1))),
            idle: Mutex::default(),
        };
        Pool {
            shared: Arc::new(shared),
            idle_limit: Duration::from_secs(60),
        }
    }

    /// For how long a connection that nobody needs is kept, as far as it is found when the next one is lent.
    /// Default 60 s.
    #[must_use]
    pub fn idle_limit(mut self, limit: Duration) -> Pool {
        self.idle_limit = limit;
        self
    }

    /// Borrows a connection, which comes back when it is dropped. Parks while all of them are lent.
    ///
    /// One that the server has closed meanwhile is not lent any more. One that is open comes as the last borrower left it:
    /// whoever selects a database, watches keys or begins a transaction by hand has to end that, too.
    ///
    /// # Errors
    ///
    /// Those of [`Client::connect`].
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn get(&self) -> RedisResult<Pooled> {
        let place = self.shared.places.acquire_owned();
        let connection = match self.take_idle() {
            Some(connection) => connection,
            None => self.shared.client.connect()?,
        };
        Ok(Pooled {
            connection: Some(connection),
            shared: self.shared.clone(),
            _place: place,
        })
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.shared.idle();
        let (connection, since) = idle.pop()?;
        let is_good = connection.is_open() && since.elapsed() < self.idle_limit;
        if is_good {
            return Some(connection);
        }
        // Those below came back before, and most likely are no better.
        let rest = std::mem::take(&mut *idle);
        drop(idle);
        drop((connection, rest));
        None
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection of a [`Pool`], which comes back when it is dropped.
#[derive(Debug)]
pub struct Pooled {
    /// Some until it is dropped.
    connection: Option<Connection>,
    shared: Arc<Shared>,
    _place: OwnedSemaphorePermit,
}

impl Deref for Pooled {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
            .as_ref()
            .expect("it is taken by the destructor only")
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection
            .as_mut()
            .expect("it is taken by the destructor only")
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && connection.is_open()
        {
            self.shared.idle().push((connection, Instant::now()));
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.shared).finish()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("idle", &self.idle().len())
            .finish_non_exhaustive()
    }
}
