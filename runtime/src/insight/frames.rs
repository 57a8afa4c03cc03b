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

    /// Whether it belongs to the machinery: the runtime and the standard library.
    fn is_machinery(&self) -> bool {
        const CRATES: [&str; 6] = [
            "greenwire_runtime",
            "corosensei",
            "backtrace",
            "std",
            "core",
            "alloc",
        ];
        const FUNCTIONS: [&str; 2] = ["__rust_try", "stack_init_trampoline"];
        let Some(function) = self.function() else {
            return false;
        };
        let path = function.trim_start_matches(['<', '&', '(', '*', '[']);
        let path = path.trim_start_matches("dyn ").trim_start_matches("mut ");
        let krate = path.split("::").next().unwrap_or_default();
        CRATES.contains(&krate) || FUNCTIONS.contains(&function)
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
    /// The frames of a green thread's stack, given its return addresses: from the call that the program
    /// made last, down to where its thread began. The machinery at both ends is left out.
    pub(super) fn backtrace(&mut self, addresses: &[usize]) -> Vec<Frame> {
        let all: Vec<Frame> = addresses
            .iter()
            .flat_map(|address| self.resolve(*address).to_vec())
            .collect();
        let Some(first) = all.iter().position(|frame| !frame.is_machinery()) else {
            return all;
        };
        let last = all.iter().rposition(|frame| !frame.is_machinery());
        let end = last.map_or(all.len(), |last| last + 1);
        all[first.saturating_sub(1)..end].to_vec()
    }

    /// The frames of a green thread that runs: its instruction, and return addresses.
    fn running(&mut self, instruction: usize, callers: &[usize]) -> Vec<Frame> {
        // A return address means the call before it. Of the instruction itself the next one is taken.
        let addresses = [&[instruction + 1], callers].concat();
        self.backtrace(&addresses)
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
        resolver.running(
            self.instruction,
            self.callers.as_deref().unwrap_or_default(),
        )
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
