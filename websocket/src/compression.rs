//! The settings of permessage-deflate, and the zlib engines that connections share.

use flate2::{Compress, Decompress};
use std::cell::RefCell;

/// How messages are compressed (permessage-deflate, RFC 7692), if the peer agrees.
///
/// The two kinds differ in memory. [`shared`](Self::shared) compresses each message for itself, with
/// an engine that all connections of an OS thread take turns to use: an idle connection owns nothing.
/// [`dedicated`](Self::dedicated) keeps a context for each direction of each connection, so that a
/// message may refer to those before it. That makes small messages that resemble each other much
/// smaller, and takes about 300 KiB for a connection that sends and 40 KiB for one that receives
/// compressed messages, from the first of them on.
///
/// ```
/// use greenwire_websocket::{Compression, Config};
///
/// let many_clients = Config::default().compression(Compression::shared().threshold(1024));
/// let few_clients = Config::default().compression(Compression::dedicated().level(9));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it does nothing until a `Config` has it"]
pub struct Compression {
    pub(crate) takeover: bool,
    pub(crate) level: u32,
    pub(crate) threshold: usize,
    pub(crate) send_bits: u8,
    pub(crate) receive_bits: u8,
}

impl Compression {
    /// Each message is compressed for itself (`no_context_takeover`, both ways).
    pub fn shared() -> Compression {
        Compression {
            takeover: false,
            level: 6,
            threshold: 128,
            send_bits: 15,
            receive_bits: 15,
        }
    }

    /// Each message may refer to those before it, where the peer agrees.
    pub fn dedicated() -> Compression {
        Compression {
            takeover: true,
            ..Compression::shared()
        }
    }

    /// Shorter messages are sent as they are. Default 128 bytes: below, there is little to gain.
    pub fn threshold(mut self, bytes: usize) -> Compression {
        self.threshold = bytes;
        self
    }

    /// From 1, fast, to 9, small. Default 6, zlib's own.
    ///
    /// # Panics
    /// For other levels.
    pub fn level(mut self, level: u32) -> Compression {
        assert!((1..=9).contains(&level), "a level is 1 to 9");
        self.level = level;
        self
    }

    /// The windows, as powers of two, that this side compresses with and that it asks the peer to
    /// compress with: 9 (512 bytes) to 15 (32 KiB), the default. Smaller ones take less memory.
    ///
    /// # Panics
    /// For other sizes.
    pub fn window_bits(mut self, send: u8, receive: u8) -> Compression {
        for bits in [send, receive] {
            assert!((9..=15).contains(&bits), "window bits are 9 to 15");
        }
        (self.send_bits, self.receive_bits) = (send, receive);
        self
    }
}

/// Engines kept of each kind per OS thread.
const KEPT: usize = 4;

/// Engines that nobody uses now, with what they were made for.
struct Spare<E>(RefCell<Vec<(Kind, Box<E>)>>);

/// The window of an engine, and for compressing ones the level.
type Kind = (u8, u32);

thread_local! {
    static COMPRESS: Spare<Compress> = const { Spare(RefCell::new(Vec::new())) };
    static DECOMPRESS: Spare<Decompress> = const { Spare(RefCell::new(Vec::new())) };
}

/// An engine without context.
pub(crate) fn take_compress(bits: u8, level: u32) -> Box<Compress> {
    let spare = COMPRESS.try_with(|spare| spare.take((bits, level)));
    spare.ok().flatten().unwrap_or_else(|| {
        let level = flate2::Compression::new(level);
        Box::new(Compress::new_with_window_bits(level, false, bits))
    })
}

/// Gives an engine back; it forgets its context.
pub(crate) fn give_compress(bits: u8, level: u32, mut engine: Box<Compress>) {
    engine.reset();
    // While the OS thread ends nothing is kept any more.
    let _ = COMPRESS.try_with(|spare| spare.give((bits, level), engine));
}

/// An engine without context.
pub(crate) fn take_decompress(bits: u8) -> Box<Decompress> {
    let spare = DECOMPRESS.try_with(|spare| spare.take((bits, 0)));
    spare
        .ok()
        .flatten()
        .unwrap_or_else(|| Box::new(Decompress::new_with_window_bits(false, bits)))
}

/// Gives an engine back; it forgets its context.
pub(crate) fn give_decompress(bits: u8, mut engine: Box<Decompress>) {
    engine.reset(false);
    // While the OS thread ends nothing is kept any more.
    let _ = DECOMPRESS.try_with(|spare| spare.give((bits, 0), engine));
}

impl<E> Spare<E> {
    fn take(&self, kind: Kind) -> Option<Box<E>> {
        let mut engines = self.0.borrow_mut();
        let index = engines.iter().rposition(|(of, _)| *of == kind)?;
        Some(engines.swap_remove(index).1)
    }

    fn give(&self, kind: Kind, engine: Box<E>) {
        let mut engines = self.0.borrow_mut();
        if engines.iter().filter(|(of, _)| *of == kind).count() < KEPT {
            engines.push((kind, engine));
        }
    }
}
