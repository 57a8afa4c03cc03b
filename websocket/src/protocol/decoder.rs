//! From bytes to messages: frames are unmasked where they lie, fragments joined, control frames let
//! through in between, limits checked on the header before a byte of payload is stored.

use super::frame::{Header, MAX_CONTROL, MAX_HEADER, Opcode};
use super::text::{self, Text};
use super::{Role, close::CloseReason, mask, violation::Violation};
use crate::Message;

/// What a piece of input completed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Message(Message),
    /// Its payload is in [`Decoder::ping_payload`] until the next input.
    Ping,
    Pong,
    Close(CloseReason),
}

/// The payload of a control frame, without an allocation.
#[derive(Debug)]
struct Control {
    bytes: [u8; MAX_CONTROL],
    len: u8,
}

/// How long a frame and a message may be, in bytes of payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) frame: usize,
    pub(crate) message: usize,
}

/// The receiving side of one connection. Holds nothing but a few words between messages.
#[derive(Debug)]
pub(crate) struct Decoder {
    role: Role,
    limits: Limits,
    /// A header that has arrived in part.
    head: [u8; MAX_HEADER],
    head_len: usize,
    /// The frame whose payload is arriving; its `payload` counts what is missing.
    frame: Option<Header>,
    control: Control,
    message: Option<Partial>,
}

/// A message of which a part has arrived.
#[derive(Debug)]
enum Partial {
    Text(Text),
    Binary(Vec<u8>),
}

impl Control {
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The header check lets no control frame past 125 bytes, so there is room.
    fn push(&mut self, bytes: &[u8]) {
        let start = usize::from(self.len);
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len() as u8;
    }
}

impl Decoder {
    pub(crate) fn new(role: Role, limits: Limits) -> Decoder {
        Decoder {
            role,
            limits,
            head: [0; MAX_HEADER],
            head_len: 0,
            frame: None,
            control: Control {
                bytes: [0; MAX_CONTROL],
                len: 0,
            },
            message: None,
        }
    }

    /// Moves the state out and leaves a new decoder behind.
    pub(crate) fn take(&mut self) -> Decoder {
        let fresh = Decoder::new(self.role, self.limits);
        std::mem::replace(self, fresh)
    }

    /// Consumes `input` from its start, up to the end of the first event; returns how far it came.
    /// Without an event all of the input is consumed. After a violation nothing more may be fed.
    pub(crate) fn decode(&mut self, input: &mut [u8]) -> Result<(usize, Option<Event>), Violation> {
        let mut at = 0;
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => {
                    let (used, frame) = self.next_frame(&input[at..])?;
                    at += used;
                    let Some(frame) = frame else {
                        return Ok((at, None));
                    };
                    frame
                }
            };
            let rest = &mut input[at..];
            let here = usize::try_from(frame.payload).map_or(rest.len(), |n| n.min(rest.len()));
            let piece = &mut rest[..here];
            frame.key = frame.key.map(|key| mask::apply(key, piece));
            frame.payload -= here as u64;
            at += here;
            if let Some(event) = self.take_payload(&frame, piece)? {
                return Ok((at, Some(event)));
            }
            if frame.payload > 0 {
                self.frame = Some(frame);
                return Ok((at, None));
            }
        }
    }

    /// The payload of the ping that was the last event.
    pub(crate) fn ping_payload(&self) -> &[u8] {
        self.control.as_bytes()
    }

    /// Whether `input`, which follows what was decoded so far, holds at least one whole frame.
    pub(crate) fn has_whole_frame(&self, input: &[u8]) -> bool {
        match Header::parse(input, self.role) {
            Ok(Some((header, size))) => header.payload <= (input.len() - size) as u64,
            Ok(None) => false,
            // It will be refused without waiting for more.
            Err(_) => true,
        }
    }

    /// The next frame's header, which may lie in two or more pieces of input.
    #[inline]
    fn next_frame(&mut self, input: &[u8]) -> Result<(usize, Option<Header>), Violation> {
        if self.head_len == 0
            && let Some((header, size)) = Header::parse(input, self.role)?
        {
            self.admit(&header)?;
            return Ok((size, Some(header)));
        }
        for (i, byte) in input.iter().enumerate() {
            self.head[self.head_len] = *byte;
            self.head_len += 1;
            if let Some((header, _)) = Header::parse(&self.head[..self.head_len], self.role)? {
                self.head_len = 0;
                self.admit(&header)?;
                return Ok((i + 1, Some(header)));
            }
        }
        Ok((input.len(), None))
    }

    /// Prepares for a frame, or refuses one that may not come here or is too long.
    fn admit(&mut self, header: &Header) -> Result<(), Violation> {
        if header.opcode.is_control() {
            self.control.len = 0;
            return Ok(());
        }
        let so_far = match (&self.message, header.opcode) {
            (None, Opcode::Continuation) => return Err(Violation::StrayContinuation),
            (Some(message), Opcode::Continuation) => message.len(),
            (Some(_), _) => return Err(Violation::UnfinishedMessage),
            (None, _) => 0,
        };
        let Limits { frame, message } = self.limits;
        if header.payload > frame as u64 {
            return Err(Violation::TooBig { limit: frame });
        }
        if header.payload > message.saturating_sub(so_far) as u64 {
            return Err(Violation::TooBig { limit: message });
        }
        Ok(())
    }

    /// Takes the next piece of a frame's payload.
    #[inline]
    fn take_payload(&mut self, frame: &Header, piece: &[u8]) -> Result<Option<Event>, Violation> {
        if frame.opcode.is_control() {
            return self.take_control(frame, piece);
        }
        let last = frame.fin && frame.payload == 0;
        if last && self.message.is_none() {
            return whole_message(frame.opcode, piece).map(Some);
        }
        let message = self
            .message
            .get_or_insert_with(|| Partial::new(frame.opcode));
        message.push(piece, frame)?;
        if !last {
            return Ok(None);
        }
        self.message.take().map(Partial::finish).transpose()
    }

    fn take_control(&mut self, frame: &Header, piece: &[u8]) -> Result<Option<Event>, Violation> {
        self.control.push(piece);
        if frame.payload > 0 {
            return Ok(None);
        }
        Ok(Some(match frame.opcode {
            Opcode::Ping => Event::Ping,
            Opcode::Close => Event::Close(CloseReason::parse(self.control.as_bytes())?),
            _ => Event::Pong,
        }))
    }
}

impl Partial {
    fn new(opcode: Opcode) -> Partial {
        match opcode {
            Opcode::Text => Partial::Text(Text::default()),
            _ => Partial::Binary(Vec::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Partial::Text(text) => text.len(),
            Partial::Binary(bytes) => bytes.len(),
        }
    }

    /// Appends `piece` of `frame`.
    fn push(&mut self, piece: &[u8], frame: &Header) -> Result<(), Violation> {
        match self {
            Partial::Text(text) => {
                if text.room() < piece.len() {
                    text.reserve(growth(text.len(), piece.len(), frame));
                }
                text.push(piece)
            }
            Partial::Binary(bytes) => {
                if bytes.capacity() - bytes.len() < piece.len() {
                    bytes.reserve_exact(growth(bytes.len(), piece.len(), frame));
                }
                bytes.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<Event, Violation> {
        Ok(Event::Message(match self {
            Partial::Text(text) => Message::Text(text.finish()?),
            Partial::Binary(bytes) => Message::Binary(bytes),
        }))
    }
}

/// How much to reserve: enough that copying stays linear, but never the whole length on the word of
/// the header alone, and for the last frame of a message no more than it needs.
fn growth(len: usize, piece: usize, frame: &Header) -> usize {
    let missing = usize::try_from(frame.payload).unwrap_or(usize::MAX);
    let ahead = missing.min(len + piece);
    let least = if frame.fin { 0 } else { len / 2 };
    piece.saturating_add(ahead).max(least)
}

/// A message in one piece: the common case, and its only allocation.
#[inline]
fn whole_message(opcode: Opcode, payload: &[u8]) -> Result<Event, Violation> {
    Ok(Event::Message(match opcode {
        Opcode::Text => Message::Text(text::check(payload)?.to_owned()),
        _ => Message::Binary(payload.to_owned()),
    }))
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
