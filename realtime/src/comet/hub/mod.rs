//! All clients and channels, and what happens to them. Does no I/O and reads no clock: who calls passes the time,
//! and sets the bells of those for whom there is something new.

mod channel;
mod client;
mod dead;
pub(crate) mod key;
mod reading;
mod table;

#[cfg(test)]
mod tests;

use super::Error;
use super::config::Limits;
use channel::Channel;
use client::{Client, Subscription};
use dead::Dead;
use greenwire_runtime::sync::Event;
use key::Key;
use std::sync::Arc;
use std::time::Instant;
use table::{Slot, Table};

pub(crate) use reading::{Position, Reader, Update};

/// Where new channels are announced. Its subscribers administer, and are not counted among a channel's clients.
const ADMIN_CHANNEL: &str = "admin";

/// Who announces them.
const SYSTEM_ID: &str = "system";

const SUBSCRIBED: &str = r#"{"type": "subscribe"}"#;
const UNSUBSCRIBED: &str = r#"{"type": "unsubscribe", "gc": false}"#;
const COLLECTED: &str = r#"{"type": "unsubscribe", "gc": true}"#;

/// The longest name of a client or a channel, in bytes.
pub(crate) const LONGEST_NAME: usize = 512;

#[derive(Debug)]
pub(crate) struct Hub {
    limits: Limits,
    clients: Table<Client>,
    channels: Table<Channel>,
    dead: Dead,
    next_serial: u64,
    /// The first id in a channel that is made now: above those of all that were removed, so that the cursor
    /// of one who comes back is right in a channel of the same name.
    first_id: u64,
    /// The bells to be set.
    due: Vec<Arc<Event>>,
}

impl Hub {
    pub(crate) fn new(limits: Limits) -> Hub {
        Hub {
            limits,
            clients: Table::new(),
            channels: Table::new(),
            dead: Dead::new(),
            next_serial: 0,
            first_id: 1,
            due: Vec::new(),
        }
    }

    /// The bells to be set, once nobody needs the hub any more.
    pub(crate) fn take_due(&mut self) -> Vec<Arc<Event>> {
        std::mem::take(&mut self.due)
    }

    /// The key of a client, which is made if there is none. One that was collected comes back.
    pub(crate) fn create_client(&mut self, id: &str, now: Instant) -> Result<String, Error> {
        check_name(id)?;
        if let Some(client) = self.clients.named_mut(id) {
            client.seen = now;
            return Ok(client.key.to_string());
        }
        self.check_room_for_client()?;
        if let Some(client) = self.dead.remove(id) {
            let key = client.key.to_string();
            self.resurrect(client, now);
            return Ok(key);
        }
        let key = Key::random()?;
        let client = Client {
            id: id.into(),
            key: key.clone(),
            serial: self.serial(),
            subscriptions: [].into(),
            created: now,
            seen: now,
            bells: Vec::new(),
        };
        self.clients.insert(client.id.clone(), client);
        Ok(key.to_string())
    }

    /// Whether there is such a client, alive or not, with this key.
    pub(crate) fn knows(&self, id: &str, key: &str) -> bool {
        let client = self.clients.named(id).or_else(|| self.dead.get(id));
        client.is_some_and(|client| client.key.is(key))
    }

    pub(crate) fn subscribe(&mut self, id: &str, channel: &str, now: Instant) -> Result<(), Error> {
        let slot = self.find_client(id)?;
        let place = self.channel(channel, now)?;
        self.join(slot, place, None);
        Ok(())
    }

    pub(crate) fn unsubscribe(
        &mut self,
        id: &str,
        channel: &str,
        now: Instant,
    ) -> Result<(), Error> {
        if let Some(client) = self.dead.get_mut(id) {
            // The channel was told when it was collected.
            client.subscriptions.remove(channel);
            return Ok(());
        }
        let slot = self.find_client(id)?;
        let place = self.channel(channel, now)?;
        if let Some(client) = self.clients.get_mut(slot) {
            client.subscriptions.remove(channel);
        }
        self.leave(slot, place, id, UNSUBSCRIBED);
        Ok(())
    }

    pub(crate) fn new_message(
        &mut self,
        id: &str,
        message: &str,
        channel: &str,
        now: Instant,
    ) -> Result<(), Error> {
        let most = self.limits.max_message;
        if message.len() > most {
            return Err(Error::MessageTooLarge { most });
        }
        if id.len() > LONGEST_NAME {
            return Err(Error::BadName);
        }
        let place = self.channel(channel, now)?;
        self.push(place, id, message);
        Ok(())
    }

    /// The active clients of a channel, but for those that administer.
    pub(crate) fn channel_clients(
        &mut self,
        channel: &str,
        now: Instant,
    ) -> Result<Vec<Arc<str>>, Error> {
        let place = self.channel(channel, now)?;
        let channel = self.channels.get(place).into_iter();
        let slots = channel.flat_map(|channel| &channel.subscribers);
        let clients = slots.filter_map(|slot| self.clients.get(*slot));
        let counted = clients.filter(|client| {
            client.is_active(now, &self.limits) && !client.subscriptions.contains_key(ADMIN_CHANNEL)
        });
        Ok(counted.map(|client| client.id.clone()).collect())
    }

    pub(crate) fn client_channels(&self, id: &str) -> Result<Vec<Arc<str>>, Error> {
        let client = self.clients.named(id).ok_or(Error::UnknownClient)?;
        Ok(client.subscriptions.keys().cloned().collect())
    }

    /// Removes a client for ever, also one that was collected and might come back.
    pub(crate) fn kill_client(&mut self, id: &str) -> Result<(), Error> {
        let client = self.remove_client(id).or_else(|| self.dead.remove(id));
        let client = client.ok_or(Error::UnknownClient)?;
        self.due.extend(client.bells);
        Ok(())
    }

    /// Collects, among so many places from `first` on, the clients that are not active, and the channels that
    /// nobody has used for long. Where to go on, or `None` at the end.
    pub(crate) fn collect(&mut self, first: Slot, count: usize, now: Instant) -> Option<Slot> {
        let (clients, next_client) = self.clients.piece(first, count);
        let idle = clients.filter(|client| !client.is_active(now, &self.limits));
        let idle: Vec<Arc<str>> = idle.map(|client| client.id.clone()).collect();
        for id in idle {
            if let Some(mut client) = self.remove_client(&id) {
                log::debug!("comet: collected a client after {:?}", now - client.seen);
                client.bells = Vec::new();
                let capacity = self.limits.max_reconnecting;
                self.dead.insert(client, now, capacity);
            }
        }
        let within = self.limits.reconnect_within;
        self.dead.forget_old(now, within, count);
        let next_channel = self.collect_channels(first, count, now);
        next_client.max(next_channel)
    }

    fn collect_channels(&mut self, first: Slot, count: usize, now: Instant) -> Option<Slot> {
        let limit = self.limits.channel_idle;
        let (channels, next) = self.channels.piece(first, count);
        let unused = channels.filter(|channel| {
            channel.subscribers.is_empty() && now.saturating_duration_since(channel.used) > limit
        });
        let unused: Vec<Arc<str>> = unused.map(|channel| channel.name.clone()).collect();
        for name in unused {
            if let Some(channel) = self.channels.remove(&name) {
                self.first_id = self.first_id.max(channel.next_id());
            }
        }
        next
    }

    /// The channel of this name, which is made and announced if there is none.
    fn channel(&mut self, name: &str, now: Instant) -> Result<Slot, Error> {
        check_name(name)?;
        if let Some(place) = self.channels.find(name) {
            if let Some(channel) = self.channels.get_mut(place) {
                channel.used = now;
            }
            return Ok(place);
        }
        let most = self.limits.max_channels;
        if self.channels.len() >= most {
            return Err(Error::TooManyChannels { most });
        }
        let name: Arc<str> = name.into();
        let channel = Channel::new(name.clone(), self.first_id, now);
        let place = self.channels.insert(name.clone(), channel);
        self.announce(&name, now);
        Ok(place)
    }

    /// Says on the admin channel that there is a new channel. That channel may itself be new, and comes first.
    fn announce(&mut self, name: &str, now: Instant) {
        let name = super::json::to_string(name);
        let message = format!(r#"{{"type": "new_channel", "name": {name}}}"#);
        // Without room for it there is nobody to tell.
        if let Ok(admin) = self.channel(ADMIN_CHANNEL, now) {
            self.push(admin, SYSTEM_ID, &message);
        }
    }

    fn push(&mut self, place: Slot, id: &str, message: &str) {
        let Some(channel) = self.channels.get_mut(place) else {
            return;
        };
        channel.push(id, message, self.limits.messages_per_channel);
        let subscribers = channel.subscribers.iter();
        let clients = subscribers.filter_map(|slot| self.clients.get(*slot));
        let bells = clients.flat_map(|client| client.bells.iter().cloned());
        self.due.extend(bells);
    }

    /// Subscribes, if it is not yet, with what it had before if it comes back.
    fn join(&mut self, slot: Slot, place: Slot, before: Option<Subscription>) {
        let (Some(client), Some(channel)) =
            (self.clients.get_mut(slot), self.channels.get_mut(place))
        else {
            return;
        };
        let last = channel.last_id();
        let new = Subscription {
            since: last,
            cursor: last,
        };
        let subscription = client.subscriptions.entry(channel.name.clone());
        subscription.or_insert(before.unwrap_or(new));
        channel.subscribers.insert(slot);
        let id = client.id.clone();
        self.push(place, &id, SUBSCRIBED);
    }

    fn leave(&mut self, slot: Slot, place: Slot, id: &str, message: &str) {
        if let Some(channel) = self.channels.get_mut(place) {
            channel.subscribers.remove(&slot);
        }
        self.push(place, id, message);
    }

    /// Takes a client out of the table and out of its channels, which are told.
    fn remove_client(&mut self, id: &str) -> Option<Client> {
        let slot = self.clients.find(id)?;
        let client = self.clients.remove(id)?;
        for name in client.subscriptions.keys() {
            if let Some(place) = self.channels.find(name) {
                self.leave(slot, place, id, COLLECTED);
            }
        }
        Some(client)
    }

    /// Lets a client that was collected live again, with its key, its channels and its place in each of them.
    fn resurrect(&mut self, mut client: Client, now: Instant) -> Slot {
        let before = std::mem::take(&mut client.subscriptions);
        client.serial = self.serial();
        client.seen = now;
        let slot = self.clients.insert(client.id.clone(), client);
        for (name, subscription) in before {
            // Without room for a channel that is gone, it comes back without it.
            if let Ok(place) = self.channel(&name, now) {
                self.join(slot, place, Some(subscription));
            }
        }
        slot
    }

    fn find_client(&self, id: &str) -> Result<Slot, Error> {
        self.clients.find(id).ok_or(Error::UnknownClient)
    }

    fn check_room_for_client(&self) -> Result<(), Error> {
        let most = self.limits.max_clients;
        match self.clients.len() < most {
            true => Ok(()),
            false => Err(Error::TooManyClients { most }),
        }
    }

    fn serial(&mut self) -> u64 {
        self.next_serial += 1;
        self.next_serial
    }
}

/// Names come back in URLs and headers, and are kept for long.
fn check_name(name: &str) -> Result<(), Error> {
    match (1..=LONGEST_NAME).contains(&name.len()) {
        true => Ok(()),
        false => Err(Error::BadName),
    }
}
