//! What is stable in std's modules `fs`, `process` and `io`, by its full type: this compiles, or parity is
//! lost.
//!
//! `std_api.rs` reads this file as text and compares it with std's documentation, so nothing is missing
//! from it either.

#![allow(
    unused_assignments,
    unused_imports,
    unused_variables,
    reason = "only the types matter"
)]

use super::{fs, io, process};
use fs::{DirBuilder, DirEntry, File, OpenOptions, ReadDir};
use fs::{FileTimes, FileType, Metadata, Permissions, TryLockError};
use io::{BufRead, ErrorKind, IsTerminal, Read, Seek, SeekFrom, Write, prelude};
use io::{BufReader, BufWriter, IntoInnerError, LineWriter, WriterPanicked};
use io::{Bytes, Chain, Cursor, Empty, Lines, Repeat, Sink, Split, Take};
use io::{Error, IoSlice, IoSliceMut, PipeReader, PipeWriter, Result};
use io::{Stderr, StderrLock, Stdin, StdinLock, Stdout, StdoutLock};
use process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use process::{CommandArgs, CommandEnvs, ExitCode, ExitStatus, Output, Stdio, Termination};
use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, DirEntryExt, FileExt, OpenOptionsExt};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// `has!(Type: Traits)`.
macro_rules! has {
    ($Type:ty: $($Trait:path),*) => {{
        $({
            fn check<T: $Trait>() {}
            check::<$Type>();
        })*
    }};
}

type OfAPath<R> = fn(&'static str) -> Result<R>;
type OfTwoPaths<R> = fn(&'static str, &'static str) -> Result<R>;

#[test]
fn functions_of_files() {
    let _: OfAPath<PathBuf> = fs::canonicalize;
    let _: OfTwoPaths<u64> = fs::copy;
    let mut of_a_path: OfAPath<()> = fs::create_dir;
    of_a_path = fs::create_dir_all;
    of_a_path = fs::remove_dir;
    of_a_path = fs::remove_dir_all;
    of_a_path = fs::remove_file;
    let _: OfAPath<bool> = fs::exists;
    let mut of_two_paths: OfTwoPaths<()> = fs::hard_link;
    of_two_paths = fs::rename;
    let mut metadata: OfAPath<Metadata> = fs::metadata;
    metadata = fs::symlink_metadata;
    let _: OfAPath<Vec<u8>> = fs::read;
    let _: OfAPath<ReadDir> = fs::read_dir;
    let _: OfAPath<PathBuf> = fs::read_link;
    let _: OfAPath<String> = fs::read_to_string;
    let _: fn(&'static str, Permissions) -> Result<()> = fs::set_permissions;
    let _: fn(&'static str, &'static [u8]) -> Result<()> = fs::write;
}

#[test]
fn file() {
    has!(File: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug, AsFd, AsRawFd, From<OwnedFd>);
    has!(File: Read, Write, Seek, FileExt);
    has!(&File: Read, Write, Seek);
    let mut open: OfAPath<File> = File::open;
    open = File::create;
    open = File::create_new;
    let _: fn() -> OpenOptions = File::options;
    let mut act: fn(&File) -> Result<()> = File::sync_all;
    act = File::sync_data;
    act = File::lock;
    act = File::lock_shared;
    act = File::unlock;
    let mut try_act: fn(&File) -> std::result::Result<(), TryLockError> = File::try_lock;
    try_act = File::try_lock_shared;
    let _: fn(&File, u64) -> Result<()> = File::set_len;
    let _: fn(&File) -> Result<Metadata> = File::metadata;
    let _: fn(&File) -> Result<File> = File::try_clone;
    let _: fn(&File, Permissions) -> Result<()> = File::set_permissions;
    let _: fn(&File, FileTimes) -> Result<()> = File::set_times;
    let _: fn(&File, SystemTime) -> Result<()> = File::set_modified;
}

#[test]
fn options_and_folders() {
    has!(OpenOptions: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Clone, Debug, OpenOptionsExt);
    let _: fn() -> OpenOptions = OpenOptions::new;
    let mut set: fn(&mut OpenOptions, bool) -> &mut OpenOptions = OpenOptions::read;
    set = OpenOptions::write;
    set = OpenOptions::append;
    set = OpenOptions::truncate;
    set = OpenOptions::create;
    set = OpenOptions::create_new;
    let _: fn(&OpenOptions, &'static str) -> Result<File> = OpenOptions::open;

    has!(DirBuilder: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug, DirBuilderExt);
    let _: fn() -> DirBuilder = DirBuilder::new;
    let _: fn(&mut DirBuilder, bool) -> &mut DirBuilder = DirBuilder::recursive;
    let _: fn(&DirBuilder, &'static str) -> Result<()> = DirBuilder::create;

    has!(ReadDir: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug);
    has!(ReadDir: Iterator<Item = Result<DirEntry>>);
    has!(DirEntry: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug, DirEntryExt);
    let _: fn(&DirEntry) -> PathBuf = DirEntry::path;
    let _: fn(&DirEntry) -> OsString = DirEntry::file_name;
    let _: fn(&DirEntry) -> Result<FileType> = DirEntry::file_type;
    let _: fn(&DirEntry) -> Result<Metadata> = DirEntry::metadata;
}

#[test]
fn command() {
    #[allow(unused_imports, reason = "ours are methods of the type")]
    use std::os::unix::process::CommandExt;
    has!(Command: Send, Sync, Unpin, Debug);
    let _: fn(&'static str) -> Command = Command::new;
    let mut add: for<'a> fn(&'a mut Command, &'static str) -> &'a mut Command = Command::arg;
    add = Command::env_remove;
    add = Command::current_dir;
    add = Command::arg0;
    let _: fn(&mut Command, Vec<String>) -> &mut Command = Command::args;
    let _: fn(&mut Command, String, String) -> &mut Command = Command::env;
    let _: fn(&mut Command, Vec<(String, String)>) -> &mut Command = Command::envs;
    let _: fn(&mut Command) -> &mut Command = Command::env_clear;
    let mut set: fn(&mut Command, Stdio) -> &mut Command = Command::stdin;
    set = Command::stdout;
    set = Command::stderr;
    let mut number: fn(&mut Command, u32) -> &mut Command = Command::uid;
    number = Command::gid;
    let _: fn(&mut Command, i32) -> &mut Command = Command::process_group;
    let _: fn(&mut Command) -> Result<Child> = Command::spawn;
    let _: fn(&mut Command) -> Result<Output> = Command::output;
    let _: fn(&mut Command) -> Result<ExitStatus> = Command::status;
    let _: fn(&mut Command) -> Error = Command::exec;
    let _: fn(&Command) -> &OsStr = Command::get_program;
    let _: fn(&Command) -> CommandArgs<'_> = Command::get_args;
    let _: fn(&Command) -> CommandEnvs<'_> = Command::get_envs;
    let _: fn(&Command) -> Option<&Path> = Command::get_current_dir;
}

#[test]
fn child() {
    has!(Child: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug);
    let _: fn(&mut Child) -> Result<()> = Child::kill;
    let _: fn(&Child) -> u32 = Child::id;
    let _: fn(&mut Child) -> Result<ExitStatus> = Child::wait;
    let _: fn(&mut Child) -> Result<Option<ExitStatus>> = Child::try_wait;
    let _: fn(Child) -> Result<Output> = Child::wait_with_output;

    has!(ChildStdin: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug, AsFd, AsRawFd);
    has!(ChildStdin: Write, From<OwnedFd>, IntoRawFd);
    has!(&ChildStdin: Write);
    has!(ChildStdout: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug, AsFd, AsRawFd);
    has!(ChildStdout: Read, From<OwnedFd>, IntoRawFd);
    has!(ChildStderr: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug, AsFd, AsRawFd);
    has!(ChildStderr: Read, From<OwnedFd>, IntoRawFd);
    has!(Stdio: From<ChildStdin>, From<ChildStdout>, From<ChildStderr>);
    has!(OwnedFd: From<ChildStdin>, From<ChildStdout>, From<ChildStderr>);
    let _: fn() -> ! = process::abort;
    let _: fn(i32) -> ! = process::exit;
    let _: fn() -> u32 = process::id;
}

#[test]
fn pipes() {
    let _: fn() -> Result<(PipeReader, PipeWriter)> = io::pipe;
    has!(PipeReader: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug, AsFd, AsRawFd, IntoRawFd);
    has!(PipeReader: Read, From<OwnedFd>);
    has!(&PipeReader: Read);
    let _: fn(&PipeReader) -> Result<PipeReader> = PipeReader::try_clone;
    has!(PipeWriter: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug, AsFd, AsRawFd, IntoRawFd);
    has!(PipeWriter: Write, From<OwnedFd>);
    has!(&PipeWriter: Write);
    let _: fn(&PipeWriter) -> Result<PipeWriter> = PipeWriter::try_clone;
    has!(Stdio: From<PipeReader>, From<PipeWriter>);
    has!(OwnedFd: From<PipeReader>, From<PipeWriter>);
}

#[test]
fn streams() {
    has!(Stdin: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug, AsFd, AsRawFd, Read);
    has!(&Stdin: Read);
    has!(StdinLock<'static>: Unpin, UnwindSafe, RefUnwindSafe, Debug, AsFd, AsRawFd, Read, BufRead);
    let _: fn(&Stdin) -> StdinLock<'static> = Stdin::lock;
    let _: fn(&Stdin, &mut String) -> Result<usize> = Stdin::read_line;
    let _: fn(Stdin) -> Lines<StdinLock<'static>> = Stdin::lines;
    let _: fn(&Stdin) -> bool = Stdin::is_terminal;
    let _: fn() -> Stdin = io::stdin;
    let _: fn() -> Stdout = io::stdout;
    let _: fn() -> Stderr = io::stderr;
    let _: fn() -> Empty = io::empty;
    let _: fn() -> Sink = io::sink;
    let _: fn(u8) -> Repeat = io::repeat;
    let _: fn(&mut File, &mut File) -> Result<u64> = io::copy;
    let _: fn(File) -> Result<String> = io::read_to_string;
}
