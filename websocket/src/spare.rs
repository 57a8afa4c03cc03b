//! Buffers for frames on their way out, reused per OS thread, so that an idle connection owns none
//! and a busy one does not ask the allocator at every reply.

use std::cell::{Cell, RefCell};

/// Buffers kept per OS thread.
const KEPT: usize = 16;
/// A larger buffer is freed: it was made for one large message.
const LARGEST: usize = 256 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer.
pub(crate) fn take() -> Vec<u8> {
    SPARE
        .try_with(|spare| spare.borrow_mut().pop())
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Gives a buffer back; its content is dropped.
pub(crate) fn give(mut buffer: Vec<u8>) {
    if buffer.capacity() == 0 || buffer.capacity() > LARGEST {
        return;
    }
    buffer.clear();
    // While the OS thread ends there is no list any more; then the buffer is simply freed.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < KEPT {
            spare.push(buffer);
        }
    });
}

/// A number that tells the calling OS thread from all others that are alive; never 0.
pub(crate) fn this_os_thread() -> usize {
    thread_local! {
        static HERE: Cell<u8> = const { Cell::new(0) };
    }
    HERE.try_with(|here| std::ptr::from_ref(here) as usize)
        .unwrap_or(usize::MAX)
}
