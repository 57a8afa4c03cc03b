//! Masking (RFC 6455 §5.3): payload XOR a four-byte key that repeats.

use fearless_simd::{Level, Simd, dispatch};
use std::sync::LazyLock;

/// What vectors this CPU has.
static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);

/// From so many bytes on wider vectors than every CPU has are worth the look at what this one has.
const LONG: usize = 512;

/// How many bytes the CPU's cache takes in at once.
const LINE: usize = 64;

/// XORs `data` with `key` in place and returns the key rotated to continue after `data`, so that a
/// payload may be unmasked in pieces of any size.
///
/// Works on words of eight bytes, which the compiler turns into the widest vectors of this CPU.
#[inline]
pub(crate) fn apply(key: [u8; 4], data: &mut [u8]) -> [u8; 4] {
    if data.len() < LONG {
        xor_all(data, repeated(key));
        return rotated(key, data.len());
    }
    apply_long(key, data)
}

/// A vector that lies across two lines of the cache takes twice as long: the bytes before the first whole line
/// come first.
#[inline(never)]
fn apply_long(key: [u8; 4], data: &mut [u8]) -> [u8; 4] {
    let start = data.as_ptr().align_offset(LINE).min(data.len());
    let (before, lines) = data.split_at_mut(start);
    xor_all(before, repeated(key));
    let key = rotated(key, before.len());
    dispatch!(*LEVEL, simd => xor_with(simd, lines, repeated(key)));
    rotated(key, lines.len())
}

/// The key as it continues after so many bytes.
#[inline]
fn rotated(key: [u8; 4], count: usize) -> [u8; 4] {
    // Little endian puts the key's first byte lowest: rotating right brings the next ones down.
    u32::from_le_bytes(key)
        .rotate_right(8 * (count as u32 % 4))
        .to_le_bytes()
}

/// Compiled for each kind of CPU.
#[inline(always)]
fn xor_with<S: Simd>(_: S, data: &mut [u8], word: u64) {
    xor_all(data, word);
}

#[inline(always)]
fn xor_all(data: &mut [u8], word: u64) {
    let (words, rest) = data.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = xor(*chunk, word);
    }
    for (byte, key) in rest.iter_mut().zip(word.to_ne_bytes()) {
        *byte ^= key;
    }
}

/// Twice the key, as it lies in memory.
fn repeated([a, b, c, d]: [u8; 4]) -> u64 {
    u64::from_ne_bytes([a, b, c, d, a, b, c, d])
}

#[inline(always)]
fn xor(chunk: [u8; 8], word: u64) -> [u8; 8] {
    (u64::from_ne_bytes(chunk) ^ word).to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytewise(key: [u8; 4], data: &mut [u8]) {
        for (i, byte) in data.iter_mut().enumerate() {
            *byte ^= key[i % 4];
        }
    }

    #[test]
    fn equals_the_bytewise_reference_at_any_alignment_and_length() {
        let key = [0x12, 0xfe, 0x80, 0x07];
        let plain: Vec<u8> = (0..200u8).map(|i| i.wrapping_mul(37)).collect();
        for start in 0..17 {
            for end in start..plain.len() {
                let (mut words, mut bytes) = (plain.clone(), plain.clone());
                apply(key, &mut words[start..end]);
                bytewise(key, &mut bytes[start..end]);
                assert_eq!(words, bytes, "{start}..{end}");
            }
        }
    }

    #[test]
    fn long_data_equals_it_too() {
        let key = [0x80, 0x12, 0x07, 0xfe];
        let plain: Vec<u8> = (0..4 * LONG).map(|i| (i * 37 / 8) as u8).collect();
        for start in 0..65 {
            for end in [LONG - 1, LONG, LONG + start, 2 * LONG + 77, plain.len() - 3] {
                let (mut words, mut bytes) = (plain.clone(), plain.clone());
                apply(key, &mut words[start..end]);
                bytewise(key, &mut bytes[start..end]);
                assert_eq!(words, bytes, "{start}..{end}");
            }
        }
    }

    #[test]
    fn pieces_equal_the_whole() {
        let key = [1, 2, 3, 4];
        let mut whole: Vec<u8> = (0..100).collect();
        let mut pieces = whole.clone();
        apply(key, &mut whole);
        for split in 0..pieces.len() {
            let mut data: Vec<u8> = (0..100).collect();
            let (head, tail) = data.split_at_mut(split);
            let next = apply(key, head);
            apply(next, tail);
            pieces.copy_from_slice(&data);
            assert_eq!(pieces, whole, "split at {split}");
        }
    }
}
