//! How to tell what is patched, and what it does.

use std::fmt;

use crate::hook::Hook;
use crate::{green, hooks, identity};

/// What the hooks have done so far. Its `Display` is a table.
///
/// # Examples
///
/// ```
/// use greenwire_monkey as monkey;
///
/// monkey::patch_all()?;
/// let report = monkey::report();
/// assert!(report.hooks.iter().any(|hook| hook.name == "recv"));
/// println!("{report}");
/// # Ok::<(), monkey::NotInterposed>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Whether [`patch_all`](crate::patch_all) has succeeded. Without it the hooks do nothing.
    pub patched: bool,
    /// Each function that is stood in for.
    pub hooks: Vec<HookReport>,
    /// How often a green thread has waited for something that is its OS thread's: in `std::thread::park`, or
    /// for a word in thread-local storage. Not all of these end: see "What cannot work" in `docs/monkey.md`.
    pub waits_of_os_thread: u64,
}

/// What one hook has done so far.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HookReport {
    /// The function of libc.
    pub name: &'static str,
    /// How many calls of green threads have parked, or let others run.
    pub parked: u64,
}

/// Tells what is patched, and how many calls of each function have parked a green thread.
#[must_use]
pub fn report() -> Report {
    Report {
        patched: green::is_turned_on(),
        hooks: hooks::all()
            .into_iter()
            .map(|(hook, _)| about(hook))
            .collect(),
        waits_of_os_thread: identity::waits(),
    }
}

fn about(hook: &Hook) -> HookReport {
    HookReport {
        name: hook.name(),
        parked: hook.parked(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.patched {
            "patched"
        } else {
            "not patched"
        };
        writeln!(f, "{state}; calls that parked:")?;
        for hook in &self.hooks {
            writeln!(f, "{:>16} {}", hook.name, hook.parked)?;
        }
        write!(f, "{:>16} {}", "(OS thread's)", self.waits_of_os_thread)
    }
}
