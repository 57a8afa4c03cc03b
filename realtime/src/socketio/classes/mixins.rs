//! What objects can do with others: rooms, and the whole namespace.

use super::Namespace;
use crate::socketio::{Error, IntoArgs};

/// Rooms, as gevent-socketio's `RoomsMixin`. Every [`Namespace`] has them.
pub trait Rooms: Namespace {
    /// Lets the client join a room.
    fn join(&self, room: &str) {
        self.socket().join(room);
    }

    /// Lets the client leave a room.
    fn leave(&self, room: &str) {
        self.socket().leave(room);
    }

    /// Emits an event to all others in a room.
    ///
    /// # Errors
    /// As [`Broadcast::emit`](crate::socketio::Broadcast::emit).
    fn emit_to_room(&self, room: &str, event: &str, args: impl IntoArgs) -> Result<(), Error> {
        self.socket().to(room).emit(event, args)
    }
}

/// Events for all, as gevent-socketio's `BroadcastMixin`. Every [`Namespace`] has them.
pub trait Broadcasts: Namespace {
    /// Emits an event to all in the namespace.
    ///
    /// # Errors
    /// As [`Broadcast::emit`](crate::socketio::Broadcast::emit).
    fn broadcast_event(&self, event: &str, args: impl IntoArgs) -> Result<(), Error> {
        self.socket().namespace().emit(event, args)
    }

    /// Emits an event to all others in the namespace.
    ///
    /// # Errors
    /// As [`Broadcast::emit`](crate::socketio::Broadcast::emit).
    fn broadcast_event_not_me(&self, event: &str, args: impl IntoArgs) -> Result<(), Error> {
        self.socket().broadcast().emit(event, args)
    }
}

impl<N: Namespace> Rooms for N {}
impl<N: Namespace> Broadcasts for N {}
