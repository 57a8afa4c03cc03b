//! The connection as its user sees it: whole, or split into a sender and a receiver.

use crate::connection::Connection;
use crate::inbound::Inbound;
use crate::protocol::decoder::Event;
use crate::protocol::frame::Opcode;
use crate::protocol::{Role, close, close::CloseReason, violation::Violation};
use crate::{Error, Message};
use greenwire_runtime::thread;
use std::io;
use std::sync::Arc;

/// A websocket connection.
///
/// Its methods are those of its two halves; [`split`](Self::split) lets two threads use them at once.
#[derive(Debug)]
pub struct WebSocket {
    sender: Sender,
    receiver: Receiver,
}

/// The sending half. Clone it freely: messages from any number of threads never mix.
///
/// Dropping senders closes nothing; the connection ends with its handler, or by
/// [`close`](Self::close).
#[derive(Clone, Debug)]
pub struct Sender {
    connection: Arc<Connection>,
}

/// The receiving half.
#[derive(Debug)]
pub struct Receiver {
    connection: Arc<Connection>,
    inbound: Inbound,
    close_reason: Option<CloseReason>,
    /// The connection ended by an error, not by a close.
    broken: bool,
}

impl WebSocket {
    pub(crate) fn new(receiver: Receiver) -> WebSocket {
        let sender = Sender {
            connection: receiver.connection.clone(),
        };
        WebSocket { sender, receiver }
    }

    pub(crate) fn connection(&self) -> Arc<Connection> {
        self.sender.connection.clone()
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
        self.sender.connection.protocol.as_deref()
    }

    /// See [`Receiver::receive`].
    ///
    /// # Errors
    /// As there.
    pub fn receive(&mut self) -> Result<Option<Message>, Error> {
        self.receiver.receive()
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
    pub fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.sender.send(message)
    }

    /// See [`Sender::send_text`].
    ///
    /// # Errors
    /// As there.
    pub fn send_text(&self, text: &str) -> Result<(), Error> {
        self.sender.send_text(text)
    }

    /// See [`Sender::send_binary`].
    ///
    /// # Errors
    /// As there.
    pub fn send_binary(&self, bytes: &[u8]) -> Result<(), Error> {
        self.sender.send_binary(bytes)
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

impl Sender {
    /// Sends a message. It leaves when the calling green thread next waits for anything, or at once
    /// when 64 KiB have gathered; on an OS thread at once, except that the thread which receives
    /// gathers its replies to messages that arrived together.
    ///
    /// Waits while the peer is so slow that [`Config::max_queued`](crate::Config::max_queued) bytes
    /// are queued for it.
    ///
    /// # Errors
    /// [`Error::Closed`] once either side has begun to close; [`Error::Io`] if the stream failed,
    /// perhaps while it carried an earlier message.
    pub fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.connection.send(&message.into())
    }

    /// As [`send`](Self::send), without a copy of the text.
    ///
    /// # Errors
    /// As `send`.
    pub fn send_text(&self, text: &str) -> Result<(), Error> {
        self.connection.outbound.send(Opcode::Text, text.as_bytes())
    }

    /// As [`send`](Self::send), without a copy of the bytes.
    ///
    /// # Errors
    /// As `send`.
    pub fn send_binary(&self, bytes: &[u8]) -> Result<(), Error> {
        self.connection.outbound.send(Opcode::Binary, bytes)
    }

    /// Writes what has gathered, as far as the socket takes it; never waits. For a message that
    /// should leave before a long computation.
    pub fn flush(&self) {
        self.connection.outbound.flush();
    }

    /// Sends a ping of up to 125 bytes (RFC 6455 §5.5.2). The answer is not reported.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::Io`] of kind `InvalidInput` for a longer payload.
    pub fn ping(&self, payload: &[u8]) -> Result<(), Error> {
        self.connection.ping(payload)
    }

    /// Begins the closing handshake (RFC 6455 §7.1.2) and returns; nothing can be sent after it. The
    /// receiver still gets what the peer had sent, then `None`, at the latest after
    /// [`Config::close_timeout`](crate::Config::close_timeout). Closing again does nothing.
    ///
    /// `code` is one of [`code`](crate::code) or 3000 to 4999; `reason` is cut after 123 bytes.
    ///
    /// # Errors
    /// [`Error::Io`]: of kind `InvalidInput` for a code that may not be sent, else if the stream
    /// failed.
    pub fn close(&self, code: u16, reason: &str) -> Result<(), Error> {
        self.connection.close(code, reason)
    }

    /// Whether sending is over: either side has begun to close, or the stream failed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !self.connection.outbound.is_open()
    }
}

impl Receiver {
    pub(crate) fn new(connection: Arc<Connection>, inbound: Inbound) -> Receiver {
        Receiver {
            connection,
            inbound,
            close_reason: None,
            broken: false,
        }
    }

    /// Waits for the next message; `None` when the connection is closed.
    ///
    /// Pings are answered, pongs ignored. A peer's close is answered, and everything that was sent
    /// before reaches the peer; this waits until the peer hangs up, at most for
    /// [`Config::close_timeout`](crate::Config::close_timeout).
    ///
    /// # Errors
    /// [`Error::Protocol`] if the peer broke the rules (it has been told), [`Error::Io`] if the
    /// stream failed or ended without a close, and after either of them [`Error::Closed`].
    pub fn receive(&mut self) -> Result<Option<Message>, Error> {
        if self.inbound.is_finished() {
            return if self.broken {
                Err(Error::Closed)
            } else {
                Ok(None)
            };
        }
        let result = self.next_message();
        if !matches!(result, Ok(Some(_))) {
            self.broken = result.is_err();
            self.inbound.set_finished();
        }
        result
    }

    /// What the peer's close frame said, after [`receive`](Self::receive) returned `None`. `None`
    /// here as well if this side closed and the peer hung up, or did nothing, instead of answering.
    #[must_use]
    pub fn close_reason(&self) -> Option<&CloseReason> {
        self.close_reason.as_ref()
    }

    fn next_message(&mut self) -> Result<Option<Message>, Error> {
        loop {
            match self.inbound.next_event() {
                Ok(Some(Event::Message(message))) => {
                    let more = !thread::is_green() && self.inbound.has_more();
                    self.connection.outbound.set_gathering(more);
                    return Ok(Some(message));
                }
                Ok(Some(Event::Ping)) => self.answer_ping()?,
                Ok(Some(Event::Pong)) => {}
                Ok(Some(Event::Close(reason))) => {
                    self.answer_close(reason);
                    return Ok(None);
                }
                Ok(None) if self.fill()? => {}
                Ok(None) => return Ok(None),
                Err(violation) => return Err(self.refuse(violation)),
            }
        }
    }

    fn answer_ping(&self) -> Result<(), Error> {
        let payload = self.inbound.ping_payload();
        match self.connection.outbound.send(Opcode::Pong, payload) {
            Err(Error::Closed) => Ok(()),
            result => result,
        }
    }

    /// Waits for bytes; `false` if a close that this side began ended without an answer.
    fn fill(&mut self) -> Result<bool, Error> {
        let connection = &self.connection;
        connection.outbound.set_gathering(false);
        let limit = connection.begin_read();
        let read = match limit {
            Some(limit) if limit.is_zero() => Err(io::ErrorKind::TimedOut.into()),
            Some(_) => connection
                .outbound
                .stream()
                .set_read_timeout(limit)
                .and_then(|()| self.inbound.fill(connection.outbound.stream())),
            None => self.inbound.fill(connection.outbound.stream()),
        };
        connection.end_read();
        match read {
            Ok(true) => Ok(true),
            Ok(false) => self.stream_ended(io::ErrorKind::UnexpectedEof.into()),
            Err(error) => self.stream_ended(error),
        }
    }

    /// The stream ended without a close frame: expected only while this side closes.
    fn stream_ended(&mut self, error: io::Error) -> Result<bool, Error> {
        if let Some(failure) = self.connection.outbound.failure() {
            return Err(failure);
        }
        let closing = self.connection.outbound.closing_since().is_some();
        self.connection.outbound.fail(&error);
        if closing {
            Ok(false)
        } else {
            Err(error.into())
        }
    }

    fn answer_close(&mut self, reason: CloseReason) {
        self.connection
            .answer_close(&close::payload(reason.code(), ""));
        self.connection.finish(self.connection.role == Role::Server);
        self.close_reason = Some(reason);
    }

    fn refuse(&mut self, violation: Violation) -> Error {
        log::debug!("websocket: {violation}");
        let payload = close::payload(violation.close_code(), &violation.to_string());
        self.connection.answer_close(&payload);
        self.connection.finish(true);
        violation.into()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.connection.outbound.set_gathering(false);
        self.connection.give_back(self.inbound.take());
    }
}
