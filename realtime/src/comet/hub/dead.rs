//! Clients that were collected and may come back: the latest ones, for some time.

use super::client::Client;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Dead {
    /// By the order of their deaths.
    clients: BTreeMap<u64, (Client, Instant)>,
    numbers: HashMap<Arc<str>, u64>,
    next: u64,
}

impl Dead {
    pub(super) fn new() -> Dead {
        Dead {
            clients: BTreeMap::new(),
            numbers: HashMap::new(),
            next: 0,
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Client> {
        let number = self.numbers.get(id)?;
        self.clients.get(number).map(|(client, _)| client)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Client> {
        let number = self.numbers.get(id)?;
        self.clients.get_mut(number).map(|(client, _)| client)
    }

    /// Keeps a client, and forgets the oldest beyond `capacity`.
    pub(super) fn insert(&mut self, client: Client, now: Instant, capacity: usize) {
        self.numbers.insert(client.id.clone(), self.next);
        self.clients.insert(self.next, (client, now));
        self.next += 1;
        while self.clients.len() > capacity {
            self.forget_oldest();
        }
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Client> {
        let number = self.numbers.remove(id)?;
        self.clients.remove(&number).map(|(client, _)| client)
    }

    /// Forgets at most `count` of those that have been dead for longer than `within`.
    pub(super) fn forget_old(&mut self, now: Instant, within: Duration, count: usize) {
        for _ in 0..count {
            match self.clients.first_key_value() {
                Some((_, (_, died))) if now.saturating_duration_since(*died) > within => {
                    self.forget_oldest();
                }
                _ => return,
            }
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, (client, _))) = self.clients.pop_first() {
            self.numbers.remove(&client.id);
        }
    }
}
