//! The sending half, and messages that are sent in pieces.

use crate::connection::Connection;
use crate::outbound::{COPIED_BELOW, Wave};
use crate::payload::sealed::Outgoing;
use crate::protocol::close::code;
use crate::protocol::frame::{First, Opcode};
use crate::protocol::text::Text;
use crate::{Error, Kind, Payload, Prepared};
use std::io::{self, Write};
use std::sync::Arc;

/// The pieces of a message that is sent in pieces have this many bytes.
const PIECE: usize = 16 * 1024;

/// The sending half. Clone it freely: messages from any number of threads never mix.
///
/// Dropping senders closes nothing; the connection ends with its handler, or by
/// [`close`](Self::close).
#[derive(Clone, Debug)]
pub struct Sender {
    connection: Arc<Connection>,
}

impl Sender {
    pub(crate) fn new(connection: Arc<Connection>) -> Sender {
        Sender { connection }
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Sends a message: text, bytes, a [`Message`](crate::Message), a [`Prepared`] one.
    ///
    /// It leaves when the calling green thread next waits for anything, or at once when 64 KiB have
    /// gathered, or when a server only lends 16 KiB or more; on an OS thread at once, except that the thread which
    /// receives gathers its short replies to messages that arrived together.
    ///
    /// While the peer is so slow that [`Config::max_queued`](crate::Config::max_queued) bytes are
    /// queued for it, [`Config::slow_reader`](crate::Config::slow_reader) decides: by default this
    /// waits. A message that is dropped is no error; [`dropped`](Self::dropped) counts them.
    ///
    /// # Errors
    /// [`Error::Closed`] once either side has begun to close, or the slow peer was
    /// [`Error::SlowReader`]; [`Error::Io`] if the stream failed, perhaps while it carried an earlier
    /// message.
    pub fn send(&self, mut message: impl Payload) -> Result<(), Error> {
        let outbound = &self.connection.outbound;
        let given = message.give(COPIED_BELOW);
        let sent = match (message.outgoing(), given) {
            (Outgoing::Plain(kind, _), Some(payload)) => outbound.send(kind, payload.into()),
            (Outgoing::Plain(kind, payload), None) => outbound.send(kind, payload.into()),
            (Outgoing::Prepared(prepared), _) => outbound.send_prepared(prepared),
        };
        match sent {
            Ok(_taken) => Ok(()),
            Err(error) => Err(self.part_with_slow_reader(error)),
        }
    }

    /// As [`send`](Self::send), but never waits; whether the message was taken.
    pub(crate) fn broadcast(&self, prepared: &Prepared, wave: &mut Wave) -> Result<bool, Error> {
        let sent = self.connection.outbound.broadcast(prepared, wave);
        sent.map_err(|error| self.part_with_slow_reader(error))
    }

    /// Begins a message whose pieces are written one after the other, as long as it may be: see
    /// [`MessageWriter`]. Waits while another one is being sent so.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn writer(&self, kind: Kind) -> Result<MessageWriter, Error> {
        self.connection.outbound.begin_pieces()?;
        Ok(MessageWriter {
            sender: self.clone(),
            opcode: kind.into(),
            text: (kind == Kind::Text).then(Text::default),
            piece: Vec::new(),
            finished: false,
        })
    }

    /// Writes what has gathered, as far as the socket takes it; never waits. For a message that
    /// should leave before a long computation.
    pub fn flush(&self) {
        self.connection.outbound.flush();
    }

    /// Sends a ping of up to 125 bytes (RFC 6455 §5.5.2). The answer is not reported. Left out while
    /// a slow peer has [`Config::max_queued`](crate::Config::max_queued) bytes to read.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::Io`] of kind `InvalidInput` for a longer payload.
    pub fn ping(&self, payload: &[u8]) -> Result<(), Error> {
        if payload.len() > 125 {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "ping of over 125 bytes");
            return Err(error.into());
        }
        self.connection.outbound.send_control(Opcode::Ping, payload)
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

    /// How many bytes wait for a peer that reads slowly; what waits for this thread to park counts too.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.connection.outbound.queued()
    }

    /// How many messages were dropped because the peer read too slowly.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.connection.outbound.dropped()
    }

    #[cold]
    fn part_with_slow_reader(&self, error: Error) -> Error {
        if matches!(error, Error::SlowReader) {
            self.connection.part_with_slow_reader();
        }
        error
    }
}

/// A message that is sent piece by piece, as fragments (RFC 6455 §5.4): for messages that are longer
/// than memory, or whose beginning should arrive before their end is known.
///
/// Its `write` waits while [`Config::max_queued`](crate::Config::max_queued) bytes are queued, whatever
/// the policy. Messages of other senders wait for its end, while pings, pongs and a close pass. It is
/// not compressed. Text has to be UTF-8, or `write` fails with `InvalidData`; characters may be cut
/// between two writes.
///
/// [`finish`](Self::finish) ends the message. Dropping it unfinished closes the connection with 1011,
/// since the peer must not take a part for the whole.
///
/// ```no_run
/// use greenwire_websocket::{Error, Kind, WebSocket};
///
/// fn send_file(ws: &WebSocket, mut file: std::fs::File) -> Result<(), Error> {
///     let mut writer = ws.writer(Kind::Binary)?;
///     std::io::copy(&mut file, &mut writer)?;
///     writer.finish()
/// }
/// ```
#[derive(Debug)]
#[must_use = "a message that is not finished closes the connection"]
pub struct MessageWriter {
    sender: Sender,
    /// That of the next frame.
    opcode: Opcode,
    /// Checks the text, and keeps the beginning of a character.
    text: Option<Text>,
    piece: Vec<u8>,
    finished: bool,
}

impl MessageWriter {
    /// Ends the message.
    ///
    /// # Errors
    /// As [`Sender::send`]; [`Error::Io`] of kind `InvalidData` for text that ends inside a character.
    pub fn finish(mut self) -> Result<(), Error> {
        if let Some(text) = self.text.take() {
            text.finish().map_err(|_| not_utf8())?;
        }
        self.send_piece(true)?;
        self.finished = true;
        Ok(())
    }

    fn send_piece(&mut self, fin: bool) -> Result<(), Error> {
        let first = First {
            opcode: self.opcode,
            fin,
            compressed: false,
        };
        let outbound = &self.sender.connection.outbound;
        outbound.send_piece(first, &self.piece)?;
        self.opcode = Opcode::Continuation;
        self.piece.clear();
        Ok(())
    }
}

impl Write for MessageWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let buf = &buf[..buf.len().min(PIECE)];
        match &mut self.text {
            Some(text) => {
                text.push(buf).map_err(|_| not_utf8())?;
                self.piece.extend_from_slice(text.take().as_bytes());
            }
            None => self.piece.extend_from_slice(buf),
        }
        if self.piece.len() >= PIECE {
            self.send_piece(false).map_err(io::Error::from)?;
        }
        Ok(buf.len())
    }

    /// Sends what was written so far.
    fn flush(&mut self) -> io::Result<()> {
        if !self.piece.is_empty() {
            self.send_piece(false).map_err(io::Error::from)?;
        }
        self.sender.flush();
        Ok(())
    }
}

impl Drop for MessageWriter {
    fn drop(&mut self) {
        if !self.finished {
            // An error means that it is closed already.
            let _ = self
                .sender
                .close(code::INTERNAL_ERROR, "message not finished");
        }
    }
}

fn not_utf8() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a text message has to be UTF-8")
}
