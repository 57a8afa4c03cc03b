//! The last messages of one topic.

use super::Message;
use std::collections::VecDeque;

/// A ring of messages.
pub(super) struct History<T> {
    messages: VecDeque<Message<T>>,
    /// The number of the newest message that is not in it any more. Later ones are complete.
    gone: u64,
}

impl<T> History<T> {
    /// One of a topic which may have had messages up to the number `gone`.
    pub(super) fn new(gone: u64) -> History<T> {
        History {
            messages: VecDeque::new(),
            gone,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Adds a message to a history of at most `limit`, and returns the one that it takes the place of.
    pub(super) fn push(&mut self, message: Message<T>, limit: usize) -> Option<Message<T>> {
        let oldest = match self.messages.len() >= limit {
            true => self.messages.pop_front(),
            false => None,
        };
        if let Some(oldest) = &oldest {
            self.gone = oldest.id().number;
        }
        self.messages.push_back(message);
        oldest
    }

    /// The number of the newest message, or of the newest that is gone.
    pub(super) fn latest(&self) -> u64 {
        let latest = self.messages.back();
        latest.map_or(self.gone, |message| message.id().number)
    }

    pub(super) fn gone(&self) -> u64 {
        self.gone
    }

    /// The messages after the one with a certain number.
    pub(super) fn after(&self, number: u64) -> impl Iterator<Item = Message<T>> {
        let first = self
            .messages
            .partition_point(|message| message.id().number <= number);
        self.messages.range(first..).cloned()
    }
}
