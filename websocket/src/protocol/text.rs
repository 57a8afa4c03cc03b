//! Text that arrives in pieces: a string that takes bytes, and refuses them as soon as no
//! continuation could make them UTF-8 (RFC 6455 §8.1; Autobahn 6.4 asks for it octet by octet).

use super::violation::Violation;

/// A growing string plus the first bytes of a character whose rest has not arrived.
#[derive(Debug, Default)]
pub(crate) struct Text {
    string: String,
    /// The beginning of a character; never complete, never wrong.
    begun: [u8; 4],
    begun_len: usize,
}

impl Text {
    /// Bytes taken so far.
    pub(crate) fn len(&self) -> usize {
        self.string.len() + self.begun_len
    }

    /// Makes room for `more` bytes, exactly.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.string.reserve_exact(more);
    }

    /// Bytes that fit without growing.
    pub(crate) fn room(&self) -> usize {
        self.string.capacity() - self.string.len()
    }

    /// The characters so far, taken out. The beginning of the next one stays.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.string)
    }

    /// Appends `bytes`.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<(), Violation> {
        while self.begun_len > 0
            && let [first, rest @ ..] = bytes
        {
            self.continue_character(*first)?;
            bytes = rest;
        }
        let (whole, begun) = bytes.split_at(bytes.len() - unfinished_tail(bytes));
        self.string.push_str(check(whole)?);
        for byte in begun {
            self.continue_character(*byte)?;
        }
        Ok(())
    }

    /// The finished text; wrong if it ends inside a character.
    pub(crate) fn finish(self) -> Result<String, Violation> {
        if self.begun_len > 0 {
            Err(Violation::InvalidUtf8)
        } else {
            Ok(self.string)
        }
    }

    fn continue_character(&mut self, byte: u8) -> Result<(), Violation> {
        self.begun[self.begun_len] = byte;
        self.begun_len += 1;
        match std::str::from_utf8(&self.begun[..self.begun_len]) {
            Ok(character) => {
                self.string.push_str(character);
                self.begun_len = 0;
                Ok(())
            }
            // `None` says: could still become a character. True for at most three bytes.
            Err(error) if error.error_len().is_none() => Ok(()),
            Err(_) => Err(Violation::InvalidUtf8),
        }
    }
}

/// `bytes` as text, in one pass.
pub(crate) fn check(bytes: &[u8]) -> Result<&str, Violation> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| Violation::InvalidUtf8)
}

/// How many bytes at the end begin a character that needs more of them (0 to 3).
fn unfinished_tail(bytes: &[u8]) -> usize {
    for (back, byte) in bytes.iter().rev().take(3).enumerate() {
        let needs = match byte {
            0x80..=0xBF => continue,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xFF => 4,
            _ => 1,
        };
        return if needs > back + 1 { back + 1 } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `bytes` in pieces of `size`; the number of bytes taken before the refusal, or the text.
    fn feed(bytes: &[u8], size: usize) -> Result<String, usize> {
        let mut text = Text::default();
        for (i, piece) in bytes.chunks(size).enumerate() {
            text.push(piece).map_err(|_| i * size)?;
        }
        text.finish().map_err(|_| bytes.len())
    }

    #[track_caller]
    fn check_refused_at(bytes: &[u8], at: usize) {
        assert_eq!(feed(bytes, 1), Err(at));
        for size in 1..=bytes.len() {
            assert!(feed(bytes, size).is_err(), "in pieces of {size}");
        }
    }

    #[test]
    fn good_text_survives_any_cut() {
        let good = "aé漢𝄞\u{10FFFF}\u{D7FF}\u{E000}z".repeat(20);
        for size in 1..=good.len() {
            assert_eq!(feed(good.as_bytes(), size).as_deref(), Ok(good.as_str()));
        }
        assert_eq!(feed(b"", 1).as_deref(), Ok(""));
    }

    #[test]
    fn bad_text_is_refused_at_the_first_hopeless_byte() {
        check_refused_at(b"\xff", 0);
        check_refused_at(b"a\x80", 1);
        check_refused_at(b"\xc0\x80", 0);
        check_refused_at(b"\xed\xa0\x80", 1);
        check_refused_at(b"\xe0\x80\x80", 1);
        check_refused_at(b"\xf4\x90\x80\x80", 1);
        check_refused_at(b"\xf5\x80\x80\x80", 0);
        check_refused_at(b"\xe2\x82z", 2);
    }

    #[test]
    fn text_that_ends_inside_a_character_is_refused_at_the_end() {
        check_refused_at(b"ab\xf0\x9d\x84", 5);
    }
}
