//! When, where and how it was measured.

use crate::flags::Flags;
use std::fs;
use std::process::Command;
use std::time::SystemTime;

/// Pairs of a name and a text, for the reader.
pub fn setting(flags: &Flags) -> Vec<(String, String)> {
    let rounds = flags.rounds();
    let runs = match rounds.close > rounds.count {
        true => format!(
            "{}, and {} of those within 25 % of greenwire",
            rounds.count, rounds.close
        ),
        false => rounds.count.to_string(),
    };
    let pairs = [
        ("when", httpdate::fmt_http_date(SystemTime::now())),
        ("machine", machine()),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        ("compiler", first_line("rustc", "--version")),
        ("greenwire", commit()),
        (
            "CPUs",
            format!(
                "server on {}, load generator on {}",
                list(&flags.cpus.server),
                list(&flags.cpus.load)
            ),
        ),
        ("runs", runs),
        (
            "each",
            format!(
                "{} s after {} s of warming up, with a new server",
                rounds.seconds, rounds.warm_up
            ),
        ),
    ];
    pairs.map(|(name, text)| (name.to_owned(), text)).to_vec()
}

/// How much memory programs can get, in bytes.
pub fn available_memory() -> f64 {
    let memory = read("/proc/meminfo");
    let kilobytes = field(&memory, "MemAvailable")
        .and_then(|text| text.strip_suffix(" kB")?.parse::<f64>().ok());
    1024.0 * kilobytes.unwrap_or(f64::INFINITY)
}

/// What stands after `name:` in a file of `/proc`.
fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    let (_, value) = line.split_once(':')?;
    Some(value.trim().to_owned())
}

fn machine() -> String {
    let cpus = read("/proc/cpuinfo");
    let model = field(&cpus, "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let count = cpus
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let memory = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let kilobytes: u64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    let virtual_machine = if cpus.contains(" hypervisor") {
        ", a virtual machine"
    } else {
        ""
    };
    format!(
        "{count} x {model}, {} GiB{virtual_machine}",
        kilobytes >> 20
    )
}

fn commit() -> String {
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=commit %h"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    output(git)
}

fn first_line(program: &str, argument: &str) -> String {
    let mut command = Command::new(program);
    command.arg(argument);
    output(command)
}

fn output(mut command: Command) -> String {
    let output = command
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&output);
    text.lines().next().unwrap_or("unknown").to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn list(cpus: &[usize]) -> String {
    cpus.iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
