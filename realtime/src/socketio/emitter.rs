//! `Emitter`: emitting to one client in another way than usually.

use super::adapter::Flags;
use super::{Args, Error, IntoArgs, Socket};
use std::time::Duration;

/// Emits to one client, in the way that was asked for. Made by [`Socket::volatile`] and [`Socket::timeout`].
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing until something is emitted"]
pub struct Emitter<'a> {
    socket: &'a Socket,
    flags: Flags,
}

impl<'a> Emitter<'a> {
    pub(crate) fn new(socket: &'a Socket) -> Emitter<'a> {
        let flags = Flags::default();
        Emitter { socket, flags }
    }

    /// Gives up if something is on its way to the client already.
    pub fn volatile(mut self) -> Emitter<'a> {
        self.flags.volatile = true;
        self
    }

    /// Waits for the answer at most so long.
    pub fn timeout(mut self, limit: Duration) -> Emitter<'a> {
        self.flags.timeout = Some(limit);
        self
    }

    /// As [`Socket::emit`].
    ///
    /// # Errors
    /// As there. What was given up is no error.
    pub fn emit(self, name: &str, args: impl IntoArgs) -> Result<(), Error> {
        let (socket, args) = (self.socket, args.into_args()?);
        if self.flags.volatile {
            return match socket.client().wire().is_writable() {
                true => socket.send_event(name, args, None),
                false => Ok(()),
            };
        }
        match socket.namespace().keeps_events() && socket.is_connected() {
            true => socket.namespace().emit_here(name, &args, &socket.itself()),
            false => socket.send_event(name, args, None),
        }
    }

    /// As [`Socket::emit_with_ack`].
    ///
    /// # Errors
    /// As there.
    pub fn emit_with_ack(self, name: &str, args: impl IntoArgs) -> Result<Args, Error> {
        let default = self.socket.server().config.ack_timeout;
        let limit = self.flags.timeout.unwrap_or(default);
        self.socket.ask(name, args.into_args()?, limit)
    }
}
