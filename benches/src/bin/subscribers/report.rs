//! What is printed at the end.

use crate::crowd::Crowd;
use crate::punctuality::Measured;
use greenwire_bench::process::{Memory, Process};
use std::fmt::Display;
use std::io;
use std::time::Duration;

/// What the relay has and has used at one moment.
pub(crate) struct Load {
    memory: Memory,
    threads: u64,
    maps: usize,
    cpu_time: Duration,
}

impl Load {
    pub(crate) fn of(process: Process) -> io::Result<Load> {
        Ok(Load {
            memory: process.memory()?,
            threads: process.threads()?,
            maps: process.maps()?,
            cpu_time: process.cpu_time()?,
        })
    }
}

pub(crate) fn crowd(crowd: &Crowd, wanted: usize, threads: bool) {
    let mode = if threads {
        "OS threads"
    } else {
        "green threads"
    };
    line("relay with", mode);
    line(
        "subscribers connected",
        format!("{} of {}", crowd.connected(), wanted),
    );
    line("  that got a sample", crowd.served());
    line("  whose connection ended", crowd.ended());
}

pub(crate) fn punctuality(punctuality: Measured) {
    let punctuality = match punctuality {
        Ok(punctuality) => punctuality,
        Err(error) => return line("a sample every 100 ms", format!("failed: {error}")),
    };
    let (received, expected) = (punctuality.received(), punctuality.expected());
    line(
        "samples, one every 100 ms",
        format!("{received} of about {expected}"),
    );
    for (name, share) in [
        ("  late: p50", 0.5),
        ("  late: p99", 0.99),
        ("  late: max", 1.0),
    ] {
        match punctuality.quantile(share) {
            Some(late) => line(name, format!("{late:.3} ms")),
            None => line(name, "-"),
        }
    }
}

/// The memory is what came since `before`, divided by the number of subscribers.
pub(crate) fn load(before: Memory, begin: &Load, end: &Load, subscribers: usize) {
    let each = |now: u64, before: u64| {
        let bytes = now.saturating_sub(before) as f64 / subscribers.max(1) as f64;
        format!("{:.2} KiB", bytes / 1024.0)
    };
    for (when, now) in [("when all have subscribed", begin), ("at the end", end)] {
        let pages = each(now.memory.pages, before.pages);
        let tables = each(now.memory.tables, before.tables);
        line(
            &format!("memory of a connection {when}"),
            format!("{pages} + {tables} of page tables"),
        );
    }
    line("OS threads", end.threads);
    line("memory maps", end.maps);
    let cpu_time = end.cpu_time.saturating_sub(begin.cpu_time);
    line(
        "CPU time while measured",
        format!("{:.2} s", cpu_time.as_secs_f64()),
    );
}

pub(crate) fn line(name: &str, value: impl Display) {
    println!("{name:48} {value}");
}
