//! The secret by which a client shows who it is.

use crate::comet::Error;
use std::fmt;
use subtle::ConstantTimeEq;

/// 32 hexadecimal digits, from 16 bytes of the system's randomness.
#[derive(Clone)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn random() -> Result<Key, Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| Error::NoRandomness)?;
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(random) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 0xf)];
        }
        Ok(Key(digits))
    }

    /// Takes the same time wherever the two differ, so that nobody can find the key digit by digit.
    pub(crate) fn is(&self, given: &str) -> bool {
        self.0.ct_eq(given.as_bytes()).into()
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|digit| fmt::Write::write_char(f, char::from(*digit)))
    }
}

/// Without the digits: logs are read by others.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn only_the_same_digits_are_the_key() {
        let (one, other) = (Key::random().unwrap(), Key::random().unwrap());
        let text = one.to_string();
        assert_eq!(text.len(), 32);
        assert!(text.bytes().all(|digit| digit.is_ascii_hexdigit()));
        assert!(one.is(&text) && !other.is(&text));
        assert!(!one.is(&text[..31]) && !one.is("") && !one.is(&format!("{text}0")));
    }
}
