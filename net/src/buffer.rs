//! Read buffers lent by the calling OS thread, so that an idle connection owns none.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::{fmt, mem};

/// How many free buffers an OS thread keeps: 1 MiB.
const KEPT: usize = 16;

thread_local! {
    /// The free buffers, the one used last on top: it is the likeliest to be in the cache.
    static FREE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// A read buffer of [`Buffer::SIZE`] bytes, borrowed from the OS thread and given back on drop.
///
/// It may be held across waits and sent to other threads; it then goes to the OS thread on which it
/// is dropped. Its bytes are whatever its last user left there.
///
/// ```
/// # use greenwire_net::{TcpListener, TcpStream};
/// use greenwire_net::Buffer;
/// use std::io::{Read, Write};
///
/// # fn main() -> std::io::Result<()> {
/// # let listener = TcpListener::bind("127.0.0.1:0")?;
/// # let mut peer = TcpStream::connect(listener.local_addr()?)?;
/// # peer.write_all(b"news")?;
/// # let (mut stream, _) = listener.accept()?;
/// stream.park_until_readable()?;
/// let mut buffer = Buffer::borrow();
/// let count = stream.read(&mut buffer)?;
/// assert_eq!(&buffer[..count], b"news");
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Buffer(Box<[u8]>);

impl Buffer {
    /// The length of every buffer: 64 KiB, which a read of a fast connection fills.
    pub const SIZE: usize = 64 * 1024;

    /// Takes a free buffer of the calling OS thread, or makes a zeroed one if there is none.
    #[inline]
    pub fn borrow() -> Buffer {
        // While the thread-local is being destroyed there are no free buffers.
        let free = FREE.try_with(|free| free.borrow_mut().pop());
        let bytes = free.ok().flatten();
        Buffer(bytes.unwrap_or_else(|| vec![0; Buffer::SIZE].into_boxed_slice()))
    }
}

impl Drop for Buffer {
    #[inline]
    fn drop(&mut self) {
        let bytes = mem::take(&mut self.0);
        // Beyond the limit, and while the thread-local is being destroyed, the memory is freed.
        let _ = FREE.try_with(|free| {
            let mut free = free.borrow_mut();
            if free.len() < KEPT {
                free.push(bytes);
            }
        });
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl fmt::Debug for Buffer {
    /// Without the bytes, which are nobody's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn free() -> usize {
        FREE.with_borrow(Vec::len)
    }

    #[test]
    fn a_buffer_is_used_again() {
        let mut buffer = Buffer::borrow();
        assert_eq!(buffer.len(), Buffer::SIZE);
        buffer[0] = 7;
        let place = buffer.as_ptr();
        drop(buffer);
        assert_eq!(free(), 1);
        let again = Buffer::borrow();
        assert_eq!((again.as_ptr(), again[0], free()), (place, 7, 0));
    }

    #[test]
    fn few_are_kept() {
        let many: Vec<Buffer> = (0..KEPT + 5).map(|_| Buffer::borrow()).collect();
        drop(many);
        assert_eq!(free(), KEPT);
    }

    #[test]
    fn it_stays_where_it_is_dropped() {
        let buffer = Buffer::borrow();
        let there = thread::spawn(move || {
            drop(buffer);
            free()
        });
        assert_eq!((there.join().unwrap(), free()), (1, 0));
    }

    #[test]
    fn it_works_in_the_destructors_of_a_thread() {
        struct Late;

        impl Drop for Late {
            fn drop(&mut self) {
                assert_eq!(Buffer::borrow().len(), Buffer::SIZE);
            }
        }

        thread_local! {
            static FIRST: Late = const { Late };
            static LAST: Late = const { Late };
        }
        // On either side of the free list, to be destroyed before it and after it.
        let ended = thread::spawn(|| {
            FIRST.with(|_| ());
            drop(Buffer::borrow());
            LAST.with(|_| ());
        });
        ended.join().unwrap();
    }
}
