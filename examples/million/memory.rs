//! What a process takes, as Linux tells it: memory, maps, and the guards below its stacks.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};

/// What each stack takes of the address space; its lowest quarter is the guard.
pub(crate) const STACK: usize = 64 * 1024;
const GUARD: usize = 16 * 1024;
const PAGE: usize = 4096;

/// What the process takes now.
pub(crate) struct Memory {
    resident: usize,
    page_tables: usize,
}

impl Memory {
    pub(crate) fn now() -> io::Result<Memory> {
        let status = fs::read_to_string("/proc/self/status")?;
        let bytes = |name: &str| -> io::Result<usize> {
            let line = status.lines().find(|line| line.starts_with(name));
            let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
            number
                .map(|kib: usize| kib * 1024)
                .ok_or(io::ErrorKind::InvalidData.into())
        };
        Ok(Memory {
            resident: bytes("VmRSS:")?,
            page_tables: bytes("VmPTE:")?,
        })
    }

    pub(crate) fn report(&self, before: &Memory, count: usize) {
        let resident = (self.resident - before.resident) / count;
        let page_tables = (self.page_tables - before.page_tables) / count;
        let maps = fs::read_to_string("/proc/self/maps").map_or(0, |maps| maps.lines().count());
        println!("  memory maps of the process: {maps}");
        println!(
            "  bytes each: {} ({resident} resident, {page_tables} of page tables)",
            resident + page_tables
        );
    }
}

/// Asks the kernel whether the pages below the sampled stacks are guards, and those above are not.
pub(crate) fn report_guards(frames: &[usize]) -> io::Result<()> {
    let mut pagemap = File::open("/proc/self/pagemap")?;
    let maps = fs::read_to_string("/proc/self/maps")?;
    let mut guarded = 0;
    for frame in frames {
        let low = frame & !(STACK - 1);
        let guards = (low..low + GUARD).step_by(PAGE);
        let all = guards.map(|page| is_guard(&mut pagemap, &maps, page));
        let all = all
            .collect::<io::Result<Vec<bool>>>()?
            .into_iter()
            .all(|guard| guard);
        guarded += usize::from(all && !is_guard(&mut pagemap, &maps, low + GUARD)?);
    }
    println!(
        "  stacks with their guard: {guarded} of {} sampled",
        frames.len()
    );
    Ok(())
}

/// A guard is a marker in the page table (bit 58 of its entry, Linux 6.15) or a map without access.
fn is_guard(pagemap: &mut File, maps: &str, page: usize) -> io::Result<bool> {
    let mut entry = [0; 8];
    pagemap.seek(SeekFrom::Start((page / PAGE * entry.len()) as u64))?;
    pagemap.read_exact(&mut entry)?;
    let marker = u64::from_ne_bytes(entry) >> 58 & 1 == 1;
    Ok(marker
        || maps
            .lines()
            .any(|map| is_inaccessible(map, page).unwrap_or(false)))
}

fn is_inaccessible(map: &str, page: usize) -> Option<bool> {
    let (range, rest) = map.split_once(' ')?;
    let (begin, end) = range.split_once('-')?;
    let begin = usize::from_str_radix(begin, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    Some((begin..end).contains(&page) && rest.starts_with("---p"))
}
