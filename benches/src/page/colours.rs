//! One colour for each peer, through the whole page, in light and in dark.
//!
//! Pictures are drawn in the light colours. The page's style replaces them in the dark, by selectors for
//! the attributes that they have.

use plotters::style::RGBColor;
use std::fmt::Write as _;

/// Light and dark.
type Pair = (u32, u32);

const PEERS: [(&str, Pair); 21] = [
    ("greenwire", (0x0a8f4d, 0x2ee08a)),
    ("greenwire --threads", (0x86b817, 0xb9e457)),
    ("epoll", (0x5c6370, 0xa8b0bd)),
    ("may", (0xe07a1f, 0xffa04c)),
    ("may_minihttp", (0xb5541c, 0xe8834b)),
    ("tokio", (0x2f6fde, 0x6fa3fe)),
    ("axum", (0x8e44ad, 0xc58be0)),
    ("hyper", (0x3a4fc9, 0x8c9bff)),
    ("hyper, pipeline_flush", (0x1971c2, 0x4dabf7)),
    ("tokio-tungstenite", (0x1f5fbf, 0x5e9bf9)),
    ("tokio-websockets", (0x7a3fd1, 0xb48cfd)),
    ("tokio-websockets, batched", (0xc03fa8, 0xf07fd8)),
    ("fastwebsockets", (0xd7263d, 0xff6b7d)),
    ("tungstenite, threads", (0x8c6d1f, 0xd9b44a)),
    ("gevent", (0xa0522d, 0xd98c5f)),
    ("Node", (0xd9a400, 0xffd84b)),
    ("Go", (0x00a0c6, 0x55d6f5)),
    ("wrk", (0xd6336c, 0xff85ad)),
    ("corosensei", (0x7d8590, 0xc3c9d1)),
    ("std threads", (0x94b024, 0xc4e06a)),
    ("tokio, current_thread", (0x5b9bd5, 0x9cc9f5)),
];

/// For who is not in the list.
const OTHERS: [Pair; 4] = [
    (0x9c36b5, 0xda77f2),
    (0x1098ad, 0x3bc9db),
    (0xe8590c, 0xff922b),
    (0x495057, 0xced4da),
];

/// Text, and thin lines.
const INK: Pair = (0x1b1f24, 0xe6e8eb);
const GRID: Pair = (0xd9dce1, 0x3a3f47);

/// The colour of a peer.
pub(super) fn of(peer: &str) -> RGBColor {
    rgb(pair(peer).0)
}

/// The colour of text.
pub(super) fn ink() -> RGBColor {
    rgb(INK.0)
}

/// The colour of thin lines.
pub(super) fn grid() -> RGBColor {
    rgb(GRID.0)
}

/// As a style sheet writes it.
pub(super) fn css(peer: &str) -> String {
    format!("#{:06X}", pair(peer).0)
}

/// What turns light pictures into dark ones.
pub(super) fn dark_rules() -> String {
    let mut rules = String::new();
    let peers = PEERS.iter().map(|(_, pair)| *pair);
    for (light, dark) in peers.chain(OTHERS).chain([INK, GRID]) {
        for (attribute, property) in [
            ("fill", "fill"),
            ("stroke", "stroke"),
            ("data-colour", "background"),
        ] {
            write!(
                rules,
                "[{attribute}='#{light:06X}']{{{property}:#{dark:06X}}}"
            )
            .expect("a string takes everything");
        }
    }
    rules
}

fn pair(peer: &str) -> Pair {
    let known = PEERS
        .iter()
        .find(|(name, _)| *name == peer)
        .map(|(_, pair)| *pair);
    known.unwrap_or_else(|| {
        let sum: usize = peer.bytes().map(usize::from).sum();
        OTHERS[sum % OTHERS.len()]
    })
}

fn rgb(value: u32) -> RGBColor {
    let [_, red, green, blue] = value.to_be_bytes();
    RGBColor(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_colour_of_its_own() {
        for (index, (name, (light, dark))) in PEERS.iter().enumerate() {
            for (other, (other_light, other_dark)) in &PEERS[..index] {
                assert!(
                    light != other_light && dark != other_dark,
                    "{name} and {other}"
                );
            }
        }
        for peer in greenwire_bench_peers::PEERS {
            let known = PEERS.iter().any(|(name, _)| *name == peer.name);
            assert!(known, "{} has no colour", peer.name);
        }
    }
}
