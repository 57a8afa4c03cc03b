//! The connection as its user first meets it: whole.

use crate::connection::Connection;
use crate::protocol::close::CloseReason;
use crate::receiver::{MessageReader, Receiver};
use crate::sender::{MessageWriter, Sender};
use crate::{Error, Kind, Message, MessageRef, Payload};
use std::sync::Arc;

/// A websocket connection.
///
/// Its methods are those of its two halves; [`split`](Self::split) lets two threads use them at once.
#[derive(Debug)]
pub struct WebSocket {
    sender: Sender,
    receiver: Receiver,
}

impl WebSocket {
    pub(crate) fn new(receiver: Receiver) -> WebSocket {
        let sender = receiver.sender();
        WebSocket { sender, receiver }
    }

    pub(crate) fn connection(&self) -> Arc<Connection> {
        self.sender.connection().clone()
    }

    /// Splits the connection, so that one thread receives while others send. Costs nothing: no
    /// second descriptor, no thread.
    #[must_use]
    pub fn split(self) -> (Sender, Receiver) {
        (self.sender, self.receiver)
    }

    /// Another sender for the same connection.
    #[must_use]
    pub fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// The subprotocol that was agreed on (RFC 6455 §1.9).
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.sender.connection().protocol.as_deref()
    }

    /// See [`Receiver::receive`].
    ///
    /// # Errors
    /// As there.
    pub fn receive(&mut self) -> Result<Option<Message>, Error> {
        self.receiver.receive()
    }

    /// See [`Receiver::receive_ref`]. To send while a message is lent, [`split`](Self::split) the connection.
    ///
    /// # Errors
    /// As there.
    pub fn receive_ref(&mut self) -> Result<Option<MessageRef<'_>>, Error> {
        self.receiver.receive_ref()
    }

    /// See [`Receiver::reader`].
    ///
    /// # Errors
    /// As there.
    pub fn reader(&mut self) -> Result<Option<MessageReader<'_>>, Error> {
        self.receiver.reader()
    }

    /// See [`Receiver::close_reason`].
    #[must_use]
    pub fn close_reason(&self) -> Option<&CloseReason> {
        self.receiver.close_reason()
    }

    /// See [`Sender::send`].
    ///
    /// # Errors
    /// As there.
    pub fn send(&self, message: impl Payload) -> Result<(), Error> {
        self.sender.send(message)
    }

    /// See [`Sender::writer`].
    ///
    /// # Errors
    /// As there.
    pub fn writer(&self, kind: Kind) -> Result<MessageWriter, Error> {
        self.sender.writer(kind)
    }

    /// See [`Sender::flush`].
    pub fn flush(&self) {
        self.sender.flush();
    }

    /// See [`Sender::ping`].
    ///
    /// # Errors
    /// As there.
    pub fn ping(&self, payload: &[u8]) -> Result<(), Error> {
        self.sender.ping(payload)
    }

    /// See [`Sender::close`].
    ///
    /// # Errors
    /// As there.
    pub fn close(&self, code: u16, reason: &str) -> Result<(), Error> {
        self.sender.close(code, reason)
    }

    /// See [`Sender::is_closed`].
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}
