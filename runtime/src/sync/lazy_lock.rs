//! A value that is made when it is first used.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use super::once_lock::OnceLock;
use crate::thread::no_cancel;

/// A value that is made when it is first used, as [`std::sync::LazyLock`]. Others who use it park
/// meanwhile.
///
/// # Differences from std
///
/// Cancellations and timeouts are put off while the value is made, since its closure can be called only
/// once. [`OnceLock`] can be cut short.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{sync::LazyLock, unblock};
/// use std::fs;
///
/// static MANIFEST: LazyLock<String> = LazyLock::new(|| {
///     unblock(|| fs::read_to_string("Cargo.toml").unwrap_or_default())
/// });
///
/// assert!(MANIFEST.contains("greenwire"));
/// ```
pub struct LazyLock<T, F = fn() -> T> {
    value: OnceLock<T>,
    /// None once it was called.
    make: Mutex<Option<F>>,
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `f` will make.
    pub const fn new(f: F) -> LazyLock<T, F> {
        LazyLock {
            value: OnceLock::new(),
            make: Mutex::new(Some(f)),
        }
    }

    /// The value, which is made now if it was not yet. So does dereferencing.
    ///
    /// # Panics
    ///
    /// If making the value panics, or did so before. If making it uses it, it parks for ever.
    pub fn force(this: &LazyLock<T, F>) -> &T {
        this.value.get_or_init(|| {
            let make = this
                .make
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            no_cancel(make.expect("LazyLock instance has previously been poisoned"))
        })
    }

    /// As [`force`](LazyLock::force). Nobody else can reach the value now.
    ///
    /// # Panics
    ///
    /// As `force`.
    pub fn force_mut(this: &mut LazyLock<T, F>) -> &mut T {
        LazyLock::force(this);
        let value = this.value.get_mut();
        value.expect("it has just been made")
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it was made already. Never parks.
    pub fn get(this: &LazyLock<T, F>) -> Option<&T> {
        this.value.get()
    }

    /// The value, if it was made already. Nobody else can reach it now.
    pub fn get_mut(this: &mut LazyLock<T, F>) -> Option<&mut T> {
        this.value.get_mut()
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    fn deref_mut(&mut self) -> &mut T {
        LazyLock::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    fn default() -> LazyLock<T> {
        LazyLock::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_tuple("LazyLock");
        match LazyLock::get(self) {
            Some(value) => out.field(value),
            None => out.field(&format_args!("<uninit>")),
        };
        out.finish()
    }
}
