//! What a patched call costs on an ordinary OS thread, beside the call that is behind it.
//!
//! ```sh
//! cargo run --release -p greenwire-monkey --example overhead
//! ```
//!
//! You should see differences of a few nanoseconds, of system calls that take hundreds.

use std::ffi::{CStr, c_int, c_void};
use std::fs::File;
use std::io;
use std::mem::transmute;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

const CALLS: u32 = 200_000;
const ROUNDS: usize = 9;

type Transfer = unsafe extern "C" fn(c_int, *mut c_void, usize) -> isize;
type Receive = unsafe extern "C" fn(c_int, *mut c_void, usize, c_int) -> isize;
type Poll = unsafe extern "C" fn(*mut libc::pollfd, libc::nfds_t, c_int) -> c_int;
type Close = unsafe extern "C" fn(c_int) -> c_int;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    greenwire_monkey::patch_all()?;
    let (zero, (stream, _other)) = (File::open("/dev/zero")?, UnixStream::pair()?);
    let (zero, stream) = (zero.as_raw_fd(), stream.as_raw_fd());
    let mut byte = 0u8;
    let byte = (&raw mut byte).cast();
    let mut polled = libc::pollfd {
        fd: stream,
        events: libc::POLLIN,
        revents: 0,
    };
    println!(
        "{:>20} {:>8} {:>8}  ns, best of {ROUNDS}",
        "", "behind", "patched"
    );
    // SAFETY: each pointer is the function of that name, and what it is given lives until the end.
    unsafe {
        let read: Transfer = transmute(behind(c"read"));
        row("read", || read(zero, byte, 1), || libc::read(zero, byte, 1));
        let recv: Receive = transmute(behind(c"recv"));
        let flag = libc::MSG_DONTWAIT;
        row(
            "recv, EAGAIN",
            || recv(stream, byte, 1, flag),
            || libc::recv(stream, byte, 1, flag),
        );
        let poll: Poll = transmute(behind(c"poll"));
        let polled = &raw mut polled;
        row("poll", || poll(polled, 1, 0), || libc::poll(polled, 1, 0));
        let close: Close = transmute(behind(c"close"));
        row("close, EBADF", || close(-1), || libc::close(-1));
        let wake: unsafe extern "C" fn(i64, *mut c_void, i64, i64) -> i64 =
            transmute(behind(c"syscall"));
        let (futex, operation) = (libc::SYS_futex, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG);
        row(
            "futex wake",
            || wake(futex, byte, operation.into(), 1),
            || libc::syscall(futex, byte, operation, 1),
        );
    }
    Ok(())
}

/// The function that our definition hides.
fn behind(name: &CStr) -> *mut c_void {
    // SAFETY: the name is a C string.
    let function = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    assert!(!function.is_null(), "{}", io::Error::last_os_error());
    function
}

fn row<A, B>(name: &str, mut behind: impl FnMut() -> A, mut patched: impl FnMut() -> B) {
    let mut best = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        best[0] = best[0].min(time(&mut behind));
        best[1] = best[1].min(time(&mut patched));
    }
    println!("{name:>20} {:>8.1} {:>8.1}", best[0], best[1]);
}

fn time<R>(call: &mut impl FnMut() -> R) -> f64 {
    let begin = Instant::now();
    for _ in 0..CALLS {
        std::hint::black_box(call());
    }
    begin.elapsed().as_nanos() as f64 / f64::from(CALLS)
}
