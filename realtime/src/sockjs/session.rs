//! What a handler has in its hands: a session, and its halves.

use super::Error;
use super::polled::Polled;
use super::protocol::frame::{Close, Frame, Prepared};
use super::protocol::json::{self, quote};
use greenwire_http::Request;
use greenwire_websocket::{self as websocket, Message, WebSocket};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::vec;

/// A conversation with one client, whatever transport it has found.
///
/// Its methods are those of its two halves; [`split`](Session::split) lets one thread receive while others send,
/// as with a websocket.
pub struct Session {
    request: Request,
    sender: Sender,
    receiver: Receiver,
}

impl Session {
    /// Over HTTP.
    pub(crate) fn polled(session: Arc<Polled>, request: Request) -> Session {
        Session {
            request,
            sender: Sender(Outgoing::Polled(session.clone())),
            receiver: Receiver(Incoming::Polled(session)),
        }
    }

    /// Over a websocket that speaks SockJS.
    pub(crate) fn framed(ws: WebSocket, request: Request) -> Session {
        let (sender, receiver) = ws.split();
        Session {
            request,
            sender: Sender(Outgoing::Framed(sender.clone())),
            receiver: Receiver(Incoming::Framed {
                receiver,
                sender,
                pending: Vec::new().into_iter(),
            }),
        }
    }

    /// Over a websocket without SockJS's frames.
    pub(crate) fn raw(ws: WebSocket, request: Request) -> Session {
        let (sender, receiver) = ws.split();
        Session {
            request,
            sender: Sender(Outgoing::Raw(sender.clone())),
            receiver: Receiver(Incoming::Raw { receiver, sender }),
        }
    }

    /// The request that opened the session, without a body: its headers, cookies and query, and its
    /// [`Peer`](greenwire_http::Peer). Its path is that of the service: names of sessions are secrets.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Splits the session. Costs nothing.
    #[must_use]
    pub fn split(self) -> (Sender, Receiver) {
        (self.sender, self.receiver)
    }

    /// Another sender for the same session.
    #[must_use]
    pub fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// See [`Receiver::receive`].
    ///
    /// # Errors
    /// As there.
    pub fn receive(&mut self) -> Result<Option<String>, Error> {
        self.receiver.receive()
    }

    /// See [`Sender::send`].
    ///
    /// # Errors
    /// As there.
    pub fn send(&self, message: impl AsRef<str>) -> Result<(), Error> {
        self.sender.send(message)
    }

    /// See [`Sender::close`].
    ///
    /// # Errors
    /// As there.
    pub fn close(&self, code: u16, reason: &str) -> Result<(), Error> {
        self.sender.close(code, reason)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("uri", self.request.uri())
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

/// The sending half. Clone it freely: any number of threads may send.
///
/// Dropping senders closes nothing; the session ends with its handler, or by [`close`](Sender::close).
#[derive(Clone, Debug)]
pub struct Sender(Outgoing);

#[derive(Clone, Debug)]
enum Outgoing {
    Polled(Arc<Polled>),
    Framed(websocket::Sender),
    Raw(websocket::Sender),
}

impl Sender {
    /// Sends a message. Over HTTP it waits in the session until the client comes for it; what waits then goes in
    /// one frame.
    ///
    /// When [`Config::max_queued`](crate::sockjs::Config::max_queued) bytes wait for a slow client,
    /// [`Config::slow_reader`](crate::sockjs::Config::slow_reader) decides: by default this waits, for as long as
    /// the session lives. A message that is dropped is no error; [`dropped`](Sender::dropped) counts them.
    ///
    /// # Errors
    /// [`Error::Closed`] once the session is closed, [`Error::SlowReader`] if the slow client was parted with,
    /// [`Error::Io`] if the websocket failed. No error does not mean that the client has the message.
    pub fn send(&self, message: impl AsRef<str>) -> Result<(), Error> {
        let message = message.as_ref();
        let quoted = |before: &str, after: &str| {
            let mut text = String::with_capacity(message.len() + 4);
            text.push_str(before);
            quote(message, &mut text);
            text.push_str(after);
            text
        };
        match &self.0 {
            Outgoing::Polled(session) => session.send(&quoted("", "").into()),
            Outgoing::Framed(sender) => Ok(sender.send(quoted("a[", "]"))?),
            Outgoing::Raw(sender) => Ok(sender.send(message)?),
        }
    }

    /// Closes the session; nothing can be sent after it. What was sent before still reaches the client, and the
    /// receiver still gets what the client had sent, then `None`. Closing again does nothing.
    ///
    /// `code` is 1000 or 3000 to 4999, as a browser's; `reason` has 123 bytes at most, beyond which a websocket
    /// cuts it.
    ///
    /// # Errors
    /// [`Error::Io`] of kind `InvalidInput` for another code.
    pub fn close(&self, code: u16, reason: &str) -> Result<(), Error> {
        if code != 1000 && !(3000..=4999).contains(&code) {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "not a code to close with");
            return Err(error.into());
        }
        self.close_with(Close {
            code,
            reason: reason.to_owned().into(),
        });
        Ok(())
    }

    /// Whether sending is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match &self.0 {
            Outgoing::Polled(session) => session.is_closed(),
            Outgoing::Framed(sender) | Outgoing::Raw(sender) => sender.is_closed(),
        }
    }

    /// How many messages were dropped because the client was too slow for them.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        match &self.0 {
            Outgoing::Polled(session) => session.dropped(),
            Outgoing::Framed(sender) | Outgoing::Raw(sender) => sender.dropped(),
        }
    }

    /// Closes the session after its handler.
    pub(crate) fn close_after(&self, end: &Result<(), Error>) {
        match end {
            Ok(()) => self.close_with(Close::GO_AWAY),
            Err(error) => {
                log::debug!("sockjs: the handler ended with: {error}");
                self.close_with(Close::FAILED);
            }
        }
    }

    pub(crate) fn close_with(&self, close: Close) {
        // An error means that the websocket is closed already, or gone.
        match &self.0 {
            Outgoing::Polled(session) => session.close(close),
            Outgoing::Framed(sender) if sender.is_closed() => {}
            Outgoing::Framed(sender) => {
                let _ = sender.send(Frame::Close(close).encode());
                let _ = sender.close(websocket::code::NORMAL, "Normal closure");
            }
            Outgoing::Raw(sender) => {
                let _ = sender.close(close.code, &close.reason);
            }
        }
    }
}

/// Sends `message` to all of `senders` and waits for none of them. Returns how many took it: the others are closed,
/// or too slow. For those, [`Config::slow_reader`](crate::sockjs::Config::slow_reader) decides; a sender that would
/// wait for room drops the message instead.
pub fn broadcast<'a>(senders: impl IntoIterator<Item = &'a Sender>, message: &Prepared) -> usize {
    let (mut framed, mut raw, mut polled) = (Vec::new(), Vec::new(), 0);
    for sender in senders {
        match &sender.0 {
            Outgoing::Polled(session) => polled += usize::from(session.broadcast(message.json())),
            Outgoing::Framed(sender) => framed.push(sender),
            Outgoing::Raw(sender) => raw.push(sender),
        }
    }
    let to_all =
        |senders: Vec<&websocket::Sender>, message: fn(&Prepared) -> &websocket::Prepared, of| {
            match senders.is_empty() {
                true => 0,
                false => websocket::broadcast(senders, message(of)),
            }
        };
    polled + to_all(framed, Prepared::framed, message) + to_all(raw, Prepared::raw, message)
}

/// The receiving half.
#[derive(Debug)]
pub struct Receiver(Incoming);

#[derive(Debug)]
enum Incoming {
    Polled(Arc<Polled>),
    Framed {
        receiver: websocket::Receiver,
        sender: websocket::Sender,
        /// What came with the message that was received last.
        pending: vec::IntoIter<String>,
    },
    Raw {
        receiver: websocket::Receiver,
        sender: websocket::Sender,
    },
}

impl Receiver {
    /// Waits for the next message; `None` when the session is closed: by either side, or because the client has
    /// not come back in time, which over HTTP is how most sessions end.
    ///
    /// # Errors
    /// Only over websockets: [`Error::Malformed`] and [`Error::Protocol`] if the client broke the rules,
    /// [`Error::Io`] if the connection failed, and after any of them [`Error::Closed`].
    ///
    /// # Cancellation
    /// May park here. No message is lost.
    pub fn receive(&mut self) -> Result<Option<String>, Error> {
        match &mut self.0 {
            Incoming::Polled(session) => Ok(session.receive()),
            Incoming::Framed {
                receiver,
                sender,
                pending,
            } => receive_framed(receiver, sender, pending),
            Incoming::Raw { receiver, sender } => match receiver.receive()? {
                Some(Message::Text(text)) => Ok(Some(text)),
                Some(Message::Binary(_)) => {
                    refuse(sender, websocket::code::UNSUPPORTED_DATA, "text only")
                }
                None => Ok(None),
            },
        }
    }
}

fn receive_framed(
    receiver: &mut websocket::Receiver,
    sender: &websocket::Sender,
    pending: &mut vec::IntoIter<String>,
) -> Result<Option<String>, Error> {
    loop {
        if let Some(message) = pending.next() {
            return Ok(Some(message));
        }
        match receiver.receive()? {
            // As if it were an array without messages.
            Some(frame) if frame.is_empty() => {}
            Some(frame) => match frame.as_text().map(json::messages_or_one) {
                Some(Ok(messages)) => *pending = messages.into_iter(),
                _ => {
                    return refuse(
                        sender,
                        websocket::code::INVALID_DATA,
                        "broken JSON encoding",
                    );
                }
            },
            None => return Ok(None),
        }
    }
}

/// Ends the connection of a client that breaks the rules.
fn refuse<T>(sender: &websocket::Sender, code: u16, reason: &str) -> Result<T, Error> {
    // An error means that it is closed already.
    let _ = sender.close(code, reason);
    Err(Error::Malformed)
}
