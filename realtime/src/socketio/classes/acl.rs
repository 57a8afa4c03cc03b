//! What a client may call.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The methods that a client may call: all, or some.
#[derive(Debug, Default)]
pub struct Acl(Mutex<Option<HashSet<String>>>);

impl Acl {
    /// Whether a method may be called.
    #[must_use]
    pub fn allows(&self, method: &str) -> bool {
        self.lock()
            .as_ref()
            .is_none_or(|some| some.contains(method))
    }

    pub(super) fn set(&self, methods: Option<Vec<String>>) {
        *self.lock() = methods.map(HashSet::from_iter);
    }

    pub(super) fn add(&self, method: &str) {
        self.lock()
            .get_or_insert_default()
            .insert(method.to_owned());
    }

    pub(super) fn remove(&self, method: &str) {
        if let Some(some) = &mut *self.lock() {
            some.remove(method);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<HashSet<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
