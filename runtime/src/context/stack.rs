//! Stacks: equal slots in large reserved maps, each with a guard at its low end.
//!
//! ```text
//!   one map (MAP_NORESERVE, no huge pages)
//!   ┌───────┬──────────────┬───────┬──────────────┬──
//!   │ guard │ ← stack grows│ guard │ ← stack grows│ ...
//!   └───────┴──────────────┴───────┴──────────────┴──
//!   ^ limit                ^ base of slot 0 = limit of slot 1
//! ```
//!
//! Guards are page-table markers where the kernel has them (`MADV_GUARD_INSTALL`, Linux 6.13), so a
//! million stacks need a few dozen maps. Elsewhere they are `mprotect`ed, which splits the map at
//! each of them: Linux then allows about 32,000 stacks (`vm.max_map_count`).
//!
//! Physical memory is touched from the top down as the stack is used, one page at first.

use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::maps;

/// The smallest slot. Below it, the guard would leave too little.
pub(crate) const MIN_SIZE: usize = 32 * 1024;

/// The largest slot. A stack that needs more belongs on an OS thread.
const MAX_SIZE: usize = 1 << 30;

/// Each map is 16 times as large as the one before, from this many bytes (or one slot) to
/// [`LARGEST_MAP`], so that there are few of them: what is only reserved takes no memory.
const FIRST_MAP: usize = 1 << 30;
const LARGEST_MAP: usize = 64 << 30;

const CLASSES: usize = (MAX_SIZE / MIN_SIZE).trailing_zeros() as usize + 1;

/// How the low end of a stack is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// `MADV_GUARD_INSTALL`: markers in the page tables, the map stays whole.
    Marker,
    /// `mprotect(PROT_NONE)`: two maps a stack.
    Protect,
}

impl Guard {
    /// The best guard that this kernel has.
    pub(crate) fn detect() -> Guard {
        if markers_work() {
            Guard::Marker
        } else {
            Guard::Protect
        }
    }
}

/// The address range of a slot: the bytes below its base, as many as a power of two.
///
/// One word: a base is a multiple of [`MIN_SIZE`], so its low bits have room for the logarithm of the
/// size.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent(usize);

impl Extent {
    fn new(base: usize, size: usize) -> Extent {
        Extent(base | size.trailing_zeros() as usize)
    }

    pub(crate) fn base(self) -> usize {
        self.0 & !(MIN_SIZE - 1)
    }

    /// Where the first frame begins: a little below the base, and not equally for all stacks, since
    /// lines of memory at the same offset in a page compete for the same few places in a CPU's cache. Not by much
    /// either: what an idle connection has on its stack must fit into the rest of the page.
    pub(super) fn top(self) -> usize {
        const LINE: usize = 64;
        const COLOURS: usize = 8;
        let number = self.base() / self.size();
        self.base() - number % COLOURS * LINE
    }

    /// Fetches the memory into the cache at which a green thread goes on that suspended at `depth`, and
    /// that at which corosensei keeps the way back.
    #[inline(always)]
    pub(crate) fn prefetch(self, depth: usize) {
        super::prefetch(self.top() - 1);
        super::prefetch(self.base().wrapping_sub(depth).wrapping_add(super::MARGIN));
    }

    /// Fetches what a green thread that suspended at `depth` will use next: the frames to which it returns, and the
    /// room for those that it calls. For one that has waited while many others ran.
    pub(crate) fn prefetch_frames(self, depth: usize) {
        const LINE: usize = 64;
        const BELOW: usize = 20 * LINE;
        const ABOVE: usize = 16 * LINE;
        let top = self.top();
        let place = self.base().wrapping_sub(depth).wrapping_add(super::MARGIN);
        let mut line = place.wrapping_sub(BELOW);
        while line < top.min(place.wrapping_add(ABOVE)) {
            super::prefetch(line);
            line += LINE;
        }
    }

    pub(crate) fn size(self) -> usize {
        1 << (self.0 & (MIN_SIZE - 1))
    }

    /// Whether the pool would give such a stack to one who asks for `size` bytes.
    pub(crate) fn fits(self, size: usize) -> bool {
        self.size() == slot_size(size)
    }

    pub(super) fn limit(self) -> usize {
        self.base() - self.size()
    }

    /// The bytes at the low end that must never be touched.
    pub(crate) fn guard(self) -> Range<usize> {
        self.limit()..self.limit() + guard_size(self.size())
    }

    /// Everything but the guard.
    pub(crate) fn usable(self) -> Range<usize> {
        self.guard().end..self.base()
    }

    /// The whole pages between the guard and the page that holds `mark`: stale once the frames
    /// that used them have returned.
    pub(crate) fn below(self, mark: usize) -> Range<usize> {
        let start = self.guard().end;
        start..(mark & !(page_size() - 1)).max(start)
    }
}

/// A stack that nobody runs on. Dropping one leaks its slot: give it back with [`Pool::put`].
#[derive(Debug)]
pub(crate) struct Stack(Extent);

impl Stack {
    pub(crate) fn extent(&self) -> Extent {
        self.0
    }
}

/// All stacks of the process that are not in use or in a worker's own list.
#[derive(Debug)]
pub(crate) struct Pool {
    guard: Guard,
    classes: [Mutex<Class>; CLASSES],
}

/// The stacks of one size.
#[derive(Debug, Default)]
struct Class {
    free: Vec<Stack>,
    /// The part of the newest map that was never handed out.
    fresh: Range<usize>,
    next_map: usize,
}

impl Pool {
    pub(crate) fn new(guard: Guard) -> Pool {
        Pool {
            guard,
            classes: Default::default(),
        }
    }

    /// A stack of at least `size` bytes, guard included.
    ///
    /// # Errors
    /// `OutOfMemory` if the kernel refuses a map or a guard, with the limit to raise.
    pub(crate) fn take(&self, size: usize) -> io::Result<Stack> {
        let size = slot_size(size);
        let (stack, fresh) = {
            let mut class = self.class(size);
            match class.free.pop() {
                Some(stack) => (stack, false),
                None => (class.carve(size)?, true),
            }
        };
        if fresh && let Err(refused) = self.install_guard(stack.0) {
            // The slot is lost: without a guard it must not be handed out.
            return Err(refused);
        }
        Ok(stack)
    }

    pub(crate) fn put(&self, stack: Stack) {
        self.class(stack.0.size()).free.push(stack);
    }

    fn class(&self, size: usize) -> std::sync::MutexGuard<'_, Class> {
        self.classes[(size / MIN_SIZE).trailing_zeros() as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn install_guard(&self, extent: Extent) -> io::Result<()> {
        let guard = extent.guard();
        match self.guard {
            Guard::Marker => maps::mark(guard),
            Guard::Protect => maps::protect(guard),
        }
        .map_err(|cause| out_of("guard", cause))
    }
}

impl Class {
    fn carve(&mut self, size: usize) -> io::Result<Stack> {
        if self.fresh.is_empty() {
            let wanted = self.next_map.clamp(FIRST_MAP, LARGEST_MAP);
            let mut bytes = wanted.min(maps::share()).max(size);
            self.fresh = loop {
                match maps::reserve(bytes, size) {
                    Ok(map) => break map,
                    // Where address space is limited (`ulimit -v`, strict overcommit), less may do.
                    Err(_) if bytes / 2 >= size => bytes /= 2,
                    Err(cause) => return Err(out_of("map", cause)),
                }
            };
            self.next_map = bytes * 16;
        }
        self.fresh.start += size;
        Ok(Stack(Extent::new(self.fresh.start, size)))
    }
}

/// The slot that holds `size` bytes: a power of two within the limits.
fn slot_size(size: usize) -> usize {
    size.clamp(MIN_SIZE, MAX_SIZE).next_power_of_two()
}

/// An eighth of the slot, within 16 and 64 KiB: C code does not probe each page of its frames.
fn guard_size(slot: usize) -> usize {
    (slot / 8).clamp(16 << 10, 64 << 10)
}

fn out_of(what: &str, cause: io::Error) -> io::Error {
    io::Error::new(
        io::ErrorKind::OutOfMemory,
        format!(
            "no {what} for another green-thread stack ({cause}): raise vm.max_map_count \
             (kernels before 6.13 need two maps a stack) or lower the number of green threads"
        ),
    )
}

/// Gives the physical memory behind `ranges` back to the kernel; they read as zero afterwards.
pub(crate) fn release(ranges: &[Range<usize>]) {
    maps::release(ranges);
}

pub(super) fn page_size() -> usize {
    rustix::param::page_size()
}

fn markers_work() -> bool {
    let page = page_size();
    let Ok(map) = maps::reserve(page, page) else {
        return false;
    };
    let works = maps::mark(map.clone()).is_ok();
    maps::unmap(map);
    works
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_reused_last_in_first_out() {
        let pool = Pool::new(Guard::detect());
        let (a, b) = (pool.take(1).unwrap(), pool.take(1).unwrap());
        let base = b.extent().base();
        pool.put(a);
        pool.put(b);
        assert_eq!(pool.take(MIN_SIZE).unwrap().extent().base(), base);
    }

    #[test]
    fn sizes_round_up_to_a_power_of_two() {
        assert_eq!(slot_size(0), MIN_SIZE);
        assert_eq!(slot_size(MIN_SIZE + 1), 2 * MIN_SIZE);
        assert_eq!(slot_size(usize::MAX), MAX_SIZE);
    }

    #[test]
    fn both_guards_leave_the_rest_writable() {
        for guard in [Guard::Protect, Guard::detect()] {
            let stack = Pool::new(guard).take(256 << 10).unwrap();
            let usable = stack.extent().guard().end..stack.extent().base();
            assert_eq!(usable.len(), (256 << 10) - (32 << 10));
            assert_eq!(
                stack.extent().below(usable.end - 1).end,
                usable.end - page_size()
            );
        }
    }
}
