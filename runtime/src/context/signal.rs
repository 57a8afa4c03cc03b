//! Signal handlers: how they are installed, and how they pass a signal on to the one before.

use std::mem::MaybeUninit;

pub(super) type Handler =
    extern "C" fn(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void);

/// Makes `handler` the handler of `signal`, on the signal stack. Returns the action before.
///
/// The handler must do only what is allowed in one: no locks, no allocation, no panic.
pub(super) fn install(
    signal: libc::c_int,
    handler: Handler,
    flags: libc::c_int,
) -> libc::sigaction {
    let mut previous = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: both actions are fully initialised (all-zero is a valid `sigaction`), `handler` has
    // the signature that SA_SIGINFO asks for and does only what is allowed in a handler.
    unsafe {
        let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | flags;
        libc::sigaction(signal, &raw const action, previous.as_mut_ptr());
        previous.assume_init()
    }
}

/// Calls the handler of `action`. Returns false if it has none.
pub(super) fn call(
    action: &libc::sigaction,
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) -> bool {
    if action.sa_sigaction <= libc::SIG_IGN {
        return false;
    }
    if action.sa_flags & libc::SA_SIGINFO != 0 {
        // SAFETY: its owner registered a three-argument handler at this address.
        let handler: Handler = unsafe { std::mem::transmute(action.sa_sigaction) };
        handler(signal, info, context);
    } else {
        // SAFETY: its owner registered a one-argument handler at this address.
        let handler: extern "C" fn(libc::c_int) =
            unsafe { std::mem::transmute(action.sa_sigaction) };
        handler(signal);
    }
    true
}
