//! Frames: what the addresses of a backtrace mean.
//!
//! Resolving reads the debug information of the program, which takes long and much stack. So it is done
//! on OS threads only.

use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::scheduler::Sample;

/// A function on the stack of a thread, and the place in it where it is.
#[derive(Clone, Debug)]
pub struct Frame {
    address: usize,
    function: Option<String>,
    file: Option<PathBuf>,
    line: Option<u32>,
}

impl Frame {
    /// The address in the function.
    pub fn address(&self) -> usize {
        self.address
    }

    /// The path of the function, if the program has symbols.
    pub fn function(&self) -> Option<&str> {
        self.function.as_deref()
    }

    /// The source file, if the program has debug information.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The line in that file.
    pub fn line(&self) -> Option<u32> {
        self.line
    }

    fn unknown(address: usize) -> Frame {
        Frame {
            address,
            function: None,
            file: None,
            line: None,
        }
    }

    /// Whether the program's own code is in it, or that of a library. Of unknown ones this is not known.
    fn is_users(&self) -> bool {
        !self.is_internal() && !self.is_in("greenwire_runtime")
    }

    /// Whether nobody wants to see it: the standard library, and the runtime below its public functions.
    fn is_internal(&self) -> bool {
        const CRATES: [&str; 5] = ["corosensei", "backtrace", "std", "core", "alloc"];
        const FUNCTIONS: [&str; 2] = ["__rust_try", "stack_init_trampoline"];
        const MODULES: [&str; 6] = [
            "context",
            "insight",
            "os_thread",
            "scheduler",
            "task",
            "wait",
        ];
        let Some(function) = self.function() else {
            return true;
        };
        let is_private = |module: &str| self.is_in(&format!("greenwire_runtime::{module}"));
        FUNCTIONS.contains(&function)
            || CRATES.iter().any(|name| self.is_in(name))
            || MODULES.into_iter().any(is_private)
    }

    /// Whether the function, or the type that it belongs to, is in a module.
    fn is_in(&self, module: &str) -> bool {
        let function = self.function().unwrap_or_default();
        let path = function.trim_start_matches(['<', '&', '(', '*', '[']);
        let path = path.trim_start_matches("dyn ").trim_start_matches("mut ");
        let rest = path.strip_prefix(module);
        rest.is_some_and(|rest| rest.starts_with("::"))
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.function {
            Some(function) => f.write_str(function)?,
            None => write!(f, "{:#x}", self.address)?,
        }
        if let Some(file) = &self.file {
            write!(f, " at {}", file.display())?;
        }
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        Ok(())
    }
}

/// Resolves addresses, each of them once.
#[derive(Default)]
pub(super) struct Resolver(HashMap<usize, Arc<[Frame]>>);

impl Resolver {
    /// The frames of a green thread's stack, given its return addresses: from the call of greenwire that the
    /// program made last, down to where its thread began. What is internal at both ends is left out.
    pub(super) fn backtrace(&mut self, addresses: &[usize]) -> Vec<Frame> {
        let frames = addresses
            .iter()
            .flat_map(|address| self.resolve(*address).to_vec());
        let mut frames: Vec<Frame> = frames.collect();
        if let Some(last) = frames.iter().rposition(Frame::is_users) {
            let first = frames.iter().position(Frame::is_users).unwrap_or(last);
            frames.truncate(last + 1);
            frames.drain(..first.saturating_sub(1));
        } else if frames.iter().any(|frame| !frame.is_internal()) {
            frames.retain(|frame| !frame.is_internal());
        }
        frames
    }

    /// The function that returns to `address`, and those that the compiler has merged into it.
    fn resolve(&mut self, address: usize) -> Arc<[Frame]> {
        let known = self.0.entry(address);
        known.or_insert_with(|| look_up(address)).clone()
    }
}

impl Sample {
    /// Where the green thread was, as far as that can be known.
    pub(super) fn backtrace(&self, resolver: &mut Resolver) -> Vec<Frame> {
        // A return address means the call before it. Of the instruction itself the next one is taken.
        let addresses = [&[self.instruction + 1], self.callers()].concat();
        resolver.backtrace(&addresses)
    }

    /// Whether a caller could be found.
    pub(super) fn has_callers(&self, resolver: &mut Resolver) -> bool {
        let mut callers = self.callers().iter();
        callers.any(|address| resolver.resolve(*address)[0].function.is_some())
    }

    fn callers(&self) -> &[usize] {
        self.callers.as_deref().unwrap_or_default()
    }
}

impl Drop for Resolver {
    /// The debug information of a program may be large.
    fn drop(&mut self) {
        backtrace::clear_symbol_cache();
    }
}

fn look_up(address: usize) -> Arc<[Frame]> {
    let mut frames = Vec::new();
    backtrace::resolve(
        std::ptr::without_provenance_mut::<c_void>(address),
        |symbol| {
            frames.push(Frame {
                address,
                function: symbol.name().map(|name| format!("{name:#}")),
                file: symbol.filename().map(Path::to_owned),
                line: symbol.lineno(),
            });
        },
    );
    if frames.is_empty() {
        frames.push(Frame::unknown(address));
    }
    frames.into()
}
