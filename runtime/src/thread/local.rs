//! Values of which each thread has its own, green or not.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use crate::scheduler::Worker;
use crate::task::undisturbed;

/// Declares values of which each green thread has its own, as [`std::thread_local!`] does for OS threads
/// (where it works, too).
///
/// A value is made when its thread first asks for it, and dropped when the thread ends, before the thread's
/// `join` returns. It never leaves its OS thread, so it need not be `Send`. The initialiser may
/// wait.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{green_local, thread};
/// use std::cell::Cell;
///
/// green_local! {
///     /// The request that the thread works on.
///     static REQUEST: Cell<u64> = Cell::new(0);
/// }
///
/// let threads = [1, 2].map(|n| {
///     thread::spawn(move || {
///         REQUEST.set(n);
///         thread::yield_now();
///         REQUEST.get()
///     })
/// });
/// assert_eq!(threads.map(|thread| thread.join().unwrap()), [1, 2]);
/// ```
#[macro_export]
macro_rules! green_local {
    () => {};
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = $init:expr; $($rest:tt)*) => {
        $crate::green_local!($(#[$attribute])* $vis static $name: $type = $init);
        $crate::green_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = $init:expr) => {
        $(#[$attribute])*
        $vis static $name: $crate::thread::LocalKey<$type> =
            $crate::thread::LocalKey::new(|| $init);
    };
}

/// A value of which each thread has its own: what [`green_local!`](crate::green_local) declares. As
/// [`std::thread::LocalKey`].
pub struct LocalKey<T: 'static> {
    init: fn() -> T,
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn new(init: fn() -> T) -> LocalKey<T> {
        LocalKey { init }
    }

    /// Lends the calling thread's value to `f`, which may wait.
    ///
    /// # Panics
    ///
    /// If the thread is ending and the value was dropped.
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.try_with(f)
            .expect("cannot use a green-local value after it was dropped")
    }

    /// As [`with`](LocalKey::with).
    ///
    /// # Errors
    ///
    /// If the thread is ending and the value was dropped.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let locals = Locals::current()?;
        let key = std::ptr::from_ref(self).addr();
        let value = match locals.get(key) {
            Some(known) => known?,
            // Nothing is borrowed while it is made: that may wait, or use other values.
            None => locals.insert(key, Rc::new((self.init)())),
        };
        let value = value
            .downcast::<T>()
            .expect("a static has one address and one type");
        Ok(f(&value))
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Sets the calling thread's value.
    ///
    /// # Panics
    ///
    /// As [`with`](LocalKey::with).
    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    /// A copy of the calling thread's value.
    ///
    /// # Panics
    ///
    /// As [`with`](LocalKey::with).
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes the calling thread's value, and leaves the default one.
    ///
    /// # Panics
    ///
    /// As [`with`](LocalKey::with).
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Sets the calling thread's value, and gives the one before.
    ///
    /// # Panics
    ///
    /// As [`with`](LocalKey::with).
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Lends the calling thread's value to `f`.
    ///
    /// # Panics
    ///
    /// If it is mutably borrowed, and as [`with`](LocalKey::with).
    pub fn with_borrow<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Lends the calling thread's value mutably to `f`.
    ///
    /// # Panics
    ///
    /// If it is borrowed, and as [`with`](LocalKey::with).
    pub fn with_borrow_mut<R>(&'static self, f: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// The value of a [`LocalKey`] was dropped, since its thread is ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the green-local value was dropped")
    }
}

impl std::error::Error for AccessError {}

type Value = Result<Rc<dyn Any>, AccessError>;

/// The values of one thread, by the addresses of their keys. Few of them, so a list.
#[derive(Default)]
pub(crate) struct Locals(RefCell<Vec<(usize, Value)>>);

/// The values of a worker's green threads, by their slots.
pub(crate) type LocalsOfSlots = RefCell<Vec<Option<Rc<Locals>>>>;

thread_local! {
    static OF_THIS_THREAD: Rc<Locals> = Rc::default();
}

impl Locals {
    /// Those of the calling thread.
    fn current() -> Result<Rc<Locals>, AccessError> {
        let Some((worker, slot)) = Worker::running() else {
            return OF_THIS_THREAD.try_with(Rc::clone).map_err(|_| AccessError);
        };
        let index = slot.index() as usize;
        let mut all = worker.locals().borrow_mut();
        if all.len() <= index {
            all.resize(index + 1, None);
        }
        Ok(all[index].get_or_insert_default().clone())
    }

    /// Those of the calling thread, if it has asked for any.
    #[inline]
    fn present() -> Option<Rc<Locals>> {
        match Worker::running() {
            // Most programs have none.
            Some((worker, _)) if worker.locals().borrow().is_empty() => None,
            Some((worker, slot)) => {
                let all = worker.locals().borrow();
                all.get(slot.index() as usize)?.clone()
            }
            None => OF_THIS_THREAD.try_with(Rc::clone).ok(),
        }
    }

    fn get(&self, key: usize) -> Option<Value> {
        let values = self.0.borrow();
        let (_, value) = values.iter().find(|(known, _)| *known == key)?;
        Some(value.clone())
    }

    fn insert(&self, key: usize, value: Rc<dyn Any>) -> Rc<dyn Any> {
        // The initialiser may have asked for the value itself.
        if let Some(Ok(earlier)) = self.get(key) {
            return earlier;
        }
        self.0.borrow_mut().push((key, Ok(value.clone())));
        value
    }

    /// Drops the values one by one. A destructor may use those that are left, and make others.
    fn end(&self) {
        while let Some(value) = self.next_to_end() {
            undisturbed(|| drop(value));
        }
    }

    /// The calling green thread has none any more. An OS thread takes them with it.
    fn forget() {
        if let Some((worker, slot)) = Worker::running() {
            worker.locals().borrow_mut()[slot.index() as usize] = None;
        }
    }

    fn next_to_end(&self) -> Option<Rc<dyn Any>> {
        let mut values = self.0.borrow_mut();
        let (_, value) = values.iter_mut().find(|(_, value)| value.is_ok())?;
        std::mem::replace(value, Err(AccessError)).ok()
    }
}

/// Drops the values of the calling thread, which is ending. It cannot use them any more.
#[inline]
pub(crate) fn end_locals() {
    if let Some(locals) = Locals::present() {
        locals.end();
    }
}

/// Drops what the calling thread has made since, and forgets that it had any: its slot is for another one.
#[inline]
pub(crate) fn forget_locals() {
    if let Some(locals) = Locals::present() {
        locals.end();
        Locals::forget();
    }
}
