//! The receiving half, and messages that are received in pieces.

use crate::connection::Connection;
use crate::inbound::Inbound;
use crate::protocol::decoder::{Arrived, Event};
use crate::protocol::frame::Opcode;
use crate::protocol::{Role, close, close::CloseReason};
use crate::silence::{Call, Silence};
use crate::{Error, Kind, Message, MessageRef, Sender};
use greenwire_runtime::thread;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

/// The receiving half.
#[derive(Debug)]
pub struct Receiver {
    connection: Arc<Connection>,
    /// Boxed, to leave stacks at the one page that an idle connection needs.
    state: Box<State>,
}

#[derive(Debug)]
struct State {
    inbound: Inbound,
    /// The message that is lent.
    lent: Option<Arrived>,
    silence: Silence,
    close_reason: Option<CloseReason>,
    /// The connection ended by an error, not by a close.
    broken: bool,
    /// A message was read in pieces, but not to its end: what is left of it is skipped.
    skipping: bool,
}

/// How far the bytes at hand have brought us.
enum Step {
    /// A message, or its last piece.
    Message(Arrived),
    /// There may be a piece of a message, and bytes.
    Piece,
    Closed,
}

impl Receiver {
    /// Never inlined, as [`Connection::start`].
    #[inline(never)]
    pub(crate) fn new(connection: Arc<Connection>, inbound: Inbound) -> Receiver {
        let state = Box::new(State {
            inbound,
            lent: None,
            silence: Silence::new(&connection.outbound.settings),
            close_reason: None,
            broken: false,
            skipping: false,
        });
        Receiver { connection, state }
    }

    pub(crate) fn sender(&self) -> Sender {
        Sender::new(self.connection.clone())
    }

    /// Waits for the next message; `None` when the connection is closed.
    ///
    /// Pings are answered, pongs ignored. A peer's close is answered, and everything that was sent
    /// before reaches the peer; this waits until the peer hangs up, at most for
    /// [`Config::close_timeout`](crate::Config::close_timeout). A peer that is silent for long is sent
    /// pings, and is given up in the end: see [`Config::heartbeat`](crate::Config::heartbeat) and
    /// [`Config::idle_timeout`](crate::Config::idle_timeout).
    ///
    /// # Errors
    /// [`Error::Protocol`] if the peer broke the rules (it has been told), [`Error::Io`] if the
    /// stream failed, ended without a close or was silent for too long, and after either of them
    /// [`Error::Closed`].
    pub fn receive(&mut self) -> Result<Option<Message>, Error> {
        let Some(message) = self.next_or_end()? else {
            return Ok(None);
        };
        let message = self.whole(message);
        self.note_end(message.is_ok(), message.is_err());
        message.map(Some)
    }

    /// As [`receive`](Self::receive), but only lends the message: one that has come in one piece, as most do, is
    /// neither copied nor given memory of its own. While it is lent the connection keeps a buffer of 64 KiB; to
    /// wait for anything else meanwhile, take a copy: `Message::from(message)`.
    ///
    /// ```no_run
    /// use greenwire_websocket::{Error, MessageRef, WebSocket};
    ///
    /// fn count_words(ws: WebSocket) -> Result<(), Error> {
    ///     let (sender, mut receiver) = ws.split();
    ///     while let Some(message) = receiver.receive_ref()? {
    ///         if let MessageRef::Text(text) = message {
    ///             sender.send(text.split_whitespace().count().to_string())?;
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_ref(&mut self) -> Result<Option<MessageRef<'_>>, Error> {
        let Some(message) = self.next_or_end()? else {
            return Ok(None);
        };
        let message = self.state.inbound.lend(self.state.lent.insert(message));
        self.state.broken = message.is_err();
        message
            .map(Some)
            .map_err(|violation| self.connection.refuse(violation))
    }

    /// Waits for the next message to begin, to be read piece by piece however long it is: the limits
    /// on sizes do not hold for it. `None` when the connection is closed.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn reader(&mut self) -> Result<Option<MessageReader<'_>>, Error> {
        if let Some(end) = self.ended() {
            return end.map(|()| None);
        }
        let result = self.begin_pieces();
        self.note_end(matches!(result, Ok(Some(_))), result.is_err());
        Ok(result?.map(|(kind, piece, complete)| MessageReader {
            receiver: self,
            kind,
            piece,
            at: 0,
            complete,
        }))
    }

    /// What the peer's close frame said, after [`receive`](Self::receive) returned `None`. `None`
    /// here as well if this side closed and the peer hung up, or did nothing, instead of answering.
    #[must_use]
    pub fn close_reason(&self) -> Option<&CloseReason> {
        self.state.close_reason.as_ref()
    }

    /// How the connection ended, if it has.
    fn ended(&self) -> Option<Result<(), Error>> {
        if self.state.broken {
            Some(Err(Error::Closed))
        } else {
            self.state.inbound.is_finished().then_some(Ok(()))
        }
    }

    fn note_end(&mut self, goes_on: bool, broken: bool) {
        if !goes_on {
            self.state.broken = broken;
            self.state.inbound.set_finished();
        }
    }

    /// Waits for the next message, unless the connection has ended.
    fn next_or_end(&mut self) -> Result<Option<Arrived>, Error> {
        self.state.lent = None;
        if let Some(end) = self.ended() {
            return end.map(|()| None);
        }
        let result = self.next_message();
        self.note_end(matches!(result, Ok(Some(_))), result.is_err());
        result
    }

    fn next_message(&mut self) -> Result<Option<Arrived>, Error> {
        loop {
            match self.step()? {
                Step::Message(_) if self.state.skipping => self.state.skipping = false,
                Step::Message(message) => {
                    let more = !thread::is_green() && self.state.inbound.has_more();
                    self.connection.outbound.set_gathering(more);
                    return Ok(Some(message));
                }
                Step::Piece => {
                    if self.state.skipping {
                        self.state.inbound.take_piece();
                    }
                    if self.state.inbound.is_empty() && !self.fill()? {
                        return Ok(None);
                    }
                }
                Step::Closed => return Ok(None),
            }
        }
    }

    /// The beginning of the next message, and whether that is all of it.
    fn begin_pieces(&mut self) -> Result<Option<(Kind, Vec<u8>, bool)>, Error> {
        loop {
            if !self.state.skipping {
                self.state.inbound.read_in_pieces();
            }
            match self.step()? {
                Step::Message(_) if self.state.skipping => self.state.skipping = false,
                Step::Message(message) => {
                    let message = self.whole(message)?;
                    return Ok(Some((message.kind(), message.into_bytes(), true)));
                }
                Step::Piece => {
                    let piece = self.state.inbound.take_piece();
                    if let Some(kind) = self.state.inbound.arriving()
                        && !self.state.skipping
                    {
                        return Ok(Some((kind, piece, false)));
                    }
                    if self.state.inbound.is_empty() && !self.fill()? {
                        return Ok(None);
                    }
                }
                Step::Closed => return Ok(None),
            }
        }
    }

    /// The next piece of a message that has begun, and whether it is the last; `None` when the
    /// connection is closed.
    fn next_piece(&mut self) -> Result<Option<(Vec<u8>, bool)>, Error> {
        loop {
            match self.step()? {
                Step::Message(message) => {
                    return Ok(Some((self.whole(message)?.into_bytes(), true)));
                }
                Step::Piece => {
                    let piece = self.state.inbound.take_piece();
                    if !piece.is_empty() {
                        return Ok(Some((piece, false)));
                    }
                    if self.state.inbound.is_empty() && !self.fill()? {
                        return Ok(None);
                    }
                }
                Step::Closed => return Ok(None),
            }
        }
    }

    /// Goes through the bytes at hand and does what control frames ask for.
    #[inline]
    fn step(&mut self) -> Result<Step, Error> {
        loop {
            match self.state.inbound.next_event() {
                Ok(Some(Event::Message(message))) => return Ok(Step::Message(message)),
                Ok(Some(Event::Ping)) => self.answer_ping()?,
                Ok(Some(Event::Pong)) => {}
                Ok(Some(Event::Close(reason))) => {
                    self.answer_close(reason);
                    return Ok(Step::Closed);
                }
                Ok(None) => return Ok(Step::Piece),
                Err(violation) => return Err(self.connection.refuse(violation)),
            }
        }
    }

    fn whole(&mut self, message: Arrived) -> Result<Message, Error> {
        let message = self.state.inbound.take_message(message);
        message.map_err(|violation| self.connection.refuse(violation))
    }

    fn answer_ping(&self) -> Result<(), Error> {
        let payload = self.state.inbound.ping_payload();
        not_if_closed(self.connection.outbound.send_control(Opcode::Pong, payload))
    }

    /// Waits for bytes; `false` if a close that this side began ended without an answer.
    fn fill(&mut self) -> Result<bool, Error> {
        self.connection.outbound.set_gathering(false);
        loop {
            let closing = self.connection.begin_read();
            let read = self.wait_and_read(closing.or(self.state.silence.next_wait()));
            self.connection.end_read();
            match read {
                Ok(true) => {
                    self.state.silence.ends();
                    return Ok(true);
                }
                Ok(false) => return self.stream_ended(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && closing.is_none() => {
                    self.act_on_silence()?;
                }
                Err(error) => return self.stream_ended(error),
            }
        }
    }

    fn wait_and_read(&mut self, limit: Option<Duration>) -> io::Result<bool> {
        if limit.is_some_and(|limit| limit.is_zero()) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let wait = self.state.silence.wait();
        let read = self
            .state
            .inbound
            .fill(self.connection.outbound.stream(), limit);
        wait.end();
        read
    }

    fn act_on_silence(&mut self) -> Result<(), Error> {
        match self.state.silence.lasts() {
            Call::Ping => not_if_closed(self.connection.outbound.send_control(Opcode::Ping, b"")),
            Call::GiveUp => {
                log::debug!("websocket: the peer is silent");
                self.connection
                    .give_up(close::code::GOING_AWAY, "silent for too long");
                let error =
                    io::Error::new(io::ErrorKind::TimedOut, "the peer says nothing any more");
                Err(error.into())
            }
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
        self.state.close_reason = Some(reason);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.connection.outbound.set_gathering(false);
        if self.state.broken {
            self.state.inbound.set_finished();
        }
        self.connection
            .give_back(Box::new(self.state.inbound.take()));
    }
}

/// A message that is received piece by piece: [`Read`] ends where the message does. At most a few
/// hundred kilobytes of it are in memory at any time.
///
/// What is not read of it is skipped by the next [`receive`](Receiver::receive). When the connection
/// ends within the message, `read` fails with `UnexpectedEof`.
///
/// ```no_run
/// use greenwire_websocket::{Error, WebSocket};
///
/// fn save(ws: &mut WebSocket, mut file: std::fs::File) -> Result<(), Error> {
///     if let Some(mut message) = ws.reader()? {
///         std::io::copy(&mut message, &mut file)?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct MessageReader<'a> {
    receiver: &'a mut Receiver,
    kind: Kind,
    piece: Vec<u8>,
    at: usize,
    complete: bool,
}

impl MessageReader<'_> {
    /// Text or binary. Text is checked to be UTF-8 as it arrives; a read may cut a character.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl Read for MessageReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() && !self.complete {
            if self.receiver.state.inbound.is_finished() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let next = self.receiver.next_piece();
            let goes_on = matches!(next, Ok(Some(_)));
            self.receiver.note_end(goes_on, next.is_err());
            if let Some(next) = next.map_err(io::Error::from)? {
                (self.piece, self.complete) = next;
                self.at = 0;
            }
        }
        let n = buf.len().min(self.piece.len() - self.at);
        buf[..n].copy_from_slice(&self.piece[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

impl Drop for MessageReader<'_> {
    fn drop(&mut self) {
        self.receiver.state.skipping = !self.complete;
    }
}

/// To a connection that is closing nothing needs to be sent any more.
fn not_if_closed(sent: Result<(), Error>) -> Result<(), Error> {
    match sent {
        Err(Error::Closed) => Ok(()),
        sent => sent,
    }
}
