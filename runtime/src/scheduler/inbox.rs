//! What other OS threads tell a worker, and how a worker goes to sleep without missing any of it.
//!
//! ```text
//!   sender                        sleeper
//!   push message                  raise flag
//!   fence                         fence
//!   flag up? take it, ring        inbox empty, nothing to steal? block
//! ```
//!
//! Each side writes, fences, then reads what the other wrote. Sequentially consistent fences make it
//! impossible that both read the old value: either the sender sees the flag and rings the bell, or
//! the sleeper sees the message and stays awake. A busy worker costs its senders no system call.
//!
//! Ringing is left to the caller: this file knows no reactor, which lets loom explore it.

use crate::primitive::{AtomicBool, Ordering, Queue, fence};

/// The messages for one worker.
pub(crate) struct Inbox<T> {
    messages: Queue<T>,
    asleep: AtomicBool,
}

impl<T> Inbox<T> {
    pub(crate) fn new() -> Inbox<T> {
        Inbox {
            messages: Queue::new(),
            asleep: AtomicBool::new(false),
        }
    }

    /// Adds a message. Returns whether the caller must ring the worker's bell.
    #[must_use]
    pub(crate) fn push(&self, message: T) -> bool {
        self.messages.push(message);
        self.rouse()
    }

    /// Makes sure that the worker sees what the caller has just published, here or in a queue that
    /// the worker examines in [`doze`](Inbox::doze). Returns whether the caller must ring its bell.
    #[must_use]
    pub(crate) fn rouse(&self) -> bool {
        fence(Ordering::SeqCst);
        self.is_asleep() && self.asleep.swap(false, Ordering::AcqRel)
    }

    /// Takes the oldest message. Only the worker itself does.
    pub(crate) fn pop(&self) -> Option<T> {
        self.messages.pop()
    }

    /// Announces that the worker is about to block. Returns whether it may: not if a message has
    /// come, or if `nothing_else` finds work elsewhere. The worker calls `wake_up` afterwards.
    pub(crate) fn doze(&self, nothing_else: impl FnOnce() -> bool) -> bool {
        // A swap, which comes after every flag that a sender has taken down.
        self.asleep.swap(true, Ordering::AcqRel);
        fence(Ordering::SeqCst);
        self.messages.is_empty() && nothing_else()
    }

    /// Takes the announcement back.
    pub(crate) fn wake_up(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// Whether the worker blocks, or is about to. A hint, unless a fence precedes it.
    pub(crate) fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use loom::sync::atomic::AtomicUsize;
    use loom::sync::{Arc, Notify as Bell};

    /// A lost wake leaves the receiver waiting for ever, which loom reports as a deadlock.
    #[test]
    fn loom_every_message_wakes_the_sleeper() {
        loom::model(|| {
            let shared = Arc::new((Inbox::new(), Bell::new()));
            let senders: Vec<_> = (0..2)
                .map(|n| {
                    let shared = shared.clone();
                    loom::thread::spawn(move || {
                        if shared.0.push(n) {
                            shared.1.notify();
                        }
                    })
                })
                .collect();
            let (inbox, bell) = &*shared;
            let mut received = 0;
            while received < 2 {
                while inbox.pop().is_some() {
                    received += 1;
                }
                if received < 2 && inbox.doze(|| true) {
                    bell.wait();
                }
                inbox.wake_up();
                loom::thread::yield_now();
            }
            senders
                .into_iter()
                .for_each(|sender| sender.join().unwrap());
        });
    }

    /// The same for work that lies in a deque, where idle workers look for it.
    #[test]
    fn loom_stealable_work_wakes_the_sleeper() {
        loom::model(|| {
            let shared = Arc::new((Inbox::<()>::new(), Bell::new(), AtomicUsize::new(0)));
            let spawner = {
                let shared = shared.clone();
                loom::thread::spawn(move || {
                    shared.2.store(1, Ordering::Release);
                    if shared.0.rouse() {
                        shared.1.notify();
                    }
                })
            };
            let (inbox, bell, deque) = &*shared;
            while deque.load(Ordering::Acquire) == 0 {
                if inbox.doze(|| deque.load(Ordering::Acquire) == 0) {
                    bell.wait();
                }
                inbox.wake_up();
                loom::thread::yield_now();
            }
            spawner.join().unwrap();
        });
    }
}
