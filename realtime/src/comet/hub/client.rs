//! A client: who it is, what it is subscribed to, and when it was last seen.

use super::key::Key;
use crate::comet::config::Limits;
use greenwire_runtime::sync::Event;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: Arc<str>,
    pub(super) key: Key,
    /// Tells it from others that had its place.
    pub(super) serial: u64,
    /// By the channel's name.
    pub(super) subscriptions: BTreeMap<Arc<str>, Subscription>,
    pub(super) created: Instant,
    pub(super) seen: Instant,
    /// Rung when there is something new. One for each poll or stream under way.
    pub(super) bells: Vec<Arc<Event>>,
}

/// What a client has of a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subscription {
    /// The channel's last message before the subscription: this and older ones are none of its business.
    pub(super) since: u64,
    /// The last message that it was given.
    pub(super) cursor: u64,
}

impl Client {
    /// Not active means that nobody would miss it: neither young nor waiting nor seen just now.
    pub(super) fn is_active(&self, now: Instant, limits: &Limits) -> bool {
        let for_long = |since, limit| now.saturating_duration_since(since) > limit;
        !self.bells.is_empty()
            || !for_long(self.created, limits.min_alive)
            || !for_long(self.seen, limits.max_idle)
    }
}
