//! Who is in which room. No I/O, no waiting.

use super::{Socket, Targets};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The name of a room.
pub type Room = Arc<str>;

/// The clients of a namespace, and their rooms. Each is also in a room of its own, by the name of its id, which takes
/// no memory.
#[derive(Debug, Default)]
pub(crate) struct Rooms<S = Socket> {
    members: HashMap<Arc<str>, Member<S>>,
    rooms: HashMap<Room, HashSet<Arc<str>>>,
}

#[derive(Debug)]
struct Member<S> {
    socket: S,
    rooms: HashSet<Room>,
}

impl<S: Clone> Rooms<S> {
    pub(crate) fn new() -> Rooms<S> {
        Rooms {
            members: HashMap::new(),
            rooms: HashMap::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn insert(&mut self, id: &Arc<str>, socket: S) {
        let rooms = HashSet::new();
        self.members.insert(id.clone(), Member { socket, rooms });
    }

    /// Takes a client out, with the rooms that it was in.
    pub(crate) fn remove(&mut self, id: &str) -> Option<Vec<Room>> {
        let member = self.members.remove(id)?;
        for room in &member.rooms {
            self.vacate(room, id);
        }
        Some(member.rooms.into_iter().collect())
    }

    pub(crate) fn get(&self, id: &str) -> Option<S> {
        self.members.get(id).map(|member| member.socket.clone())
    }

    /// Lets a client join a room; one that is gone joins none.
    pub(crate) fn join(&mut self, id: &str, room: &Room) {
        let Some((id, _)) = self.members.get_key_value(id) else {
            return;
        };
        let id = id.clone();
        if *room == id {
            return;
        }
        if let Some(member) = self.members.get_mut(&id)
            && member.rooms.insert(room.clone())
        {
            self.rooms.entry(room.clone()).or_default().insert(id);
        }
    }

    pub(crate) fn leave(&mut self, id: &str, room: &str) {
        if let Some(member) = self.members.get_mut(id)
            && let Some(room) = member.rooms.take(room)
        {
            self.vacate(&room, id);
        }
    }

    /// A room that is empty is none.
    fn vacate(&mut self, room: &Room, id: &str) {
        if let Some(ids) = self.rooms.get_mut(room) {
            ids.remove(id);
            if ids.is_empty() {
                self.rooms.remove(room);
            }
        }
    }

    /// The rooms of a client, its own first.
    pub(crate) fn of(&self, id: &str) -> Vec<Room> {
        let Some((own, member)) = self.members.get_key_value(id) else {
            return Vec::new();
        };
        let own = std::iter::once(own.clone());
        own.chain(member.rooms.iter().cloned()).collect()
    }

    /// How many rooms there are but those of clients by themselves.
    pub(crate) fn count(&self) -> usize {
        self.rooms.len()
    }

    /// All rooms but those of clients by themselves.
    pub(crate) fn names(&self) -> Vec<Room> {
        self.rooms.keys().cloned().collect()
    }

    /// Whether anybody is in a room.
    pub(crate) fn has(&self, room: &str) -> bool {
        self.rooms.contains_key(room) || self.members.contains_key(room)
    }

    fn is_in(&self, id: &str, room: &str) -> bool {
        id == room || self.rooms.get(room).is_some_and(|ids| ids.contains(id))
    }

    /// Those whom something is for, each once.
    pub(crate) fn select(&self, to: &Targets) -> Vec<S> {
        let excepted = |id: &str| to.except.iter().any(|room| self.is_in(id, room));
        if to.rooms.is_empty() {
            let members = self.members.iter().filter(|(id, _)| !excepted(id));
            return members.map(|(_, member)| member.socket.clone()).collect();
        }
        let mut selected = Vec::new();
        for (at, room) in to.rooms.iter().enumerate() {
            let earlier = &to.rooms[..at];
            let is_new = |id: &str| !earlier.iter().any(|room| self.is_in(id, room));
            let own = self.members.get_key_value(room).map(|(id, _)| id);
            let others = self.rooms.get(room).into_iter().flatten();
            let ids = own.into_iter().chain(others);
            let wanted = ids.filter(|id| is_new(id) && !excepted(id));
            let members = wanted.filter_map(|id| self.members.get(id));
            selected.extend(members.map(|member| member.socket.clone()));
        }
        selected
    }
}

#[cfg(test)]
mod tests {
    use super::Rooms;
    use crate::socketio::Targets;
    use std::sync::Arc;

    /// Ann in `red` and `blue`, Ben in `red`, Cid nowhere.
    fn three() -> Rooms<char> {
        let mut rooms = Rooms::new();
        for (id, socket) in [("ann", 'a'), ("ben", 'b'), ("cid", 'c')] {
            rooms.insert(&Arc::from(id), socket);
        }
        for (id, room) in [("ann", "red"), ("ann", "blue"), ("ben", "red")] {
            rooms.join(id, &Arc::from(room));
        }
        rooms
    }

    fn select(rooms: &Rooms<char>, to: &[&str], except: &[&str]) -> String {
        let names = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect();
        let targets = Targets {
            rooms: names(to),
            except: names(except),
            ..Targets::default()
        };
        let mut selected = rooms.select(&targets);
        selected.sort_unstable();
        selected.into_iter().collect()
    }

    #[test]
    fn each_is_selected_once() {
        let rooms = three();
        let table: [(&[&str], &[&str], &str); 9] = [
            (&[], &[], "abc"),
            (&["red"], &[], "ab"),
            (&["red", "blue"], &[], "ab"),
            (&["blue", "cid"], &[], "ac"),
            (&["red", "ann"], &[], "ab"),
            (&["green"], &[], ""),
            (&[], &["red"], "c"),
            (&[], &["ann"], "bc"),
            (&["red"], &["blue"], "b"),
        ];
        for (to, except, expected) in table {
            assert_eq!(select(&rooms, to, except), expected, "{to:?} {except:?}");
        }
    }

    #[test]
    fn empty_rooms_are_forgotten() {
        let mut rooms = three();
        rooms.leave("ann", "blue");
        assert_eq!(rooms.names(), [Arc::from("red")]);
        let mut left = rooms.remove("ann").unwrap();
        left.sort_unstable();
        assert_eq!(left, [Arc::from("red")]);
        rooms.leave("ben", "nowhere");
        rooms.leave("ben", "red");
        assert!(rooms.names().is_empty());
        assert_eq!(rooms.remove("ann"), None);
        rooms.join("ann", &Arc::from("red"));
        assert!(rooms.names().is_empty());
    }

    #[test]
    fn one_is_always_in_its_own_room() {
        let mut rooms = three();
        assert_eq!(rooms.of("cid"), [Arc::from("cid")]);
        rooms.join("cid", &Arc::from("cid"));
        rooms.leave("cid", "cid");
        assert_eq!(rooms.of("cid"), [Arc::from("cid")]);
        assert!(rooms.of("dan").is_empty());
    }
}
