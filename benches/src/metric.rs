//! What is measured, and how it is shown.

use serde::{Deserialize, Serialize};

/// One thing that is measured of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Operations a second.
    Throughput,
    /// Microseconds of the server's CPU time for an operation.
    CpuPerOperation,
    /// Microseconds until the answer, in the median.
    Latency50,
    /// Microseconds that 99 of 100 do not exceed.
    Latency99,
    /// Microseconds that 999 of 1000 do not exceed.
    Latency999,
    /// Bytes of memory for each connection, page tables included.
    MemoryPerConnection,
    /// Bytes of memory of all processes of the server, page tables included.
    Memory,
    /// How many seconds the connections took to make.
    Connecting,
    /// The share of its CPUs that the server used.
    ServerBusy,
    /// The share of its CPUs that the load generator used.
    LoadBusy,
    /// Nanoseconds for an operation, without a server.
    Nanoseconds,
}

impl Metric {
    /// The heading of a column or a plot.
    pub fn title(self) -> &'static str {
        match self {
            Metric::Throughput => "throughput",
            Metric::CpuPerOperation => "server CPU",
            Metric::Latency50 => "latency p50",
            Metric::Latency99 => "latency p99",
            Metric::Latency999 => "latency p99.9",
            Metric::MemoryPerConnection => "memory of a connection",
            Metric::Memory => "memory of the server",
            Metric::Connecting => "connecting",
            Metric::ServerBusy => "server busy",
            Metric::LoadBusy => "load busy",
            Metric::Nanoseconds => "time",
        }
    }

    /// What it is counted in, as plots and headings say.
    pub fn unit(self) -> &'static str {
        match self {
            Metric::Throughput => "operations/s",
            Metric::CpuPerOperation => "per operation",
            Metric::Nanoseconds => "per operation",
            _ => "",
        }
    }

    /// Whether more is better.
    pub fn more_is_better(self) -> bool {
        self == Metric::Throughput
    }

    /// Whether it is a number of bytes.
    pub fn is_memory(self) -> bool {
        matches!(self, Metric::MemoryPerConnection | Metric::Memory)
    }

    /// Whether it says something about the server, and not about the measurement.
    pub fn compares(self) -> bool {
        !matches!(self, Metric::ServerBusy | Metric::LoadBusy)
    }

    /// A value with its unit, in three digits.
    pub fn show(self, value: f64) -> String {
        match self {
            Metric::Throughput => scaled(value, 1000.0, &["", " k", " M", " G"]),
            Metric::CpuPerOperation
            | Metric::Latency50
            | Metric::Latency99
            | Metric::Latency999 => scaled(1000.0 * value, 1000.0, &[" ns", " µs", " ms", " s"]),
            Metric::Nanoseconds => scaled(value, 1000.0, &[" ns", " µs", " ms", " s"]),
            Metric::Connecting => scaled(1e9 * value, 1000.0, &[" ns", " µs", " ms", " s"]),
            Metric::MemoryPerConnection | Metric::Memory => {
                scaled(value, 1024.0, &[" B", " KiB", " MiB", " GiB"])
            }
            Metric::ServerBusy | Metric::LoadBusy => format!("{:.0} %", 100.0 * value),
        }
    }
}

/// A number in three digits, with the first unit that leaves less than a thousand.
fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let (mut value, mut units) = (value, units.iter());
    let mut unit = units.next().copied().unwrap_or_default();
    while value.abs() >= 999.5 {
        let Some(next) = units.next() else { break };
        value /= step;
        unit = next;
    }
    let decimals = match value.abs() {
        0.0..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(metric: Metric, value: f64, shown: &str) {
        assert_eq!(metric.show(value), shown);
    }

    #[test]
    fn values_have_three_digits_and_a_unit() {
        check(Metric::Throughput, 151_935.0, "152 k");
        check(Metric::Throughput, 11_825_054.0, "11.8 M");
        check(Metric::Throughput, 999.0, "999");
        check(Metric::CpuPerOperation, 0.09, "90.0 ns");
        check(Metric::CpuPerOperation, 6.514, "6.51 µs");
        check(Metric::Latency99, 180_748.0, "181 ms");
        check(Metric::MemoryPerConnection, 11_468.8, "11.2 KiB");
        check(Metric::Connecting, 1.187, "1.19 s");
        check(Metric::ServerBusy, 0.994, "99 %");
        check(Metric::Nanoseconds, 41.23, "41.2 ns");
    }
}
