//! What the kernel knows about a process: memory, threads, maps, CPU time, context switches.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;
use std::{fs, process};

/// The unit of the CPU times in `/proc`: Linux has shown hundredths of a second to programs on every
/// machine for decades, whatever it counts in itself.
const TICK: Duration = Duration::from_millis(10);

/// A process that is looked at from outside, or this one.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    id: u32,
}

/// The memory of a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Pages in use: `VmRSS`.
    pub pages: u64,
    /// The tables that map them, which no `VmRSS` counts: `VmPTE`.
    pub tables: u64,
}

impl Process {
    /// The process with this id.
    pub fn new(id: u32) -> Process {
        Process { id }
    }

    /// The process that asks.
    pub fn own() -> Process {
        Process::new(process::id())
    }

    /// How much memory it has now.
    pub fn memory(self) -> Result<Memory> {
        let status = self.read("status")?;
        Ok(Memory {
            pages: 1024 * field(&status, "VmRSS:")?,
            tables: 1024 * field(&status, "VmPTE:")?,
        })
    }

    /// The number of its OS threads.
    pub fn threads(self) -> Result<u64> {
        field(&self.read("status")?, "Threads:")
    }

    /// The number of its memory maps, of which Linux allows 65530 by default (`vm.max_map_count`).
    pub fn maps(self) -> Result<usize> {
        Ok(self.read("maps")?.lines().count())
    }

    /// The CPU time it has used, in user space and in the kernel.
    pub fn cpu_time(self) -> Result<Duration> {
        let stat = self.read("stat")?;
        // The name of the program, in parentheses, may contain spaces; the state follows it.
        let (_, fields) = stat.rsplit_once(") ").ok_or(ErrorKind::InvalidData)?;
        let mut times = fields
            .split(' ')
            .skip(11)
            .map_while(|time| time.parse::<u32>().ok());
        let ticks = times.by_ref().take(2).sum::<u32>();
        Ok(TICK * ticks)
    }

    /// How often its threads have gone to sleep: each time something must have woken them.
    pub fn voluntary_switches(self) -> Result<u64> {
        let mut switches = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.id))? {
            let status = fs::read_to_string(task?.path().join("status"))?;
            switches += field(&status, "voluntary_ctxt_switches:")?;
        }
        Ok(switches)
    }

    fn read(self, file: &str) -> Result<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.id))
    }
}

impl Memory {
    /// Pages and tables together.
    pub fn total(self) -> u64 {
        self.pages + self.tables
    }
}

fn field(status: &str, name: &str) -> Result<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name));
    let number = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| Error::new(ErrorKind::InvalidData, format!("no {name} in the status")))
}
