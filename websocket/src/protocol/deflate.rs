//! Compressing and decompressing messages (RFC 7692 §7.2).

use super::violation::Violation;
use crate::compression;
use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};
use greenwire_net::Buffer;

/// What the sender of a compressed message cuts off its end, and the receiver puts back (§7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// How one direction of a connection compresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) bits: u8,
    /// A message may refer to those before it.
    pub(crate) takeover: bool,
}

/// The compressing side of a connection. Owns an engine only for as long as it has a context.
#[derive(Debug)]
pub(crate) struct Deflater {
    window: Window,
    level: u32,
    engine: Option<Box<Compress>>,
}

/// The decompressing side of a connection. Owns an engine while a message arrives, or has a context.
#[derive(Debug)]
pub(crate) struct Inflater {
    window: Window,
    engine: Option<Box<Decompress>>,
}

impl Deflater {
    pub(crate) fn new(window: Window, level: u32) -> Deflater {
        Deflater {
            window,
            level,
            engine: None,
        }
    }

    /// Appends the payload of a message that says `message`.
    pub(crate) fn deflate(&mut self, message: &[u8], out: &mut Vec<u8>) {
        let Window { bits, takeover } = self.window;
        let mut engine = self
            .engine
            .take()
            .unwrap_or_else(|| compression::take_compress(bits, self.level));
        compress(&mut engine, message, out);
        if takeover {
            self.engine = Some(engine);
        } else {
            compression::give_compress(bits, self.level, engine);
        }
    }

    /// Forgets the messages so far: the next one will not refer to them.
    pub(crate) fn forget(&mut self) {
        if let Some(engine) = self.engine.take() {
            compression::give_compress(self.window.bits, self.level, engine);
        }
    }
}

/// Appends `message`, flushed, without the tail.
fn compress(engine: &mut Compress, message: &[u8], out: &mut Vec<u8>) {
    let before = engine.total_in();
    loop {
        let taken = (engine.total_in() - before) as usize;
        out.reserve(64 + (message.len() - taken) / 2);
        engine
            .compress_vec(&message[taken..], out, FlushCompress::Sync)
            .expect("compressing fails only for streams that were ended, which this never is");
        // Room that is left says that nothing was held back for lack of it.
        if (engine.total_in() - before) as usize == message.len() && out.len() < out.capacity() {
            break;
        }
    }
    if out.ends_with(&TAIL) {
        out.truncate(out.len() - TAIL.len());
    }
}

impl Inflater {
    pub(crate) fn new(window: Window) -> Inflater {
        Inflater {
            window,
            engine: None,
        }
    }

    /// Decompresses the next piece of a message and hands out what it says, some at a time.
    pub(crate) fn inflate(
        &mut self,
        piece: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        // zlib knows no smaller window than 9, and that reads what was written with 8.
        let bits = self.window.bits.max(9);
        let engine = self
            .engine
            .get_or_insert_with(|| compression::take_decompress(bits));
        let (mut rest, mut buffer) = (piece, Buffer::borrow());
        loop {
            let (consumed, produced) = (engine.total_in(), engine.total_out());
            let status = engine
                .decompress(rest, &mut buffer, FlushDecompress::None)
                .map_err(|_| Violation::BadDeflate)?;
            rest = &rest[(engine.total_in() - consumed) as usize..];
            let produced = (engine.total_out() - produced) as usize;
            take(&buffer[..produced])?;
            match status {
                // The sender ended its stream (§7.2.3.4) and so starts a new one after it.
                Status::StreamEnd => engine.reset(false),
                _ if produced == buffer.len() => continue,
                // It takes all of its input, unless the buffer is full.
                _ => return Ok(()),
            }
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    /// Ends a message.
    pub(crate) fn finish(
        &mut self,
        take: impl FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        self.inflate(&TAIL, take)?;
        if !self.window.takeover
            && let Some(engine) = self.engine.take()
        {
            compression::give_decompress(self.window.bits.max(9), engine);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(bits: u8, takeover: bool) -> Window {
        Window { bits, takeover }
    }

    fn inflate(inflater: &mut Inflater, payload: &[u8]) -> Result<Vec<u8>, Violation> {
        let mut message = Vec::new();
        let mut take = |bytes: &[u8]| {
            message.extend_from_slice(bytes);
            Ok(())
        };
        inflater.inflate(payload, &mut take)?;
        inflater.finish(&mut take)?;
        Ok(message)
    }

    #[test]
    fn the_examples_of_the_rfc() {
        // §7.2.3.1 to 7.2.3.5: one block, the context taken over, no compression, a final block, two.
        let mut inflater = Inflater::new(window(15, true));
        for payload in [
            &b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..],
            b"\xf2\x00\x11\x00\x00",
            b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
            b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
            b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
        ] {
            assert_eq!(inflate(&mut inflater, payload).unwrap(), b"Hello");
        }
    }

    #[test]
    fn what_is_deflated_inflates_back() {
        let text: Vec<u8> = (0..20_000u32)
            .flat_map(|i| i.wrapping_mul(i).to_le_bytes())
            .collect();
        for bits in 9..=15 {
            for takeover in [true, false] {
                let mut deflater = Deflater::new(window(bits, takeover), 6);
                let mut inflater = Inflater::new(window(bits, takeover));
                for len in [1, 2, 100, 100, 511, 3, 70_000] {
                    let mut payload = Vec::new();
                    deflater.deflate(&text[..len], &mut payload);
                    assert_eq!(inflate(&mut inflater, &payload).unwrap(), text[..len]);
                }
            }
        }
    }

    #[test]
    fn a_context_makes_repetitions_small_until_it_is_forgotten() {
        let message: Vec<u8> = (0..500u32).map(|i| ((i * i * 31) >> 3) as u8).collect();
        let mut deflater = Deflater::new(window(15, true), 6);
        let mut len = || {
            let mut payload = Vec::new();
            deflater.deflate(&message, &mut payload);
            payload.len()
        };
        let (first, second) = (len(), len());
        assert!(second < first / 10, "{first}, then {second}");
        deflater.forget();
        let mut payload = Vec::new();
        deflater.deflate(&message, &mut payload);
        assert_eq!(payload.len(), first);
    }

    #[test]
    fn nonsense_is_refused() {
        let mut inflater = Inflater::new(window(15, true));
        assert_eq!(
            inflate(&mut inflater, b"\xff\xff\xff"),
            Err(Violation::BadDeflate)
        );
    }

    #[test]
    fn a_bomb_is_refused_when_enough_has_come_out() {
        let mut payload = Vec::new();
        Deflater::new(window(15, false), 9).deflate(&vec![0; 8 << 20], &mut payload);
        assert!(payload.len() < 10_000);
        let mut seen = 0;
        let refused = Inflater::new(window(15, false)).inflate(&payload, |bytes| {
            seen += bytes.len();
            if seen > 1 << 20 {
                return Err(Violation::TooBig { limit: 1 << 20 });
            }
            Ok(())
        });
        assert!(refused.is_err());
        assert!(seen <= (1 << 20) + Buffer::SIZE);
    }
}
