//! Files and folders, as [`std::fs`].
//!
//! Every call that may touch a disk runs on an OS thread of [`unblock`]
//! while the green thread that made it is parked. On an ordinary OS thread it is std's own.
//!
//! ```
//! use greenwire_system::fs::{self, File};
//! use std::io::{Read, Write};
//!
//! # fn main() -> std::io::Result<()> {
//! let path = std::env::temp_dir().join(format!("greenwire-{}", std::process::id()));
//! File::create(&path)?.write_all(b"hello")?;
//! let mut text = String::new();
//! File::open(&path)?.read_to_string(&mut text)?;
//! assert_eq!(text, "hello");
//! fs::remove_file(&path)
//! # }
//! ```
//!
//! # Cost
//!
//! A call on a green thread costs some 20 µs for the way to another OS thread and back, and a copy of what
//! is read or written. So read and write much at a time: with [`read`] and [`write`](write()), or
//! through a [`BufReader`](std::io::BufReader) or [`BufWriter`](std::io::BufWriter) of 64 KiB and more.
//!
//! # Cancellation
//!
//! Any call may park. What was under way when its green thread is cancelled is completed all the same: a
//! file may have been written or renamed, its position may have moved.

mod dir;
mod file;
mod options;

pub use dir::{DirBuilder, DirEntry, ReadDir, read_dir};
pub use file::File;
pub use options::OpenOptions;
#[doc(no_inline)]
pub use std::fs::{FileTimes, FileType, Metadata, Permissions, TryLockError};

use greenwire_runtime::unblock;
use std::io;
use std::path::{Path, PathBuf};

/// Defines functions of one path that are std's, on another OS thread.
macro_rules! of_a_path {
    ($($(#[$doc:meta])* $name:ident -> $Result:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        ///
        /// As std's.
        pub fn $name<P: AsRef<Path>>(path: P) -> io::Result<$Result> {
            let path = path.as_ref().to_owned();
            unblock(move || std::fs::$name(path))
        }
    )*};
}

of_a_path! {
    /// The absolute path without links. As [`std::fs::canonicalize`].
    canonicalize -> PathBuf;
    /// Makes a folder. As [`std::fs::create_dir`].
    create_dir -> ();
    /// Makes a folder and those above it. As [`std::fs::create_dir_all`].
    create_dir_all -> ();
    /// Whether there is something at the path. As [`std::fs::exists`].
    exists -> bool;
    /// What is known of a file, past links. As [`std::fs::metadata`].
    metadata -> Metadata;
    /// All bytes of a file. As [`std::fs::read`].
    read -> Vec<u8>;
    /// Where a link leads. As [`std::fs::read_link`].
    read_link -> PathBuf;
    /// All text of a file. As [`std::fs::read_to_string`].
    read_to_string -> String;
    /// Removes an empty folder. As [`std::fs::remove_dir`].
    remove_dir -> ();
    /// Removes a folder with all that is in it. As [`std::fs::remove_dir_all`].
    remove_dir_all -> ();
    /// Removes a file. As [`std::fs::remove_file`].
    remove_file -> ();
    /// What is known of a file, or of the link itself. As [`std::fs::symlink_metadata`].
    symlink_metadata -> Metadata;
}

/// Defines functions of two paths that are std's, on another OS thread.
macro_rules! of_two_paths {
    ($($(#[$doc:meta])* $name:ident($from:ident, $to:ident) -> $Result:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        ///
        /// As std's.
        pub fn $name<P: AsRef<Path>, Q: AsRef<Path>>($from: P, $to: Q) -> io::Result<$Result> {
            let ($from, $to) = ($from.as_ref().to_owned(), $to.as_ref().to_owned());
            unblock(move || std::fs::$name($from, $to))
        }
    )*};
}

of_two_paths! {
    /// Copies a file and its permissions; how many bytes it has. As [`std::fs::copy`].
    copy(from, to) -> u64;
    /// Makes another name of a file. As [`std::fs::hard_link`].
    hard_link(original, link) -> ();
    /// Gives a file another name. As [`std::fs::rename`].
    rename(from, to) -> ();
}

/// Changes permissions. As [`std::fs::set_permissions`].
///
/// # Errors
///
/// As std's.
pub fn set_permissions<P: AsRef<Path>>(path: P, perm: Permissions) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    unblock(move || std::fs::set_permissions(path, perm))
}

/// Makes these the contents of a file. As [`std::fs::write`].
///
/// # Errors
///
/// As std's.
pub fn write<P: AsRef<Path>, C: AsRef<[u8]>>(path: P, contents: C) -> io::Result<()> {
    if !greenwire_runtime::thread::is_green() {
        return std::fs::write(path, contents);
    }
    let (path, contents) = (path.as_ref().to_owned(), contents.as_ref().to_owned());
    unblock(move || std::fs::write(path, contents))
}
