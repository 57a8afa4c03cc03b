//! Things that have a name and a place: found by either, and gone through a piece at a time.

use slab::Slab;
use std::collections::HashMap;
use std::sync::Arc;

/// The place of a thing in its table. Used again once the thing has been removed.
pub(crate) type Slot = usize;

#[derive(Debug)]
pub(super) struct Table<T> {
    things: Slab<T>,
    slots: HashMap<Arc<str>, Slot>,
}

impl<T> Table<T> {
    pub(super) fn new() -> Table<T> {
        Table {
            things: Slab::new(),
            slots: HashMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.things.len()
    }

    pub(super) fn find(&self, name: &str) -> Option<Slot> {
        self.slots.get(name).copied()
    }

    pub(super) fn named(&self, name: &str) -> Option<&T> {
        self.get(self.find(name)?)
    }

    pub(super) fn named_mut(&mut self, name: &str) -> Option<&mut T> {
        self.get_mut(self.find(name)?)
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&T> {
        self.things.get(slot)
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.things.get_mut(slot)
    }

    /// The name must be new.
    pub(super) fn insert(&mut self, name: Arc<str>, thing: T) -> Slot {
        let slot = self.things.insert(thing);
        self.slots.insert(name, slot);
        slot
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<T> {
        let slot = self.slots.remove(name)?;
        self.things.try_remove(slot)
    }

    /// The things in these many places from `first` on, and where to go on after them; `None` at the end.
    pub(super) fn piece(
        &self,
        first: Slot,
        count: usize,
    ) -> (impl Iterator<Item = &T>, Option<Slot>) {
        let places = self.things.capacity();
        let end = first.saturating_add(count).min(places);
        let next = (end < places).then_some(end);
        ((first..end).filter_map(|slot| self.get(slot)), next)
    }
}
