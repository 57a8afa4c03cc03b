//! What can be sent, and messages that are encoded once for many receivers.

use crate::outbound::Wave;
use crate::protocol::deflate::{Deflater, Window};
use crate::protocol::frame::{self, First};
use crate::{Kind, Message, MessageRef, Sender};
use sealed::Outgoing;
use std::borrow::Cow;
use std::mem;
use std::sync::{Arc, OnceLock};

/// What can be sent as a message: text, bytes, a [`Message`], a [`MessageRef`], a [`Prepared`] one. None is
/// copied more than once, on its way into the frame; usually not at all is a `String`, `Vec<u8>` or [`Message`] of
/// 4 KiB or more that is given away, and what a server sends of 16 KiB or more.
pub trait Payload: sealed::Payload {}

impl<P: sealed::Payload> Payload for P {}

/// A message that is encoded once, and compressed at most once for each window that was agreed on, for
/// any number of connections. Clones are the same message.
///
/// ```
/// use greenwire_websocket::{Error, Prepared, Sender, broadcast};
///
/// fn tell_all(subscribers: &[Sender], news: &str) -> usize {
///     broadcast(subscribers, &Prepared::new(news))
/// }
/// # assert_eq!(tell_all(&[], "nobody listens"), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Prepared(Arc<Frames>);

#[derive(Debug)]
struct Frames {
    kind: Kind,
    /// As a server sends it, those of a sequence one after the other.
    plain: Arc<[u8]>,
    header: usize,
    /// The messages of a sequence.
    sequence: Vec<Prepared>,
    /// Compressed, for the windows of 9 to 15 bits.
    compressed: [OnceLock<Arc<[u8]>>; 7],
}

impl Prepared {
    /// Encodes a message.
    #[must_use]
    pub fn new(message: impl Payload) -> Prepared {
        let (kind, payload) = match message.outgoing() {
            Outgoing::Prepared(same) => return same.clone(),
            Outgoing::Plain(kind, payload) => (kind, payload),
        };
        let mut plain = Vec::new();
        frame::encode(&mut plain, First::whole(kind.into()), payload, None);
        Prepared(Arc::new(Frames {
            kind,
            header: plain.len() - payload.len(),
            plain: plain.into(),
            sequence: Vec::new(),
            compressed: Default::default(),
        }))
    }

    /// Several messages that are sent together, so that no other gets between them. They are not compressed, and
    /// where [the oldest are dropped](crate::SlowReader::DropOldest) each is one by itself.
    #[must_use]
    pub fn sequence(messages: impl IntoIterator<Item = Prepared>) -> Prepared {
        let sequence: Vec<Prepared> = messages.into_iter().collect();
        let plain: Vec<u8> = sequence
            .iter()
            .flat_map(|message| message.plain().iter().copied())
            .collect();
        Prepared(Arc::new(Frames {
            kind: Kind::Binary,
            header: 0,
            plain: plain.into(),
            sequence,
            compressed: Default::default(),
        }))
    }

    /// Whether both are clones of one message.
    #[must_use]
    pub fn is_same(&self, other: &Prepared) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The messages, if this is a sequence.
    pub(crate) fn messages(&self) -> &[Prepared] {
        &self.0.sequence
    }

    pub(crate) fn kind(&self) -> Kind {
        self.0.kind
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.0.plain[self.0.header..]
    }

    /// The frame as it is.
    pub(crate) fn plain(&self) -> &Arc<[u8]> {
        &self.0.plain
    }

    /// The frame for a connection that compresses with windows of `bits`. The first one's level counts.
    pub(crate) fn compressed(&self, bits: u8, level: u32) -> &Arc<[u8]> {
        let slot = &self.0.compressed[usize::from(bits - 9)];
        slot.get_or_init(|| {
            let takeover = false;
            let mut payload = Vec::new();
            Deflater::new(Window { bits, takeover }, level).deflate(self.payload(), &mut payload);
            let first = First {
                compressed: true,
                ..First::whole(self.kind().into())
            };
            let mut frame = Vec::new();
            frame::encode(&mut frame, first, &payload, None);
            frame.into()
        })
    }
}

/// Sends `message` to all of `senders` and waits for none of them. Returns how many took it: the others
/// are closed, or too slow. For those, [`Config::slow_reader`](crate::Config::slow_reader) decides; a
/// sender that would wait for room drops the message instead.
///
/// What is sent by several calls before the calling green thread waits for something reaches each peer
/// in one write. To many peers a green thread of its own writes, which lets others have their turns
/// in between; this call never gives way.
pub fn broadcast<'a>(senders: impl IntoIterator<Item = &'a Sender>, message: &Prepared) -> usize {
    let mut wave = Wave::default();
    let took = |sender: &&Sender| sender.broadcast(message, &mut wave).unwrap_or(false);
    let count = senders.into_iter().filter(took).count();
    wave.leave();
    count
}

pub(crate) mod sealed {
    #![allow(
        unreachable_pub,
        reason = "nobody can name what is in here, and so nobody can implement it"
    )]

    /// A payload by its parts.
    #[derive(Debug)]
    pub enum Outgoing<'a> {
        Plain(crate::Kind, &'a [u8]),
        Prepared(&'a super::Prepared),
    }

    pub trait Payload {
        fn outgoing(&self) -> Outgoing<'_>;

        /// The payload itself, if it has `least` bytes and belongs to nobody else. It leaves an empty one behind.
        fn give(&mut self, _least: usize) -> Option<Vec<u8>> {
            None
        }
    }
}

/// Implements `Payload` for what lends a text, or bytes; `owned` can give them away as well.
macro_rules! payloads {
    ($($kind:ident from $lent:ty: $($type:ty),+; owned $owned:ty;)+) => {$(
        $(
            impl sealed::Payload for $type {
                payloads! { lend $kind from $lent }
            }
        )+
        impl sealed::Payload for $owned {
            payloads! { lend $kind from $lent }

            fn give(&mut self, least: usize) -> Option<Vec<u8>> {
                (self.len() >= least).then(|| mem::take(self).into())
            }
        }
    )+};
    (lend $kind:ident from $lent:ty) => {
        fn outgoing(&self) -> Outgoing<'_> {
            let payload = AsRef::<$lent>::as_ref(self);
            Outgoing::Plain(Kind::$kind, payload.as_ref())
        }
    };
}

payloads! {
    Text from str: &str, &String, Cow<'_, str>, Arc<str>, &Arc<str>; owned String;
    Binary from [u8]: &[u8], &Vec<u8>, Cow<'_, [u8]>, Arc<[u8]>, &Arc<[u8]>; owned Vec<u8>;
}

impl<const N: usize> sealed::Payload for &[u8; N] {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing::Plain(Kind::Binary, *self)
    }
}

impl sealed::Payload for Message {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing::Plain(self.kind(), self.as_bytes())
    }

    fn give(&mut self, least: usize) -> Option<Vec<u8>> {
        match self {
            Message::Text(text) => text.give(least),
            Message::Binary(bytes) => bytes.give(least),
        }
    }
}

impl sealed::Payload for &Message {
    fn outgoing(&self) -> Outgoing<'_> {
        (*self).outgoing()
    }
}

impl sealed::Payload for MessageRef<'_> {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing::Plain(self.kind(), self.as_bytes())
    }
}

impl sealed::Payload for Prepared {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing::Prepared(self)
    }
}

impl sealed::Payload for &Prepared {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing::Prepared(self)
    }
}
