//! System calls without libc: for static programs, where nobody is behind our definitions, and for those
//! that must not come by our own `syscall`.

use std::arch::asm;
use std::ffi::c_long;
use std::io;

/// The greatest number of an error that the kernel returns.
const MAX_ERRNO: isize = 4095;

/// # Safety
///
/// That of the system call with this number.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn syscall(number: c_long, args: [usize; 6]) -> isize {
    let [a, b, c, d, e, f] = args;
    let result;
    // SAFETY: this is the kernel's convention for x86-64. What the call itself does is for the caller to
    // answer for.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// # Safety
///
/// That of the system call with this number.
#[cfg(target_arch = "aarch64")]
pub(crate) unsafe fn syscall(number: c_long, args: [usize; 6]) -> isize {
    let [a, b, c, d, e, f] = args;
    let result;
    // SAFETY: this is the kernel's convention for aarch64. What the call itself does is for the caller to
    // answer for.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number as isize,
            inlateout("x0") a as isize => result,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack),
        );
    }
    result
}

/// # Safety
///
/// That of the system call with this number.
pub(crate) unsafe fn call(number: c_long, args: [usize; 6]) -> io::Result<isize> {
    // SAFETY: as the caller promises.
    let result = unsafe { syscall(number, args) };
    if (-MAX_ERRNO..0).contains(&result) {
        return Err(io::Error::from_raw_os_error(-result as i32));
    }
    Ok(result)
}

/// The address of the calling OS thread's control block, beside which its static thread-locals lie.
pub(crate) fn thread_pointer() -> usize {
    let pointer;
    // SAFETY: reads where the ABI keeps the thread pointer, which every thread has, and nothing else.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("mov {}, fs:0", out(reg) pointer, options(nostack, readonly, preserves_flags));
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("mrs {}, tpidr_el0", out(reg) pointer, options(nostack, nomem, preserves_flags));
    }
    pointer
}
