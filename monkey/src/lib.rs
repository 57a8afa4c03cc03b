//! Blocking crates on green threads, unmodified: gevent's `patch_all` for Rust.
//!
//! ```no_run
//! use greenwire_runtime::thread;
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! greenwire_monkey::patch_all()?;
//! let pages: Vec<_> = (0..200)
//!     .map(|n| {
//!         thread::spawn(move || -> std::io::Result<String> {
//!             // Plain std: it parks the green thread.
//!             let mut stream = TcpStream::connect("127.0.0.1:8000")?;
//!             write!(stream, "GET /{n} HTTP/1.0\r\n\r\n")?;
//!             let mut page = String::new();
//!             stream.read_to_string(&mut page)?;
//!             Ok(page)
//!         })
//!     })
//!     .collect();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it works
//!
//! This crate defines the functions of libc that wait: `recv`, `poll`, `clock_nanosleep` and some forty
//! more. The linker takes these definitions before it looks into libc, for std and for C code that is linked
//! in, too, with a plain `cargo build`. A call on an OS thread goes on to libc. A call on a green thread is tried
//! without waiting; if it would wait, the green thread parks.
//!
//! A program that depends on this crate must name it once, or it is not linked at all; calling [`patch_all`]
//! does. Other programs of the same workspace are not touched.
//!
//! # Cancellation
//!
//! A cancelled green thread, or one whose [`timeout`](greenwire_runtime::time::timeout) is over, cannot
//! unwind out of libc. The call fails with `ECANCELED` instead, and so do all further ones that would
//! wait. The unwinding follows at the next wait that is greenwire's own, and at the latest where the
//! `timeout` block or the thread ends: that gives [`Elapsed`](greenwire_runtime::time::Elapsed) or
//! [`Cancelled`](greenwire_runtime::thread::Cancelled), whatever the code in it has made of the error. A sleep is
//! cut short without an error. Waits for std's locks, for files and for names are not cut short.
//!
//! # What cannot work
//!
//! Whatever asks for the identity of the OS thread: std's channels between green threads of one worker,
//! parking_lot, a tokio inside of a blocking crate. `docs/monkey.md` in the repository has the list, and says
//! how to tell.

#![deny(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    any(target_env = "gnu", target_env = "musl"),
)))]
compile_error!(
    "greenwire-monkey stands in for functions of glibc and musl, on Linux on x86_64 and aarch64: without the \
     feature `monkey`, all the rest of greenwire works here"
);

#[expect(unsafe_code, reason = "they are called with libc's pointers")]
mod calls;
#[expect(
    unsafe_code,
    reason = "they are asked for in system calls that std does not have"
)]
mod descriptors;
#[expect(unsafe_code, reason = "it is a pointer of libc's")]
mod errno;
mod green;
#[expect(unsafe_code, reason = "the dynamic linker knows who is behind us")]
mod hook;
#[expect(
    unsafe_code,
    reason = "defines functions of libc, and calls those behind"
)]
mod hooks;
mod identity;
mod install;
#[expect(unsafe_code, reason = "system calls past libc are assembly")]
mod raw;
mod report;

pub use green::blocking;
pub use install::{NotInterposed, Patched, patch_all};
pub use report::{HookReport, Report, report};
