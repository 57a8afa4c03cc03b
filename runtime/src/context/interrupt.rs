//! Looking at a running OS thread: a signal interrupts it, and its handler sees where it is.
//!
//! Unwinding is not allowed in a signal handler, so callers are found by their frame pointers. Code that
//! was compiled without has none, and uses the register for something else. Every pointer is therefore
//! checked to lie in the stack, above the one before. A chain that does not lead to the first frame of the stack
//! is not believed.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::signal::{call, install};
use super::stack::Extent;

/// Ignored by default, and sent by nobody but for urgent data of sockets that have an owner, which hardly
/// any do. Debuggers let it pass.
const SIGNAL: libc::c_int = libc::SIGURG;

/// A chain of frame pointers that ends in this many bytes below the base of a stack is complete: there
/// lie the frames of the switch.
const BOTTOM: usize = 512;

/// The state of the interrupted code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interrupted {
    pub(crate) instruction: usize,
    stack_pointer: usize,
    frame_pointer: usize,
}

/// Called on an interrupted OS thread, in the signal handler: it must not allocate, lock or panic.
pub(crate) type Look = fn(Interrupted);

struct Installed {
    look: Look,
    previous: libc::sigaction,
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Interruptions that have been sent, and have not arrived.
static SENT: AtomicUsize = AtomicUsize::new(0);

/// An OS thread that never ends: its `pthread_t`, which is a pointer on some systems.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndlessThread(usize);

impl EndlessThread {
    /// The calling one, which must never end.
    pub(crate) fn current() -> EndlessThread {
        // SAFETY: always allowed.
        EndlessThread(unsafe { libc::pthread_self() } as usize)
    }

    /// Makes it call `look`, soon, whatever it is doing. System calls are restarted. All calls must give
    /// the same function.
    pub(crate) fn interrupt(self, look: Look) {
        INSTALLED.get_or_init(|| Installed {
            look,
            previous: install(SIGNAL, handle, libc::SA_RESTART),
        });
        SENT.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the thread has not ended, as the caller of `current` has promised.
        if unsafe { libc::pthread_kill(self.0 as libc::pthread_t, SIGNAL) } != 0 {
            SENT.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // A thread that was never interrupted by us must not touch its thread-locals here.
    let one_less = |sent: usize| sent.checked_sub(1);
    let ours = SENT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
    let Some(installed) = INSTALLED.get() else {
        return;
    };
    if ours.is_err() {
        call(&installed.previous, signal, info, context);
        return;
    }
    if let Some(interrupted) = Interrupted::of(context) {
        (installed.look)(interrupted);
    }
}

impl Interrupted {
    /// Whether there is a way to find out where an interrupted thread is.
    pub(crate) const IS_KNOWN: bool = cfg!(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    ));

    /// Whether the interrupted code ran on `stack`.
    pub(crate) fn is_on(self, stack: Extent) -> bool {
        stack.usable().contains(&self.stack_pointer)
    }

    /// Calls `visit` with the return addresses of the callers, innermost first, as far as their frames
    /// can be found on `stack`. Returns whether they can be believed.
    pub(crate) fn callers(self, stack: Extent, mut visit: impl FnMut(usize)) -> bool {
        const WORD: usize = size_of::<usize>();
        if !self.is_on(stack) {
            return false;
        }
        let stack = stack.usable();
        let mut lowest = self.stack_pointer;
        let mut frame = self.frame_pointer;
        while frame >= lowest && frame.is_multiple_of(WORD) && frame + 2 * WORD <= stack.end {
            visit(read(frame + WORD));
            lowest = frame + 2 * WORD;
            frame = read(frame);
        }
        lowest + BOTTOM >= stack.end
    }

    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn of(context: *mut libc::c_void) -> Option<Interrupted> {
        // SAFETY: the kernel passes a valid `ucontext_t` to an SA_SIGINFO handler.
        let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        let register = |number: libc::c_int| registers[number as usize] as usize;
        Some(Interrupted {
            instruction: register(libc::REG_RIP),
            stack_pointer: register(libc::REG_RSP),
            frame_pointer: register(libc::REG_RBP),
        })
    }

    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    fn of(context: *mut libc::c_void) -> Option<Interrupted> {
        // SAFETY: the kernel passes a valid `ucontext_t` to an SA_SIGINFO handler.
        let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
        Some(Interrupted {
            instruction: registers.pc as usize,
            stack_pointer: registers.sp as usize,
            frame_pointer: registers.regs[29] as usize,
        })
    }

    #[cfg(not(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    )))]
    fn of(_: *mut libc::c_void) -> Option<Interrupted> {
        None
    }
}

fn read(address: usize) -> usize {
    // SAFETY: `callers` has checked that the address is aligned and lies in the usable part of a stack,
    // which stays mapped for ever. Only the interrupted code writes there, and it stands still. Volatile,
    // since the compiler knows nothing of that code here.
    unsafe { std::ptr::with_exposed_provenance::<usize>(address).read_volatile() }
}
