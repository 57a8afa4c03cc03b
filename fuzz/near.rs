//! Inputs that differ from seeds at a few places, for tests that call what the targets call. Part of them by `#[path]`.

/// Has `target` look at `seeds`, and at many inputs near them, the same ones in each run. `bytes` are those that mean
/// something to it.
pub(super) fn try_around<S: AsRef<[u8]>>(seeds: &[S], bytes: &[u8], target: fn(&[u8])) {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    for seed in seeds.iter().map(S::as_ref) {
        target(seed);
        for _ in 0..5000 {
            let mut input = seed.to_vec();
            for _ in 0..=random(4) {
                let (at, byte) = (random(input.len()), bytes[random(bytes.len())]);
                match random(3) {
                    0 => input[at] = byte,
                    1 => input.insert(at, byte),
                    _ => input.extend_from_within(at..),
                }
            }
            target(&input);
        }
    }
}
