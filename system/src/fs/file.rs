//! `File`: std's, whose calls run on another OS thread, on buffers of their own.

use super::options::OpenOptions;
use greenwire_runtime::{thread, unblock};
use std::fs::{self, FileTimes, Metadata, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// What one call reads or writes at most: it is copied, and a read first takes the memory for all.
const MOST: usize = 1 << 20;

/// An open file, as [`std::fs::File`]. Std's [`FileExt`] works on it, too.
///
/// # Differences from std
///
/// - One call reads or writes at most 1 MiB on a green thread, but for
///   [`read_to_end`](Read::read_to_end) and [`read_to_string`](Read::read_to_string).
/// - The descriptor stays open until the call that a cancelled green thread has left behind is completed.
#[derive(Debug)]
pub struct File(Arc<fs::File>);

impl File {
    /// Opens a file to read it.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn open<P: AsRef<Path>>(path: P) -> io::Result<File> {
        File::options().read(true).open(path)
    }

    /// Opens a file to write it, empty.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn create<P: AsRef<Path>>(path: P) -> io::Result<File> {
        let mut options = File::options();
        options.write(true).create(true).truncate(true).open(path)
    }

    /// Makes a file, to read and write it.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if there is one; as std's.
    pub fn create_new<P: AsRef<Path>>(path: P) -> io::Result<File> {
        let mut options = File::options();
        options.read(true).write(true).create_new(true).open(path)
    }

    /// How else a file can be opened.
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Takes a lock that excludes all others, and waits for it on one of the 64 OS threads of
    /// [`unblock`](greenwire_runtime::unblock), for however long.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn lock(&self) -> io::Result<()> {
        self.run(fs::File::lock)
    }

    /// Takes a lock that others may share; waits as [`lock`](File::lock) does.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn lock_shared(&self) -> io::Result<()> {
        self.run(fs::File::lock_shared)
    }

    /// Takes a lock that excludes all others, if it is free.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn try_lock(&self) -> Result<(), TryLockError> {
        self.run(fs::File::try_lock)
    }

    /// Takes a lock that others may share, if it is free.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn try_lock_shared(&self) -> Result<(), TryLockError> {
        self.run(fs::File::try_lock_shared)
    }

    /// Gives the lock back.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn unlock(&self) -> io::Result<()> {
        self.run(fs::File::unlock)
    }

    /// Waits until contents and metadata are on the disk.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn sync_all(&self) -> io::Result<()> {
        self.run(fs::File::sync_all)
    }

    /// Waits until the contents are on the disk.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn sync_data(&self) -> io::Result<()> {
        self.run(fs::File::sync_data)
    }

    /// Cuts the file, or extends it by zeros.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn set_len(&self, size: u64) -> io::Result<()> {
        self.run(move |file| file.set_len(size))
    }

    /// What is known of the file.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.run(fs::File::metadata)
    }

    /// Changes its permissions.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn set_permissions(&self, perm: Permissions) -> io::Result<()> {
        self.run(move |file| file.set_permissions(perm))
    }

    /// Changes its times.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn set_times(&self, times: FileTimes) -> io::Result<()> {
        self.run(move |file| file.set_times(times))
    }

    /// Changes the time of its last modification.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.run(move |file| file.set_modified(time))
    }

    /// Another descriptor of the open file, which shares its position.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn try_clone(&self) -> io::Result<File> {
        self.0.try_clone().map(File::from)
    }

    /// Turns it into std's: the same descriptor, or a duplicate while a call that a cancelled green
    /// thread has left behind is not completed.
    ///
    /// # Errors
    ///
    /// The system's, when there are no free descriptors for a duplicate.
    pub fn into_std(self) -> io::Result<fs::File> {
        Arc::try_unwrap(self.0).or_else(|shared| shared.try_clone())
    }

    fn run<T: Send + 'static>(&self, f: impl FnOnce(&fs::File) -> T + Send + 'static) -> T {
        if !thread::is_green() {
            return f(&self.0);
        }
        let file = self.0.clone();
        unblock(move || f(&file))
    }

    /// Reads by `read`, which may be called on another OS thread.
    fn read_by(
        &self,
        buf: &mut [u8],
        read: impl FnOnce(&fs::File, &mut [u8]) -> io::Result<usize> + Send + 'static,
    ) -> io::Result<usize> {
        if !thread::is_green() {
            return read(&self.0, buf);
        }
        let len = buf.len().min(MOST);
        let bytes = self.run(move |file| {
            let mut bytes = vec![0; len];
            let count = read(file, &mut bytes)?;
            bytes.truncate(count);
            io::Result::Ok(bytes)
        })?;
        buf[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    /// Writes by `write`, which may be called on another OS thread.
    fn write_by(
        &self,
        buf: &[u8],
        write: impl FnOnce(&fs::File, &[u8]) -> io::Result<usize> + Send + 'static,
    ) -> io::Result<usize> {
        if !thread::is_green() {
            return write(&self.0, buf);
        }
        let bytes = buf[..buf.len().min(MOST)].to_owned();
        self.run(move |file| write(file, &bytes))
    }
}

macro_rules! io_traits {
    ($($Type:ty),*) => {$(
        impl Read for $Type {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.read_by(buf, |mut file, buf| file.read(buf))
            }

            fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
                let bytes = self.run(|mut file| {
                    let mut bytes = Vec::new();
                    file.read_to_end(&mut bytes).map(|_| bytes)
                })?;
                buf.extend_from_slice(&bytes);
                Ok(bytes.len())
            }

            fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
                let text = self.run(|mut file| {
                    let mut text = String::new();
                    file.read_to_string(&mut text).map(|_| text)
                })?;
                buf.push_str(&text);
                Ok(text.len())
            }
        }

        impl Write for $Type {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                self.write_by(buf, |mut file, buf| file.write(buf))
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        impl Seek for $Type {
            fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
                self.run(move |mut file| file.seek(pos))
            }
        }
    )*};
}

io_traits!(File, &File);

impl FileExt for File {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.read_by(buf, move |file, buf| file.read_at(buf, offset))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        self.write_by(buf, move |file, buf| file.write_at(buf, offset))
    }
}

impl From<fs::File> for File {
    fn from(file: fs::File) -> File {
        File(Arc::new(file))
    }
}

impl From<OwnedFd> for File {
    fn from(fd: OwnedFd) -> File {
        fs::File::from(fd).into()
    }
}

impl TryFrom<File> for OwnedFd {
    type Error = io::Error;

    /// By [`File::into_std`].
    fn try_from(file: File) -> io::Result<OwnedFd> {
        file.into_std().map(OwnedFd::from)
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
