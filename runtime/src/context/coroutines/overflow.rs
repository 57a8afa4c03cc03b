//! Stack overflow: a message that names the green thread, then the previous handler, then abort.
//!
//! The guard below every stack turns an overflow into SIGSEGV (SIGBUS on some systems). There is no
//! recovery: frames without destructors run, locks held and borrows alive would make one unsound.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

use super::super::Running;
use super::super::signal::{call, install};

const SIGNALS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

struct Installed {
    running: Running,
    previous: [libc::sigaction; 2],
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Makes an overflow of a green thread on the calling OS thread end with a message.
///
/// # Errors
/// If the signal stack cannot be mapped or set.
pub(crate) fn guard_thread(running: Running) -> io::Result<()> {
    use_signal_stack()?;
    INSTALLED.get_or_init(|| Installed {
        running,
        previous: SIGNALS.map(|signal| install(signal, handle, 0)),
    });
    Ok(())
}

/// The handler must not run on the stack that has just overflowed. Threads that std started have a
/// signal stack already, which is large enough.
fn use_signal_stack() -> io::Result<()> {
    const SIZE: usize = 64 * 1024;
    let mut present = MaybeUninit::<libc::stack_t>::zeroed();
    // SAFETY: a null new stack only asks; all-zero is a valid `stack_t`.
    let present = unsafe {
        check(libc::sigaltstack(ptr::null(), present.as_mut_ptr()))?;
        present.assume_init()
    };
    if present.ss_flags & libc::SS_DISABLE == 0 {
        return Ok(());
    }
    // SAFETY: a new anonymous map touches nothing else; it is never unmapped, as a worker never
    // ends, so the signal stack stays valid.
    unsafe {
        let memory = libc::mmap(
            ptr::null_mut(),
            SIZE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let stack = libc::stack_t {
            ss_sp: memory.cast(),
            ss_flags: 0,
            ss_size: SIZE,
        };
        check(libc::sigaltstack(&raw const stack, ptr::null_mut()))
    }
}

extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let Some(installed) = INSTALLED.get() else {
        return forward(None, signal, info, context);
    };
    // SAFETY: the kernel passes a valid `siginfo_t` to an SA_SIGINFO handler.
    let address = unsafe { (*info).si_addr() }.addr();
    let mut overflow = false;
    (installed.running)(&mut |guard, name| {
        overflow = guard.contains(&address);
        if overflow {
            report(name.unwrap_or("<unnamed>"));
        }
    });
    let index = usize::from(signal != SIGNALS[0]);
    forward(Some(installed.previous[index]), signal, info, context);
    if overflow {
        // SAFETY: always allowed.
        unsafe { libc::abort() }
    }
}

fn report(name: &str) {
    let parts: [&[u8]; 3] = [
        b"\ngreen thread '",
        name.as_bytes(),
        b"' has overflowed its stack\nfatal runtime error: stack overflow, aborting\n",
    ];
    for part in parts {
        // SAFETY: `write` is async-signal-safe and `part` is a valid buffer.
        let _ = unsafe { libc::write(libc::STDERR_FILENO, part.as_ptr().cast(), part.len()) };
    }
}

/// Hands the signal to whoever was there before. With the default action restored, returning runs
/// the faulting instruction again and the kernel ends the process.
fn forward(
    previous: Option<libc::sigaction>,
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    if !previous.is_some_and(|action| call(&action, signal, info, context)) {
        // SAFETY: restoring the default action is allowed in a handler.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
