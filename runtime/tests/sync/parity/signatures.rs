//! Every stable method and trait of std's threads and locks, by its type: this compiles, or parity is lost.
//!
//! `std_api.rs` reads this file as text and compares it with std's documentation, so nothing is missing
//! from it either.

use super::{sync, thread};
use std::error::Error;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use sync::{Barrier, BarrierWaitResult, Condvar, LazyLock, Mutex, MutexGuard, Once, OnceLock};
use sync::{OnceState, RwLock, RwLockReadGuard, RwLockWriteGuard, WaitTimeoutResult, mpsc};
use thread::{AccessError, Builder, JoinHandle, Scope, ScopedJoinHandle, Thread, ThreadId};

/// `has!(Type: Traits; methods)`.
macro_rules! has {
    ($Type:ty: $($Trait:path),*; $($method:expr),* $(,)?) => {{
        $({
            fn check<T: $Trait>() {}
            check::<$Type>();
        })*
        $(let _ = $method;)*
    }};
}

/// What the compiler derives for most of them.
macro_rules! auto_traits {
    ($($Type:ty),* $(,)?) => {$(
        has!($Type: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe;);
    )*};
}

#[test]
fn auto_traits() {
    auto_traits!(Barrier, BarrierWaitResult, Condvar, LazyLock<u8>, Mutex<u8>);
    auto_traits!(Once, OnceLock<u8>, RwLock<u8>, WaitTimeoutResult);
    auto_traits!(mpsc::Sender<u8>, mpsc::SyncSender<u8>, AccessError);
    auto_traits!(Builder, Thread, ThreadId);
    has!(OnceState: Send, Unpin, UnwindSafe;);
    has!(MutexGuard<'static, u8>: Sync, Unpin, UnwindSafe, RefUnwindSafe;);
    has!(RwLockReadGuard<'static, u8>: Sync, Unpin, UnwindSafe, RefUnwindSafe;);
    has!(RwLockWriteGuard<'static, u8>: Sync, Unpin, UnwindSafe, RefUnwindSafe;);
    has!(mpsc::Receiver<u8>: Send, Unpin, UnwindSafe, RefUnwindSafe;);
    has!(mpsc::IntoIter<u8>: Send, Unpin, UnwindSafe, RefUnwindSafe;);
    has!(mpsc::Iter<'static, u8>: Unpin, UnwindSafe, RefUnwindSafe;);
    has!(mpsc::TryIter<'static, u8>: Unpin, UnwindSafe, RefUnwindSafe;);
    has!(JoinHandle<u8>: Send, Sync, Unpin;);
    has!(ScopedJoinHandle<'static, u8>: Send, Sync, Unpin;);
    has!(Scope<'static, 'static>: Send, Sync, Unpin, RefUnwindSafe;);
}

#[test]
fn locks() {
    has!(Mutex<u8>: Debug, Default, From<u8>; Mutex::<u8>::new, Mutex::<u8>::lock,
        Mutex::<u8>::try_lock, Mutex::<u8>::is_poisoned, Mutex::<u8>::clear_poison,
        Mutex::<u8>::into_inner, Mutex::<u8>::get_mut);
    has!(MutexGuard<'static, u8>: Debug, Display, Deref, DerefMut;);
    has!(RwLock<u8>: Debug, Default, From<u8>; RwLock::<u8>::new, RwLock::<u8>::read,
        RwLock::<u8>::try_read, RwLock::<u8>::write, RwLock::<u8>::try_write,
        RwLock::<u8>::is_poisoned, RwLock::<u8>::clear_poison, RwLock::<u8>::into_inner,
        RwLock::<u8>::get_mut);
    has!(RwLockReadGuard<'static, u8>: Debug, Display, Deref;);
    has!(RwLockWriteGuard<'static, u8>: Debug, Display, Deref, DerefMut;
        RwLockWriteGuard::<'static, u8>::downgrade);
}

#[test]
fn conditions() {
    has!(Condvar: Debug, Default; Condvar::new, Condvar::wait::<u8>,
        Condvar::wait_while::<u8, fn(&mut u8) -> bool>, Condvar::wait_timeout::<u8>,
        Condvar::wait_timeout_while::<u8, fn(&mut u8) -> bool>, Condvar::notify_one,
        Condvar::notify_all);
    has!(WaitTimeoutResult: Debug, Clone, Copy, PartialEq, Eq; WaitTimeoutResult::timed_out);
    has!(Barrier: Debug; Barrier::new, Barrier::wait);
    has!(BarrierWaitResult: Debug; BarrierWaitResult::is_leader);
}

#[test]
fn once() {
    has!(Once: Debug; Once::new, Once::call_once::<fn()>, Once::call_once_force::<fn(&OnceState)>,
        Once::is_completed, Once::wait, Once::wait_force);
    has!(OnceState: Debug; OnceState::is_poisoned);
    has!(OnceLock<u8>: Debug, Default, Clone, PartialEq, Eq, From<u8>; OnceLock::<u8>::new,
        OnceLock::<u8>::get, OnceLock::<u8>::get_mut, OnceLock::<u8>::set, OnceLock::<u8>::wait,
        OnceLock::<u8>::get_or_init::<fn() -> u8>, OnceLock::<u8>::into_inner,
        OnceLock::<u8>::take);
    has!(LazyLock<u8>: Debug, Default, Deref, DerefMut; LazyLock::<u8>::new,
        LazyLock::<u8>::force, LazyLock::<u8>::force_mut, LazyLock::<u8>::get,
        LazyLock::<u8>::get_mut);
}

#[test]
fn channels() {
    let _ = (mpsc::channel::<u8>, mpsc::sync_channel::<u8>);
    has!(mpsc::Sender<u8>: Debug, Clone; mpsc::Sender::<u8>::send);
    has!(mpsc::SyncSender<u8>: Debug, Clone; mpsc::SyncSender::<u8>::send,
        mpsc::SyncSender::<u8>::try_send);
    has!(mpsc::Receiver<u8>: Debug, IntoIterator; mpsc::Receiver::<u8>::recv,
        mpsc::Receiver::<u8>::recv_timeout, mpsc::Receiver::<u8>::try_recv,
        mpsc::Receiver::<u8>::iter, mpsc::Receiver::<u8>::try_iter);
    has!(&'static mpsc::Receiver<u8>: IntoIterator;);
    has!(mpsc::Iter<'static, u8>: Debug, Iterator;);
    has!(mpsc::TryIter<'static, u8>: Debug, Iterator;);
    has!(mpsc::IntoIter<u8>: Debug, Iterator;);
}

#[test]
fn threads() {
    let _ = (
        thread::spawn::<fn() -> u8, u8>,
        thread::current,
        thread::park,
    );
    let _ = (thread::park_timeout, thread::sleep, thread::yield_now);
    let _ = (thread::panicking, thread::available_parallelism);
    has!(Builder: Debug; Builder::new, Builder::name, Builder::stack_size,
        Builder::spawn::<fn() -> u8, u8>, Builder::spawn_scoped::<fn() -> u8, u8>);
    has!(JoinHandle<u8>: Debug; JoinHandle::<u8>::join, JoinHandle::<u8>::is_finished,
        JoinHandle::<u8>::thread);
    has!(Thread: Debug, Clone; Thread::id, Thread::name, Thread::unpark);
    has!(ThreadId: Debug, Clone, Copy, PartialEq, Eq, Hash;);
    has!(AccessError: Debug, Display, Error, Clone, Copy, PartialEq, Eq;);
}

#[test]
fn scopes() {
    let _ = thread::scope::<fn(&Scope<'_, '_>) -> u8, u8>;
    has!(Scope<'static, 'static>: Debug; Scope::spawn::<fn() -> u8, u8>);
    has!(ScopedJoinHandle<'static, u8>: Debug; ScopedJoinHandle::<'static, u8>::join,
        ScopedJoinHandle::<'static, u8>::is_finished, ScopedJoinHandle::<'static, u8>::thread);
}
