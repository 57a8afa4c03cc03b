//! The system calls for stacks, each a thin safe function over address ranges that the pool owns.

use std::io;
use std::ops::Range;
use std::ptr;

use libc::{MAP_ANONYMOUS, MAP_PRIVATE, PROT_NONE, PROT_READ, PROT_WRITE};

use rustix::process::{Resource, getrlimit};

use super::super::stack::page_size;

/// Memory that is only reserved counts for nothing. FreeBSD has no other kind.
#[cfg(not(target_os = "freebsd"))]
const MAP_NORESERVE: libc::c_int = libc::MAP_NORESERVE;
#[cfg(target_os = "freebsd")]
const MAP_NORESERVE: libc::c_int = 0;

/// The most that one map should take, a power of two: where address space is limited (`ulimit -v`),
/// others need some.
pub(crate) fn share() -> usize {
    let limit = getrlimit(Resource::As).current.unwrap_or(u64::MAX);
    1 << (limit / 16).max(1).ilog2()
}

/// Reserves `bytes` of zeroed address space, aligned to `align`.
pub(crate) fn reserve(bytes: usize, align: usize) -> io::Result<Range<usize>> {
    // The kernel aligns to pages.
    let padded = bytes + align - page_size();
    // SAFETY: a new anonymous map at an address of the kernel's choice touches nothing else.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            padded,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // A huge page would make 2 MiB resident for each first touch. Best effort.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // SAFETY: the range was mapped just above and is ours.
    unsafe {
        libc::madvise(start, padded, libc::MADV_NOHUGEPAGE);
    }
    let start = start.expose_provenance().next_multiple_of(align);
    Ok(start..start + bytes)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn mark(range: Range<usize>) -> io::Result<()> {
    const MADV_GUARD_INSTALL: libc::c_int = 102;
    // SAFETY: the range lies in a map of the pool and no stack's usable part is in it.
    check(unsafe { libc::madvise(pointer(range.start), range.len(), MADV_GUARD_INSTALL) })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn mark(_: Range<usize>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The same for `bytes` at the start of a page, or `None`.
pub(crate) fn allocate(bytes: usize) -> Option<*mut u8> {
    let range = reserve(bytes, page_size()).ok()?;
    Some(pointer(range.start).cast())
}

/// Gives back what [`allocate`] gave.
pub(crate) fn free(start: *mut u8, bytes: usize) {
    unmap(start.addr()..start.addr() + bytes);
}

pub(crate) fn unmap(range: Range<usize>) {
    // SAFETY: `markers_work` calls this for a map that nobody else knows, and a `Table` for its own, at
    // its end.
    unsafe { libc::munmap(pointer(range.start), range.len()) };
}

pub(crate) fn protect(range: Range<usize>) -> io::Result<()> {
    // SAFETY: as in `mark`.
    check(unsafe { libc::mprotect(pointer(range.start), range.len(), PROT_NONE) })
}

/// Kernels since 6.13 take many ranges of the own process in one call; others one each.
pub(crate) fn release(ranges: &[Range<usize>]) {
    #[cfg(target_os = "linux")]
    let ranges = &ranges[release_batched(ranges)..];
    for range in ranges {
        // SAFETY: nothing below the stack pointer of a suspended green thread is live.
        unsafe { libc::madvise(pointer(range.start), range.len(), libc::MADV_DONTNEED) };
    }
}

/// Returns how many of the ranges are done.
#[cfg(target_os = "linux")]
fn release_batched(ranges: &[Range<usize>]) -> usize {
    const PIDFD_SELF: libc::c_int = -10000;
    const LONGEST: usize = 1024;
    let mut done = 0;
    for batch in ranges.chunks(LONGEST) {
        let vectors: Vec<libc::iovec> = batch
            .iter()
            .map(|r| libc::iovec {
                iov_base: pointer(r.start),
                iov_len: r.len(),
            })
            .collect();
        let bytes: usize = batch.iter().map(Range::len).sum();
        // SAFETY: as in `release`; the kernel only reads `vectors`.
        let released = unsafe {
            libc::syscall(
                libc::SYS_process_madvise,
                PIDFD_SELF,
                vectors.as_ptr(),
                vectors.len(),
                libc::MADV_DONTNEED,
                0,
            )
        };
        if usize::try_from(released) != Ok(bytes) {
            return done;
        }
        done += batch.len();
    }
    done
}

fn pointer(address: usize) -> *mut libc::c_void {
    ptr::with_exposed_provenance_mut(address)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
