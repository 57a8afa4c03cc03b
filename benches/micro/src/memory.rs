//! What a parked green thread takes, as Linux tells it.

use greenwire_runtime::sync::mpsc::channel;
use greenwire_runtime::thread::{self, Builder};
use greenwire_runtime::{metrics, time};
use std::io::{self, ErrorKind};
use std::time::Duration;
use std::{fs, mem};

/// So many that what the process takes besides hardly counts.
const THREADS: usize = 100_000;

/// What each stack takes of the address space, its guard included.
const STACK: usize = 64 * 1024;

/// What each may take, its handle included, in bytes: 4.6 KiB; and what all may take in memory maps. Measured are 4,593
/// to 4,667 and 39; a million, on two workers, take some 40 bytes and 9 maps more.
const BYTES: usize = 4_710;
const MAPS: usize = 44;

/// Parks green threads, half of them asleep and half waiting for a message, and leaves them so.
pub(crate) fn check() -> io::Result<()> {
    let before = match resident() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: /proc/self/status not found");
            return Ok(());
        }
        before => before?,
    };
    let threads = park()?;
    let bytes = (resident()? - before) / THREADS;
    let maps = fs::read_to_string("/proc/self/maps")?.lines().count();
    mem::forget(threads);
    println!(
        "{:36} {bytes:8} bytes, limit {BYTES}",
        "parked green thread"
    );
    println!("{:36} {maps:8} maps, limit {MAPS}", "100,000 of them");
    if bytes <= BYTES && maps <= MAPS {
        return Ok(());
    }
    Err(io::Error::other(
        "parked green threads take more than their limit",
    ))
}

/// The handles of the green threads, all of which are parked.
fn park() -> io::Result<impl Sized> {
    let (mut threads, mut senders) = (Vec::new(), Vec::new());
    let sleeper = || thread::sleep(Duration::from_secs(3600));
    for _ in 0..THREADS / 2 {
        let (sender, receiver) = channel::<()>();
        senders.push(sender);
        let receiver = move || {
            // Ends with the process.
            let _ = receiver.recv();
        };
        threads.push(Builder::new().stack_size(STACK).spawn(sleeper)?);
        threads.push(Builder::new().stack_size(STACK).spawn(receiver)?);
    }
    let all_park = || {
        while metrics().parked < THREADS as u64 {
            thread::sleep(Duration::from_millis(1));
        }
    };
    match time::timeout(Duration::from_secs(60), all_park) {
        Ok(()) => Ok((threads, senders)),
        Err(_) => Err(io::Error::other("they do not park")),
    }
}

/// The memory of the process and its page tables, in bytes.
fn resident() -> io::Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kib = |name: &str| -> io::Result<usize> {
        let line = status.lines().find(|line| line.starts_with(name));
        let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        number.ok_or(ErrorKind::InvalidData.into())
    };
    Ok((kib("VmRSS:")? + kib("VmPTE:")?) * 1024)
}
