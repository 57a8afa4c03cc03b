//! What a waiting thread waits for, in eight bytes: each wait says it, whether or not somebody asks.

use std::fmt;
use std::os::fd::RawFd;

/// What a waiting thread waits for.
///
/// The numbers of locks, channels and the like tell one from another while they live: two threads that
/// wait for the same one show the same number. That of a [`Join`](Reason::Join) is the number of the
/// thread that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Data, a connection, or an end of stream on a descriptor.
    Read(RawFd),
    /// Room to write on a descriptor, or its connection to be established.
    Write(RawFd),
    /// A span of time.
    Sleep,
    /// [`Thread::unpark`](crate::thread::Thread::unpark).
    Park,
    /// The end of a thread.
    Join(u32),
    /// A lock.
    Lock(u32),
    /// A condition variable.
    Condition(u32),
    /// The other threads at a barrier.
    Barrier(u32),
    /// A permit of a semaphore.
    Semaphore(u32),
    /// An event.
    Event(u32),
    /// An initialization that another thread has begun.
    Once(u32),
    /// Room in a channel, or the receiver of a rendezvous.
    Send(u32),
    /// A value from a channel.
    Receive(u32),
    /// A thread of a group or a pool to end.
    Group(u32),
    /// The end of all green threads.
    Idle,
    /// The first of several things.
    Select,
    /// A signal.
    Signal,
    /// Work on the pool of [`unblock`](crate::unblock).
    Unblock,
    /// Something else of the runtime's own.
    Other,
}

/// A number that `object` has alone, as long as it stays where it is.
pub(crate) fn number_of<T: ?Sized>(object: &T) -> u32 {
    // Objects that are waited for are larger than a few bytes.
    const UNIT: usize = 8;
    ((&raw const *object).addr() / UNIT) as u32
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Read(descriptor) => write!(f, "descriptor {descriptor} to be readable"),
            Reason::Write(descriptor) => write!(f, "descriptor {descriptor} to be writable"),
            Reason::Sleep => f.write_str("time to pass"),
            Reason::Park => f.write_str("unpark"),
            Reason::Join(number) => write!(f, "the end of thread {number}"),
            Reason::Lock(number) => write!(f, "lock {number:08x}"),
            Reason::Condition(number) => write!(f, "condition {number:08x}"),
            Reason::Barrier(number) => write!(f, "barrier {number:08x}"),
            Reason::Semaphore(number) => write!(f, "semaphore {number:08x}"),
            Reason::Event(number) => write!(f, "event {number:08x}"),
            Reason::Once(number) => write!(f, "initialization {number:08x}"),
            Reason::Send(number) => write!(f, "room in channel {number:08x}"),
            Reason::Receive(number) => write!(f, "a value from channel {number:08x}"),
            Reason::Group(number) => write!(f, "a thread of group {number:08x} to end"),
            Reason::Idle => f.write_str("all green threads to end"),
            Reason::Select => f.write_str("the first of several"),
            Reason::Signal => f.write_str("a signal"),
            Reason::Unblock => f.write_str("blocking work"),
            Reason::Other => f.write_str("an answer of the runtime"),
        }
    }
}
