//! RFC 6455 and RFC 7692 and nothing else: bytes in, events out. No file below this one does I/O,
//! reads a clock or knows about threads, so all of it is tested with tables of bytes.
//!
//! ```text
//! bytes read  ->  Decoder (frame -> mask -> deflate -> text -> message)  ->  Event
//! message     ->  Deflater, frame::encode                               ->  bytes to write
//! ```

pub(crate) mod close;
pub(crate) mod decoder;
pub(crate) mod deflate;
pub(crate) mod extension;
pub(crate) mod frame;
pub(crate) mod handshake;
pub(crate) mod mask;
pub(crate) mod text;
pub(crate) mod violation;

/// Which end of the connection this is: clients mask what they send, servers must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Server,
    Client,
}
