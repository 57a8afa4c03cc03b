//! The chunked transfer coding (RFC 9112 §7.1), decoded strictly. No I/O.
//!
//! ```text
//!   5;ext=1 CRLF  hello CRLF  0 CRLF  Name: value CRLF  CRLF
//!   Size Extension Data DataEnd Size   Trailers              End
//! ```

/// How many digits a chunk size may have: those of a `u64`.
const MAX_DIGITS: u8 = 16;
/// Bytes of chunk extensions in one body, all chunks together.
const MAX_EXTENSIONS: usize = 16 << 10;
/// Bytes of the extension of one chunk.
const MAX_EXTENSION: usize = 1 << 10;
/// Bytes of the trailer section.
const MAX_TRAILERS: usize = 8 << 10;

/// What comes next in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The input ended within the framing.
    NeedMore,
    /// So many bytes of data.
    Data(u64),
    /// Nothing: the body is complete.
    Done,
}

/// Follows the framing of a chunked body; the data itself does not pass through it.
#[derive(Debug)]
pub(crate) struct Decoder {
    state: State,
    /// Size of the chunk while its digits arrive, then what is left of its data.
    remaining: u64,
    digits: u8,
    extension: usize,
    extensions: usize,
    /// The trailer section so far, with the empty line that ends it.
    trailers: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
    Done,
}

impl State {
    /// Whether the next byte is one of the trailer section.
    fn is_trailing(self) -> bool {
        use State::{EndLf, TrailerLf, TrailerName, TrailerStart, TrailerValue};
        matches!(
            self,
            TrailerStart | TrailerName | TrailerValue | TrailerLf | EndLf
        )
    }
}

impl Decoder {
    pub(crate) fn new() -> Decoder {
        Decoder {
            state: State::Size,
            remaining: 0,
            digits: 0,
            extension: 0,
            extensions: 0,
            trailers: Vec::new(),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The trailer section, once the body [is done](Self::is_done).
    pub(crate) fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// Passes over the framing at the start of `input`: gives the bytes used and what follows them.
    pub(crate) fn advance(&mut self, input: &[u8]) -> Result<(usize, Progress), &'static str> {
        for (used, &byte) in input.iter().enumerate() {
            match self.state {
                State::Data => return Ok((used, Progress::Data(self.remaining))),
                State::Done => return Ok((used, Progress::Done)),
                _ => self.step(byte)?,
            }
        }
        let progress = match self.state {
            State::Data => Progress::Data(self.remaining),
            State::Done => Progress::Done,
            _ => Progress::NeedMore,
        };
        Ok((input.len(), progress))
    }

    /// Takes note that so many bytes of the data announced have been taken.
    pub(crate) fn take(&mut self, count: u64) {
        self.remaining -= count;
        if self.remaining == 0 {
            self.state = State::DataCr;
        }
    }

    fn step(&mut self, byte: u8) -> Result<(), &'static str> {
        if self.state.is_trailing() {
            if self.trailers.len() == MAX_TRAILERS {
                return Err("trailers too long");
            }
            self.trailers.push(byte);
        }
        self.state = match (self.state, byte) {
            (State::Size, _) if byte.is_ascii_hexdigit() => self.digit(byte)?,
            (State::Size, b';') if self.digits > 0 => State::Extension,
            (State::Size, b'\r') if self.digits > 0 => State::SizeLf,
            (State::Size, _) => return Err("malformed chunk size"),
            (State::Extension, b'\r') => State::SizeLf,
            (State::Extension, _) => self.extension(byte)?,
            (State::SizeLf, b'\n') => self.begin_chunk(),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size,
            (State::DataCr | State::DataLf, _) => return Err("chunk longer than its size"),
            (State::TrailerStart, b'\r') => State::EndLf,
            (State::EndLf, b'\n') => State::Done,
            (State::TrailerLf, b'\n') => State::TrailerStart,
            (State::TrailerStart | State::TrailerName | State::TrailerValue, _) => {
                self.trailer(byte)?
            }
            _ => return Err("a line must end in CR LF"),
        };
        Ok(())
    }

    fn digit(&mut self, byte: u8) -> Result<State, &'static str> {
        if self.digits == MAX_DIGITS {
            return Err("chunk size too large");
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            _ => (byte | 0x20) - b'a' + 10,
        };
        self.digits += 1;
        self.remaining = self.remaining << 4 | u64::from(digit);
        Ok(State::Size)
    }

    fn extension(&mut self, byte: u8) -> Result<State, &'static str> {
        self.extension += 1;
        self.extensions += 1;
        if self.extension > MAX_EXTENSION || self.extensions > MAX_EXTENSIONS {
            return Err("chunk extensions too long");
        }
        if is_text(byte) {
            Ok(State::Extension)
        } else {
            Err("malformed chunk extension")
        }
    }

    fn begin_chunk(&mut self) -> State {
        (self.digits, self.extension) = (0, 0);
        if self.remaining == 0 {
            State::TrailerStart
        } else {
            State::Data
        }
    }

    fn trailer(&mut self, byte: u8) -> Result<State, &'static str> {
        match (self.state, byte) {
            (State::TrailerName, b':') => Ok(State::TrailerValue),
            (State::TrailerStart | State::TrailerName, _) if is_token(byte) => {
                Ok(State::TrailerName)
            }
            (State::TrailerValue, b'\r') => Ok(State::TrailerLf),
            (State::TrailerValue, _) if is_text(byte) => Ok(State::TrailerValue),
            _ => Err("malformed trailer"),
        }
    }
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes `input` given in pieces of `step` bytes.
    fn decode(input: &[u8], step: usize) -> String {
        let (mut decoder, mut data, mut at) = (Decoder::new(), Vec::new(), 0);
        let mut end = 0;
        loop {
            match decoder.advance(&input[at..end]) {
                Err(reason) => return reason.to_owned(),
                Ok((used, Progress::Done)) => {
                    let text = String::from_utf8_lossy(&data).into_owned();
                    return format!("{text}|{}", input.len() - at - used);
                }
                Ok((used, Progress::Data(length))) if at + used < end => {
                    at += used;
                    let count = (end - at).min(usize::try_from(length).unwrap_or(usize::MAX));
                    data.extend_from_slice(&input[at..at + count]);
                    decoder.take(count as u64);
                    at += count;
                }
                Ok((used, _)) if end == input.len() => {
                    assert_eq!(at + used, end);
                    return "more".to_owned();
                }
                Ok((used, _)) => {
                    at += used;
                    end = (end + step).min(input.len());
                }
            }
        }
    }

    #[track_caller]
    fn check(input: &str, expected: &str) {
        for step in [1, 2, 3, 7, input.len().max(1)] {
            assert_eq!(
                decode(input.as_bytes(), step),
                expected,
                "in steps of {step}"
            );
        }
    }

    #[test]
    fn good_bodies() {
        check("0\r\n\r\n", "|0");
        check("5\r\nhello\r\n0\r\n\r\n", "hello|0");
        check(
            "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /",
            "hello world|5",
        );
        check("A;x=\"y\"\r\n0123456789\r\n00\r\n\r\n", "0123456789|0");
        check("1\r\na\r\n0\r\nDigest: x\r\nOther:\r\n\r\n", "a|0");
    }

    #[test]
    fn a_part_waits_for_more() {
        for part in [
            "",
            "5",
            "5\r",
            "5\r\nhel",
            "5\r\nhello\r",
            "0\r\n",
            "0\r\nA: b\r\n",
        ] {
            check(part, "more");
        }
    }

    #[test]
    fn malformed_sizes() {
        for size in [
            "\r\n", ";x\r\n", "+5\r\n", "-1\r\n", " 5\r\n", "5 \r\n", "0x5\r\n", "g\r\n", "5\n",
        ] {
            check(size, "malformed chunk size");
        }
        check("00000000000000005\r\n", "chunk size too large");
        check("5\rhello", "a line must end in CR LF");
    }

    #[test]
    fn malformed_data_ends() {
        check("5\r\nhello!\r\n", "chunk longer than its size");
        check("5\r\nhello\n0\r\n\r\n", "chunk longer than its size");
        check("5\r\nhello\r0", "chunk longer than its size");
    }

    #[test]
    fn malformed_extensions_and_trailers() {
        check("5;a\nb\r\n", "malformed chunk extension");
        check("5;a\0\r\n", "malformed chunk extension");
        check(
            &format!("5;{}\r\n", "x".repeat(MAX_EXTENSION + 1)),
            "chunk extensions too long",
        );
        check("0\r\nA b: c\r\n\r\n", "malformed trailer");
        check("0\r\n: c\r\n\r\n", "malformed trailer");
        check("0\r\nA: c\r\n d\r\n\r\n", "malformed trailer");
        check("0\r\nA: c\n\r\n", "malformed trailer");
        check("0\r\nGET / HTTP/1.1\r\n\r\n", "malformed trailer");
        check(
            &format!("0\r\nA: {}\r\n\r\n", "x".repeat(MAX_TRAILERS)),
            "trailers too long",
        );
    }

    #[test]
    fn extensions_are_bounded_over_all_chunks() {
        let chunk = format!("1;{}\r\na\r\n", "x".repeat(1000));
        check(&chunk.repeat(20), "chunk extensions too long");
    }
}
