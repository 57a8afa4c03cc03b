//! Folders: their entries come in batches, so that not each of them costs a way to another OS thread.

use greenwire_runtime::unblock;
use std::ffi::OsString;
use std::fs::{self, FileType, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, DirEntryExt};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

/// About as many as the system gives at once.
const BATCH: usize = 256;

/// The entries of a folder, as [`std::fs::read_dir`].
///
/// ```
/// use greenwire_system::fs;
///
/// # fn main() -> std::io::Result<()> {
/// let names: Result<Vec<_>, _> = fs::read_dir("src")?
///     .map(|entry| entry.map(|entry| entry.file_name()))
///     .collect();
/// assert!(names?.contains(&"lib.rs".into()));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As std's.
pub fn read_dir<P: AsRef<Path>>(path: P) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    let dir = unblock(move || fs::read_dir(path))?;
    Ok(ReadDir {
        batch: Vec::new().into_iter(),
        rest: Some(dir),
    })
}

/// The entries of a folder; see [`read_dir`]. The iterator may park.
#[derive(Debug)]
pub struct ReadDir {
    batch: vec::IntoIter<io::Result<DirEntry>>,
    /// `None` at the end; and if a green thread was cancelled while it was away.
    rest: Option<fs::ReadDir>,
}

/// A batch may hold errors, which are not safe to unwind past in general. Those of std's `ReadDir` are
/// what the system said, and a panic never finds a batch half read.
impl UnwindSafe for ReadDir {}
impl RefUnwindSafe for ReadDir {}

impl Iterator for ReadDir {
    type Item = io::Result<DirEntry>;

    fn next(&mut self) -> Option<io::Result<DirEntry>> {
        if let Some(entry) = self.batch.next() {
            return Some(entry);
        }
        let mut dir = self.rest.take()?;
        let (batch, rest) = unblock(move || {
            let entries = dir.by_ref().take(BATCH);
            let batch: Vec<_> = entries.map(|entry| entry.map(DirEntry::new)).collect();
            let rest = (batch.len() == BATCH).then_some(dir);
            (batch, rest)
        });
        (self.batch, self.rest) = (batch.into_iter(), rest);
        self.batch.next()
    }
}

/// An entry of a folder, as [`std::fs::DirEntry`]. Std's [`DirEntryExt`] works on it, too.
#[derive(Debug)]
pub struct DirEntry {
    entry: Arc<fs::DirEntry>,
    /// As most systems tell it together with the name.
    file_type: Option<FileType>,
}

impl DirEntry {
    fn new(entry: fs::DirEntry) -> DirEntry {
        DirEntry {
            file_type: entry.file_type().ok(),
            entry: Arc::new(entry),
        }
    }

    /// The path of the folder as it was given, and the name.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.entry.path()
    }

    /// The name.
    #[must_use]
    pub fn file_name(&self) -> OsString {
        self.entry.file_name()
    }

    /// What kind of file it is, or that it is a link.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn file_type(&self) -> io::Result<FileType> {
        match self.file_type {
            Some(file_type) => Ok(file_type),
            None => self.metadata().map(|metadata| metadata.file_type()),
        }
    }

    /// What is known of the file, or of the link itself.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn metadata(&self) -> io::Result<Metadata> {
        let entry = self.entry.clone();
        unblock(move || entry.metadata())
    }
}

impl DirEntryExt for DirEntry {
    fn ino(&self) -> u64 {
        self.entry.ino()
    }
}

/// How a folder is made, as [`std::fs::DirBuilder`]. Std's [`DirBuilderExt`] works on it, too.
#[derive(Clone, Debug)]
pub struct DirBuilder {
    mode: u32,
    recursive: bool,
}

impl DirBuilder {
    /// One folder, with the usual permissions.
    #[expect(clippy::new_without_default, reason = "std's has no default either")]
    #[must_use]
    pub fn new() -> DirBuilder {
        DirBuilder {
            mode: 0o777,
            recursive: false,
        }
    }

    /// Whether those above it are made, too.
    pub fn recursive(&mut self, recursive: bool) -> &mut DirBuilder {
        self.recursive = recursive;
        self
    }

    /// Makes the folder.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn create<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.mode(self.mode).recursive(self.recursive);
        let path = path.as_ref().to_owned();
        unblock(move || builder.create(path))
    }
}

impl DirBuilderExt for DirBuilder {
    fn mode(&mut self, mode: u32) -> &mut DirBuilder {
        self.mode = mode;
        self
    }
}
