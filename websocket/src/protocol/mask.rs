//! Masking (RFC 6455 §5.3): payload XOR a four-byte key that repeats.

/// XORs `data` with `key` in place and returns the key rotated to continue after `data`, so that a
/// payload may be unmasked in pieces of any size.
///
/// Works on words of eight bytes, which the compiler turns into the widest vectors it knows.
pub(crate) fn apply(key: [u8; 4], data: &mut [u8]) -> [u8; 4] {
    let word = repeated(key);
    let (words, rest) = data.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = xor(*chunk, word);
    }
    for (byte, key) in rest.iter_mut().zip(word.to_ne_bytes()) {
        *byte ^= key;
    }
    // Little endian puts the key's first byte lowest: rotating right brings the next ones down.
    u32::from_le_bytes(key)
        .rotate_right(8 * (rest.len() as u32 % 4))
        .to_le_bytes()
}

/// Twice the key, as it lies in memory.
fn repeated([a, b, c, d]: [u8; 4]) -> u64 {
    u64::from_ne_bytes([a, b, c, d, a, b, c, d])
}

#[inline]
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
