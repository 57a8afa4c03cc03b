//! Measures how busy this machine is: everything on Linux, the load average elsewhere.

use std::collections::VecDeque;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

/// What can be measured, all in percent. `load` is the one-minute load average per CPU.
pub const SERIES: [&str; 6] = ["cpu", "user", "system", "iowait", "memory", "load"];

/// One value for each of [`SERIES`]; `None` if this system does not tell.
pub type Values = [Option<f64>; SERIES.len()];

/// The kernel counts CPU time in steps of 10 ms, so a share of less than this is mostly noise.
const CPU_WINDOW: Duration = Duration::from_secs(1);

/// Where asking for the load average costs a process, it is asked for this often.
const LOAD_INTERVAL: Duration = Duration::from_secs(1);

/// The series that this system can measure.
pub fn available() -> &'static [&'static str] {
    if cfg!(target_os = "linux") {
        &SERIES
    } else {
        &SERIES[5..]
    }
}

/// Measures again and again: CPU shares are differences.
pub struct Meter {
    cpu: VecDeque<(Instant, CpuTime)>,
    load: Option<(Instant, f64)>,
    cpus: f64,
}

/// What the CPUs have done since the machine started, in ticks.
#[derive(Clone, Copy)]
struct CpuTime {
    user: u64,
    system: u64,
    iowait: u64,
    total: u64,
}

impl Meter {
    pub fn new() -> Meter {
        let cpu = cpu_time().map(|time| (Instant::now(), time));
        Meter {
            cpu: cpu.into_iter().collect(),
            load: None,
            cpus: thread::available_parallelism().map_or(1.0, |cpus| cpus.get() as f64),
        }
    }

    /// The CPU shares are those of the last second, or since [`Meter::new`].
    pub fn measure(&mut self) -> Values {
        let cpu = self.cpu_shares();
        let [user, system, iowait] = cpu.map_or([None; 3], |shares| shares.map(Some));
        let busy = cpu.map(|[user, system, _]| user + system);
        [busy, user, system, iowait, memory_used(), self.load()]
    }

    fn cpu_shares(&mut self) -> Option<[f64; 3]> {
        let now = (Instant::now(), cpu_time()?);
        self.cpu.push_back(now);
        while self.cpu.len() > 2 && now.0 - self.cpu[1].0 >= CPU_WINDOW {
            self.cpu.pop_front();
        }
        let then = self.cpu.front()?.1;
        // Not all of these counters are exact: one may even run backwards a little.
        let ticks = now.1.total.saturating_sub(then.total).max(1) as f64;
        let share =
            |now: u64, then: u64| (100.0 * now.saturating_sub(then) as f64 / ticks).min(100.0);
        Some([
            share(now.1.user, then.user),
            share(now.1.system, then.system),
            share(now.1.iowait, then.iowait),
        ])
    }

    fn load(&mut self) -> Option<f64> {
        let stale = self
            .load
            .is_none_or(|(asked, _)| asked.elapsed() >= LOAD_INTERVAL);
        if stale {
            self.load = load_average().map(|load| (Instant::now(), 100.0 * load / self.cpus));
        }
        self.load.map(|(_, load)| load)
    }
}

// Files below /proc are no files: the kernel writes them while they are read, without a disk. So they
// may be read on a green thread as they are; anything slower belongs into `greenwire::unblock`.

fn cpu_time() -> Option<CpuTime> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let ticks: Vec<u64> = stat
        .lines()
        .next()?
        .split_whitespace()
        .skip(1)
        .map_while(|ticks| ticks.parse().ok())
        .collect();
    // What follows these eight, time given to guests, is part of `user` and `nice` already.
    let [user, nice, system, idle, iowait, irq, softirq, steal] = *ticks.first_chunk()?;
    Some(CpuTime {
        user: user + nice,
        system: system + irq + softirq + steal,
        iowait,
        total: user + nice + system + idle + iowait + irq + softirq + steal,
    })
}

fn memory_used() -> Option<f64> {
    let meminfo = fs::read_to_string("/proc/meminfo").ok()?;
    let kib = |name: &str| -> Option<f64> {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(100.0 * (1.0 - kib("MemAvailable:")? / kib("MemTotal:")?))
}

fn load_average() -> Option<f64> {
    let text = if cfg!(target_os = "linux") {
        fs::read_to_string("/proc/loadavg").ok()?
    } else {
        let output =
            greenwire::unblock(|| Command::new("sysctl").args(["-n", "vm.loadavg"]).output());
        String::from_utf8(output.ok()?.stdout).ok()?
    };
    // "0.52 0.58 …" on Linux, "{ 0.52 0.58 … }" on the others.
    text.split_whitespace().find_map(|word| word.parse().ok())
}
