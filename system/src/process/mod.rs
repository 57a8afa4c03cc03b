//! Child processes, as [`std::process`].
//!
//! ```
//! use greenwire_system::process::{Command, Stdio};
//! use std::io::{self, Read};
//!
//! # fn main() -> io::Result<()> {
//! let mut child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
//! let mut text = String::new();
//! child.stdout.take().unwrap().read_to_string(&mut text)?;
//! assert_eq!(text, "hello\n");
//! assert!(child.wait()?.success());
//! # Ok(())
//! # }
//! ```
//!
//! Beyond std's: [`Child::wait_timeout`], [`Child::communicate`], [`Command::kill_on_drop`].
//!
//! # Differences from std
//!
//! - A [`Child`] that is dropped leaves no zombie: it is waited for in the background.
//! - Our ends of pipes are in non-blocking mode, the child's are as it expects them.

mod child;
mod command;
mod communicate;
mod exit;

pub use crate::pipe::{ChildStderr, ChildStdin, ChildStdout};
pub use child::Child;
pub use command::Command;
#[doc(no_inline)]
pub use std::process::{
    CommandArgs, CommandEnvs, ExitCode, ExitStatus, Output, Stdio, Termination, abort, exit, id,
};
