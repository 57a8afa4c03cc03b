//! What readers get: a poll or a stream attaches, looks for messages that it has not had, and goes again.

use super::table::Slot;
use super::{Error, Hub};
use greenwire_runtime::sync::Event;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// One client, as a reader refers to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Member {
    slot: Slot,
    serial: u64,
}

/// A poll or a stream: the clients for which it reads, and what rings when there is something new.
#[derive(Debug)]
pub(crate) struct Reader {
    members: Vec<Member>,
    bell: Arc<Event>,
}

/// How far a reader has come: the last message that it had, by the channel's name.
pub(crate) type Position = BTreeMap<Arc<str>, u64>;

/// New messages of one channel.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) channel: Arc<str>,
    /// The id of the last one.
    pub(crate) last: u64,
    /// Each is `[id, "message", "client"]`.
    pub(crate) messages: Vec<Arc<str>>,
}

impl Reader {
    pub(crate) fn bell(&self) -> &Arc<Event> {
        &self.bell
    }
}

impl Hub {
    /// Begins to read for clients, by id and key; those that were collected come back. It goes on where each of
    /// them stopped, or, in the channels that `cursors` names, where that says.
    ///
    /// Nothing has changed if one of them is unknown.
    pub(crate) fn attach(
        &mut self,
        clients: &[(String, String)],
        cursors: &BTreeMap<String, u64>,
        now: Instant,
    ) -> Result<(Reader, Position), Error> {
        if !clients.iter().all(|(id, key)| self.knows(id, key)) {
            return Err(Error::UnknownClient);
        }
        let bell = Arc::new(Event::new());
        let mut members = Vec::with_capacity(clients.len());
        for (id, _) in clients {
            let slot = self.living(id, now)?;
            if let Some(client) = self.clients.get_mut(slot) {
                let serial = client.serial;
                members.push(Member { slot, serial });
                client.seen = now;
            }
        }
        for member in &members {
            if let Some(client) = self.clients.get_mut(member.slot) {
                client.bells.push(bell.clone());
            }
        }
        let position = self.position(&members, cursors);
        Ok((Reader { members, bell }, position))
    }

    /// Ends reading.
    pub(crate) fn detach(&mut self, reader: &Reader, now: Instant) {
        for member in &reader.members {
            let client = self.clients.get_mut(member.slot);
            if let Some(client) = client.filter(|client| client.serial == member.serial) {
                client.bells.retain(|bell| !Arc::ptr_eq(bell, &reader.bell));
                client.seen = now;
            }
        }
    }

    /// The messages that a reader at `position` has not had.
    pub(crate) fn updates(
        &self,
        reader: &Reader,
        position: &Position,
    ) -> Result<Vec<Update>, Error> {
        let mut starts: BTreeMap<&Arc<str>, u64> = BTreeMap::new();
        for member in &reader.members {
            for (name, subscription) in &self.member(*member)?.subscriptions {
                let had = position.get(name).copied().unwrap_or_default();
                let start = had.max(subscription.since);
                let earliest = starts.entry(name).or_insert(start);
                *earliest = start.min(*earliest);
            }
        }
        let updates = starts
            .into_iter()
            .filter_map(|(name, start)| self.update(name, start));
        Ok(updates.collect())
    }

    /// The messages of one channel after `start`, if there are any.
    fn update(&self, name: &Arc<str>, start: u64) -> Option<Update> {
        let channel = self.channels.named(name)?;
        let messages: Vec<Arc<str>> = channel.after(start).cloned().collect();
        (!messages.is_empty()).then(|| Update {
            channel: name.clone(),
            last: channel.last_id(),
            messages,
        })
    }

    /// Notes that the reader's clients were given these.
    pub(crate) fn advance(&mut self, reader: &Reader, updates: &[Update]) {
        for member in &reader.members {
            let client = self.clients.get_mut(member.slot);
            let Some(client) = client.filter(|client| client.serial == member.serial) else {
                continue;
            };
            for update in updates {
                if let Some(subscription) = client.subscriptions.get_mut(&update.channel) {
                    subscription.cursor = subscription.cursor.max(update.last);
                }
            }
        }
    }

    fn living(&mut self, id: &str, now: Instant) -> Result<Slot, Error> {
        if let Some(slot) = self.clients.find(id) {
            return Ok(slot);
        }
        self.check_room_for_client()?;
        let client = self.dead.remove(id).ok_or(Error::UnknownClient)?;
        log::debug!("comet: a client came back to life");
        Ok(self.resurrect(client, now))
    }

    fn member(&self, member: Member) -> Result<&super::Client, Error> {
        let client = self.clients.get(member.slot);
        let client = client.filter(|client| client.serial == member.serial);
        client.ok_or(Error::UnknownClient)
    }

    /// Where a new reader begins: with the client that has had least, never beyond what there is.
    fn position(&self, members: &[Member], cursors: &BTreeMap<String, u64>) -> Position {
        let mut position = Position::new();
        let clients = members
            .iter()
            .filter_map(|member| self.clients.get(member.slot));
        for (name, subscription) in clients.flat_map(|client| &client.subscriptions) {
            let last = self
                .channels
                .named(name)
                .map_or(0, |channel| channel.last_id());
            let told = cursors.get(&**name).copied();
            let start = told.unwrap_or(subscription.cursor).min(last);
            let earliest = position.entry(name.clone()).or_insert(start);
            *earliest = start.min(*earliest);
        }
        position
    }
}
