//! A channel: its latest messages, and who is subscribed to it.

use super::table::Slot;
use crate::comet::json;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) name: Arc<str>,
    pub(super) subscribers: BTreeSet<Slot>,
    messages: VecDeque<Message>,
    next_id: u64,
    /// When it was last named.
    pub(super) used: Instant,
}

#[derive(Debug)]
struct Message {
    id: u64,
    /// `[id, "message", "client"]`, encoded once for all readers.
    encoded: Arc<str>,
}

impl Channel {
    pub(super) fn new(name: Arc<str>, first_id: u64, now: Instant) -> Channel {
        Channel {
            name,
            subscribers: BTreeSet::new(),
            messages: VecDeque::new(),
            next_id: first_id,
            used: now,
        }
    }

    /// The id of the latest message, or what it would be.
    pub(super) fn last_id(&self) -> u64 {
        self.next_id - 1
    }

    /// The id that the next message gets.
    pub(super) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Adds a message, and forgets the oldest beyond `capacity`.
    pub(super) fn push(&mut self, client_id: &str, message: &str, capacity: usize) {
        let id = self.next_id;
        self.next_id += 1;
        let encoded = json::to_string(&(id, message, client_id)).into();
        self.messages.push_back(Message { id, encoded });
        while self.messages.len() > capacity {
            self.messages.pop_front();
        }
    }

    /// The messages with greater ids, oldest first.
    pub(super) fn after(&self, id: u64) -> impl Iterator<Item = &Arc<str>> {
        let first = self.messages.partition_point(|message| message.id <= id);
        self.messages.range(first..).map(|message| &message.encoded)
    }
}
