//! What a program keeps about a client.

use super::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Values by name, kept about a client for as long as it is there. They are JSON, so that other servers of a cluster
/// can see them, and that a client which comes back finds them again. Clones are the same.
///
/// ```
/// # use greenwire_realtime::socketio::{Data, Error};
/// # fn keep(data: &Data) -> Result<(), Error> {
/// data.set("nickname", "Ann")?;
/// assert_eq!(data.get::<String>("nickname")?.as_deref(), Some("Ann"));
/// # Ok(())
/// # }
/// # keep(&Data::default()).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Data(Arc<Mutex<Map<String, Value>>>);

impl Data {
    /// A value; `None` if there is none of this name.
    ///
    /// # Errors
    /// [`Error::Json`] if it is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let value = self.lock().get(name).cloned();
        Ok(value.map(serde_json::from_value).transpose()?)
    }

    /// Keeps a value, in place of one of this name.
    ///
    /// # Errors
    /// [`Error::Json`] if it cannot be JSON.
    pub fn set(&self, name: &str, value: impl Serialize) -> Result<(), Error> {
        let value = serde_json::to_value(value)?;
        self.lock().insert(name.to_owned(), value);
        Ok(())
    }

    /// Takes a value away.
    pub fn remove(&self, name: &str) -> Option<Value> {
        self.lock().remove(name)
    }

    /// All of it, as an object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Value::Object(self.lock().clone())
    }

    pub(crate) fn from_json(value: Value) -> Data {
        match value {
            Value::Object(map) => Data(Arc::new(Mutex::new(map))),
            _ => Data::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Map<String, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
