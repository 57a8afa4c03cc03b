//! Answers that are known in advance, byte by byte.

use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;

/// What comes back from an echo: answers of one length in a row, over and over.
pub(crate) struct Echo {
    expected: Arc<[u8]>,
    length: usize,
    position: usize,
    /// The bytes of the answer that has begun.
    begun: usize,
}

impl Echo {
    /// `expected` holds answers of `length` bytes each; the `first` of these comes first.
    pub(crate) fn new(expected: Arc<[u8]>, length: usize, first: usize) -> Echo {
        let count = expected.len() / length;
        Echo {
            position: first % count * length,
            expected,
            length,
            begun: 0,
        }
    }

    /// How many answers end in these bytes, the next that came.
    pub(crate) fn accept(&mut self, mut bytes: &[u8]) -> Result<usize> {
        let whole = self.begun + bytes.len();
        while !bytes.is_empty() {
            let row = &self.expected[self.position..];
            let row = &row[..row.len().min(bytes.len())];
            let (now, later) = bytes.split_at(row.len());
            if now != row {
                return Err(differs(now, row));
            }
            self.position = (self.position + row.len()) % self.expected.len();
            bytes = later;
        }
        self.begun = whole % self.length;
        Ok(whole / self.length)
    }
}

fn differs(got: &[u8], wanted: &[u8]) -> Error {
    let place = got
        .iter()
        .zip(wanted)
        .position(|(got, wanted)| got != wanted);
    let place = place.unwrap_or_default();
    let shown = |bytes: &[u8]| bytes[place..].iter().take(12).copied().collect::<Vec<u8>>();
    let message = format!(
        "not what was sent: {:02x?} instead of {:02x?}",
        shown(got),
        shown(wanted)
    );
    Error::new(ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_count_wherever_the_bytes_are_cut() {
        for cut in 1..=9 {
            let mut echo = Echo::new(b"abcdefghi".as_slice().into(), 3, 1);
            let stream = b"defghiabcdefghiabc";
            let counts = stream.chunks(cut).map(|chunk| echo.accept(chunk).unwrap());
            assert_eq!(counts.sum::<usize>(), 6, "cut at {cut}");
        }
    }

    #[test]
    fn a_wrong_byte_is_found() {
        let mut echo = Echo::new(b"abcdefghi".as_slice().into(), 3, 0);
        assert_eq!(echo.accept(b"abcd").unwrap(), 1);
        let error = echo.accept(b"eX").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains("[58] instead of [66"), "{error}");
    }
}
