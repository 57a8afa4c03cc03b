//! A value that is written once.

use std::fmt;
use std::sync;

use super::once::Once;

/// A value that is written once, by whoever comes first, as [`std::sync::OnceLock`]. The others park
/// meanwhile.
///
/// std's own blocks the OS thread, and so a whole worker, while another green thread makes the value.
///
/// # Differences from std
///
/// A thread that is cancelled while it makes the value leaves that to the next one.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{sync::OnceLock, thread};
/// use std::time::Duration;
///
/// static ADDRESS: OnceLock<String> = OnceLock::new();
///
/// fn address() -> &'static str {
///     ADDRESS.get_or_init(|| {
///         thread::sleep(Duration::from_millis(1)); // asks somebody
///         "127.0.0.1:80".to_owned()
///     })
/// }
/// let threads: Vec<_> = (0..3).map(|_| thread::spawn(address)).collect();
/// threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), address()));
/// ```
pub struct OnceLock<T> {
    once: Once,
    value: sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// A value that was not written yet.
    #[must_use]
    pub const fn new() -> OnceLock<T> {
        OnceLock {
            once: Once::new(),
            value: sync::OnceLock::new(),
        }
    }

    /// The value, if it is there. Never parks.
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value, if it is there. Nobody else can reach it now.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Parks until the value is there.
    pub fn wait(&self) -> &T {
        self.once.wait_force();
        self.written()
    }

    /// Writes the value. Parks while another thread makes one.
    ///
    /// # Errors
    ///
    /// With `value` if there is one already.
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.get_or_init(|| value.take().expect("a closure that is called once"));
        value.map_or(Ok(()), Err)
    }

    /// The value, which `f` makes if it is not there yet. Parks while another thread makes it.
    ///
    /// # Panics
    ///
    /// If `f` panics; the next one who comes tries again. If `f` calls this again, it parks for ever.
    pub fn get_or_init<F>(&self, f: F) -> &T
    where
        F: FnOnce() -> T,
    {
        if let Some(value) = self.get() {
            return value;
        }
        self.once.call_once_force(|_| {
            let _ = self.value.set(f());
        });
        self.written()
    }

    /// Takes the value out, if it is there.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Takes the value out, if it is there. Another one can be written then.
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }

    fn written(&self) -> &T {
        let value = self.value.get();
        value.expect("the value is written before the work is complete")
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> OnceLock<T> {
        OnceLock::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_tuple("OnceLock");
        match self.get() {
            Some(value) => out.field(value),
            None => out.field(&format_args!("<uninit>")),
        };
        out.finish()
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    fn clone(&self) -> OnceLock<T> {
        self.get().cloned().map_or_else(OnceLock::new, From::from)
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> OnceLock<T> {
        let cell = OnceLock::new();
        cell.get_or_init(|| value);
        cell
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &OnceLock<T>) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}
