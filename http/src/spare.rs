//! Memory that the requests of an OS thread use one after the other, so that a connection owns none while it waits.

use crate::protocol::head::Asked;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use std::cell::RefCell;
use std::mem;

/// So many bytes of heads share a block, which is free again once all of their requests are gone. Small, since one
/// request that lasts keeps all of it.
const BLOCK: usize = 1 << 10;
/// So many maps are kept: a request's and a response's, and those of a few that waited meanwhile.
const MAPS: usize = 8;
/// So many boxes for what requests ask for: that of the one under way, and those of a few that waited.
const BOXES: usize = 4;
/// A map for more headers than these is not kept.
const MANY: usize = 64;

thread_local! {
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    static ASKED: RefCell<Vec<Box<Asked>>> = const { RefCell::new(Vec::new()) };
    static HEADERS: RefCell<Vec<HeaderMap>> = const { RefCell::new(Vec::new()) };
    static HEADS: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// An empty box, mostly without an allocation. The next request finds it in the CPU's cache, and neither it nor its
/// connection's stack has to be large.
#[inline]
pub(crate) fn asked() -> Box<Asked> {
    let spare = ASKED.try_with(|boxes| boxes.borrow_mut().pop());
    spare.ok().flatten().unwrap_or_default()
}

/// Leaves a box to others.
#[inline]
pub(crate) fn reuse_asked(mut asked: Box<Asked>) {
    *asked = Asked::default();
    let _ = ASKED.try_with(|boxes| {
        let mut boxes = boxes.borrow_mut();
        if boxes.len() < BOXES {
            boxes.push(asked);
        }
    });
}

/// An empty map, mostly one with room.
#[inline]
pub(crate) fn headers() -> HeaderMap {
    // While the thread-local is being destroyed there is none.
    let spare = HEADERS.try_with(|maps| maps.borrow_mut().pop());
    spare.ok().flatten().unwrap_or_default()
}

/// Leaves the room of a map to others.
#[inline]
pub(crate) fn reuse(headers: &mut HeaderMap) {
    if headers.capacity() == 0 || headers.capacity() > MANY {
        return;
    }
    headers.clear();
    let _ = HEADERS.try_with(|maps| {
        let mut maps = maps.borrow_mut();
        if maps.len() < MAPS {
            maps.push(mem::take(headers));
        }
    });
}

/// A copy of a head, mostly without an allocation.
#[inline]
pub(crate) fn keep(head: &[u8]) -> Bytes {
    let gather = |block: &RefCell<BytesMut>| {
        let mut block = block.borrow_mut();
        if !block.try_reclaim(head.len()) {
            *block = BytesMut::with_capacity(BLOCK);
        }
        block.extend_from_slice(head);
        block.split().freeze()
    };
    let kept = match head.len() <= BLOCK {
        true => HEADS.try_with(gather).ok(),
        false => None,
    };
    kept.unwrap_or_else(|| Bytes::copy_from_slice(head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::HOST;

    #[test]
    fn a_map_is_used_again_without_its_headers() {
        let mut map = headers();
        map.insert(HOST, HeaderValue::from_static("h"));
        let room = map.capacity();
        reuse(&mut map);
        let again = headers();
        assert_eq!((again.len(), again.capacity()), (0, room));
        assert_eq!(headers().capacity(), 0);
    }

    #[test]
    fn a_box_is_used_again_without_what_was_asked_for() {
        let mut first = asked();
        first.method = http::Method::PUT;
        let place = std::ptr::from_ref(&*first);
        reuse_asked(first);
        let again = asked();
        assert_eq!(
            (std::ptr::from_ref(&*again), &again.method),
            (place, &http::Method::GET)
        );
        (0..2 * BOXES).for_each(|_| reuse_asked(Box::default()));
        assert_eq!(ASKED.with_borrow(Vec::len), BOXES);
    }

    #[test]
    fn few_maps_are_kept_and_no_large_ones() {
        (0..2 * MAPS).for_each(|_| reuse(&mut HeaderMap::with_capacity(4)));
        reuse(&mut HeaderMap::with_capacity(4 * MANY));
        assert_eq!(HEADERS.with_borrow(Vec::len), MAPS);
        assert!((0..MAPS).all(|_| headers().capacity() <= MANY));
    }

    #[test]
    fn a_block_is_used_again_once_its_heads_are_gone() {
        let first = keep(b"first");
        let heads: Vec<Bytes> = (0..BLOCK).map(|_| keep(b"head")).collect();
        assert!(heads.iter().all(|head| head == "head"));
        assert_eq!(first, "first");
        drop((first, heads));
        let many: Vec<*const u8> = (0..BLOCK).map(|_| keep(b"head").as_ptr()).collect();
        let (low, high) = (many.iter().min().unwrap(), many.iter().max().unwrap());
        assert!(
            high.addr() - low.addr() < BLOCK,
            "one block after the other"
        );
        assert_eq!(keep(&[b'x'; 2 * BLOCK]).len(), 2 * BLOCK);
    }
}
