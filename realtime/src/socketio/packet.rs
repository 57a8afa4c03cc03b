//! What a client and a server say to each other, whatever way it takes over the wire.

use super::Args;
use serde_json::Value;
use std::sync::Arc;

/// A packet of one namespace.
///
/// Each protocol that clients speak, Socket.IO 5 over Engine.IO 4 and others, turns bytes into these, and these
/// into bytes. The server knows nothing else.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Packet {
    /// `/`, or `/` and a name.
    pub(crate) namespace: Arc<str>,
    pub(crate) content: Content,
}

/// What a packet says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// A client comes, and says what it shows to be let in, an object; or it may, and is told its id, `{"sid"}`.
    Connect(Value),
    /// A client may not come.
    Refuse(Value),
    /// One of both leaves the namespace.
    Disconnect,
    /// Something has happened. With an id it wants an answer.
    Event {
        name: Arc<str>,
        args: Args,
        id: Option<u64>,
    },
    /// The answer to an event with this id.
    Ack { id: u64, args: Args },
}

impl Packet {
    pub(crate) fn new(namespace: &Arc<str>, content: Content) -> Packet {
        Packet {
            namespace: namespace.clone(),
            content,
        }
    }
}
