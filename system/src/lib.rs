//! What a program asks of the operating system beside sockets: files, child processes, standard input.
//!
//! The names, signatures and meanings are those of [`std::fs`], [`std::process`] and [`std::io`]. A green
//! thread that has to wait is parked while others run; an ordinary OS thread waits in the kernel, as
//! with std.
//!
//! ```
//! use greenwire_runtime::thread;
//! use greenwire_system::{fs, process::Command};
//!
//! let thread = thread::spawn(|| -> std::io::Result<()> {
//!     let manifest = fs::read_to_string("Cargo.toml")?;
//!     assert!(manifest.contains("greenwire-system"));
//!     let output = Command::new("echo").arg("hello").output()?;
//!     assert_eq!(output.stdout, b"hello\n");
//!     Ok(())
//! });
//! thread.join().unwrap().unwrap();
//! ```
//!
//! # How they wait
//!
//! - Pipes wait in the reactor, as sockets do, and so does the end of a child,
//!   where the system has a descriptor for it (Linux).
//! - The kernel never says that a file is ready, so work on files goes to the OS threads of
//!   [`unblock`](greenwire_runtime::unblock). Those work on buffers of their own: a green thread may be
//!   cancelled meanwhile. What was under way is then completed, and its result dropped.

#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod fs;
pub mod io;
mod pipe;
pub mod process;
