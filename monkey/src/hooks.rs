//! The table of all functions of libc that are stood in for.
//!
//! ```text
//!   fn NAME(ARGUMENTS) -> RESULT
//!       = what a green thread calls, the same call without libc;
//! ```
//!
//! Each row defines the function of that name for the whole program: the linker takes ours before it looks
//! into libc, for std's calls, too. A call goes on to the next definition, unless a green thread makes it.

use std::ffi::{c_int, c_long, c_uint, c_void};

use libc::{clockid_t, fd_set, id_t, idtype_t, iovec, mmsghdr, msghdr, nfds_t};
use libc::{off_t, off64_t, pid_t, pollfd, siginfo_t, sigset_t, size_t, sockaddr, socklen_t};
use libc::{ssize_t, timespec, timeval};

#[cfg(not(all(target_env = "musl", target_feature = "crt-static")))]
use crate::calls::epoll;
use crate::calls::{files, futex, polling, processes, sleeping, sockets, transfers};
#[cfg(not(target_feature = "crt-static"))]
use crate::calls::{joining, names};
use crate::errno::answer;
use crate::hook::Hook;
use crate::{descriptors, green};

/// A system call that is the whole of a function, in a static program.
#[cfg(target_feature = "crt-static")]
macro_rules! raw {
    (@ $number:ident, $a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr $(, $zero:expr)*) => {
        crate::raw::call(
            libc::$number,
            [$a as usize, $b as usize, $c as usize, $d as usize, $e as usize, $f as usize],
        )
    };
    ($number:ident $(, $arg:expr)*) => {
        raw!(@ $number $(, $arg)*, 0, 0, 0, 0, 0, 0)
    };
}

macro_rules! hooks {
    ($(
        when $condition:ident:
        $($(#[$cfg:meta])?
        fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty = $green:path, $raw:expr;)*
    )*) => {
        /// What is known of each.
        mod known {
            use super::Hook;

            $($($(#[$cfg])?
            #[expect(non_upper_case_globals, reason = "it is named after the function")]
            pub(super) static $name: Hook = Hook::new(concat!(stringify!($name), "\0"));
            )*)*
        }

        /// The functions behind ours.
        pub(crate) mod next {
            use super::*;

            $($($(#[$cfg])?
            /// # Safety
            ///
            /// That of libc's function.
            #[inline]
            pub(crate) unsafe fn $name($($arg: $ty),*) -> $ret {
                #[cfg(not(target_feature = "crt-static"))]
                // SAFETY: the next definition of the name has the signature that libc gives it. What it is
                // called with is for the caller to answer for.
                unsafe {
                    type Next = unsafe extern "C" fn($($ty),*) -> $ret;
                    std::mem::transmute::<*mut c_void, Next>(known::$name.next())($($arg),*)
                }
                #[cfg(target_feature = "crt-static")]
                // SAFETY: as the caller promises.
                unsafe {
                    answer($raw.map(|value| value as $ret))
                }
            }
            )*)*
        }

        $($($(#[$cfg])?
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($arg: $ty),*) -> $ret {
            if !green::$condition(&known::$name) {
                // SAFETY: as the caller promises libc.
                return unsafe { next::$name($($arg),*) };
            }
            // SAFETY: as the caller promises libc.
            known::$name.counting(|| answer(unsafe { $green($($arg),*) }))
        }
        )*)*

        /// All of them, each with where ours is.
        pub(crate) fn all() -> Vec<(&'static Hook, *const c_void)> {
            let all = [$($($(#[$cfg])? (&known::$name, $name as *const c_void),)*)*];
            all.to_vec()
        }
    };
}

hooks! {
    when acts:

    // Sockets.
    fn recv(fd: c_int, buf: *mut c_void, len: size_t, flags: c_int) -> ssize_t
        = sockets::recv, raw!(SYS_recvfrom, fd, buf, len, flags);
    fn recvfrom(
        fd: c_int, buf: *mut c_void, len: size_t, flags: c_int, from: *mut sockaddr, from_len: *mut socklen_t,
    ) -> ssize_t
        = sockets::recvfrom, raw!(SYS_recvfrom, fd, buf, len, flags, from, from_len);
    fn recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t
        = sockets::recvmsg, raw!(SYS_recvmsg, fd, msg, flags);
    fn recvmmsg(
        fd: c_int, msgs: *mut mmsghdr, count: c_uint, flags: c_int, timeout: *mut timespec,
    ) -> c_int
        = sockets::recvmmsg, raw!(SYS_recvmmsg, fd, msgs, count, flags, timeout);
    fn send(fd: c_int, buf: *const c_void, len: size_t, flags: c_int) -> ssize_t
        = sockets::send, raw!(SYS_sendto, fd, buf, len, flags);
    fn sendto(
        fd: c_int, buf: *const c_void, len: size_t, flags: c_int, to: *const sockaddr, to_len: socklen_t,
    ) -> ssize_t
        = sockets::sendto, raw!(SYS_sendto, fd, buf, len, flags, to, to_len);
    fn sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t
        = sockets::sendmsg, raw!(SYS_sendmsg, fd, msg, flags);
    fn sendmmsg(fd: c_int, msgs: *mut mmsghdr, count: c_uint, flags: c_int) -> c_int
        = sockets::sendmmsg, raw!(SYS_sendmmsg, fd, msgs, count, flags);
    fn accept(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t) -> c_int
        = sockets::accept, raw!(SYS_accept4, fd, addr, len);
    fn accept4(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t, flags: c_int) -> c_int
        = sockets::accept4, raw!(SYS_accept4, fd, addr, len, flags);
    fn connect(fd: c_int, addr: *const sockaddr, len: socklen_t) -> c_int
        = sockets::connect, raw!(SYS_connect, fd, addr, len);

    // Whatever a descriptor stands for.
    fn read(fd: c_int, buf: *mut c_void, len: size_t) -> ssize_t
        = files::read, raw!(SYS_read, fd, buf, len);
    fn readv(fd: c_int, slices: *const iovec, count: c_int) -> ssize_t
        = files::readv, raw!(SYS_readv, fd, slices, count);
    fn pread(fd: c_int, buf: *mut c_void, len: size_t, offset: off_t) -> ssize_t
        = files::pread, raw!(SYS_pread64, fd, buf, len, offset);
    #[cfg(target_env = "gnu")]
    fn pread64(fd: c_int, buf: *mut c_void, len: size_t, offset: off_t) -> ssize_t
        = files::pread, raw!(SYS_pread64, fd, buf, len, offset);
    fn write(fd: c_int, buf: *const c_void, len: size_t) -> ssize_t
        = files::write, raw!(SYS_write, fd, buf, len);
    fn writev(fd: c_int, slices: *const iovec, count: c_int) -> ssize_t
        = files::writev, raw!(SYS_writev, fd, slices, count);
    fn pwrite(fd: c_int, buf: *const c_void, len: size_t, offset: off_t) -> ssize_t
        = files::pwrite, raw!(SYS_pwrite64, fd, buf, len, offset);
    #[cfg(target_env = "gnu")]
    fn pwrite64(fd: c_int, buf: *const c_void, len: size_t, offset: off_t) -> ssize_t
        = files::pwrite, raw!(SYS_pwrite64, fd, buf, len, offset);
    fn fsync(fd: c_int) -> c_int
        = files::fsync, raw!(SYS_fsync, fd);
    fn fdatasync(fd: c_int) -> c_int
        = files::fdatasync, raw!(SYS_fdatasync, fd);
    fn flock(fd: c_int, operation: c_int) -> c_int
        = files::flock, raw!(SYS_flock, fd, operation);
    fn sendfile(to: c_int, from: c_int, offset: *mut off_t, count: size_t) -> ssize_t
        = transfers::sendfile, raw!(SYS_sendfile, to, from, offset, count);
    #[cfg(target_env = "gnu")]
    fn sendfile64(to: c_int, from: c_int, offset: *mut off_t, count: size_t) -> ssize_t
        = transfers::sendfile, raw!(SYS_sendfile, to, from, offset, count);
    fn splice(
        from: c_int, from_offset: *mut off64_t, to: c_int, to_offset: *mut off64_t, len: size_t, flags: c_uint,
    ) -> ssize_t
        = transfers::splice, raw!(SYS_splice, from, from_offset, to, to_offset, len, flags);
    fn copy_file_range(
        from: c_int, from_offset: *mut off64_t, to: c_int, to_offset: *mut off64_t, len: size_t, flags: c_uint,
    ) -> ssize_t
        = transfers::copy_file_range, raw!(SYS_copy_file_range, from, from_offset, to, to_offset, len, flags);

    // Many descriptors.
    fn poll(polled: *mut pollfd, count: nfds_t, milliseconds: c_int) -> c_int
        = polling::poll, without_libc::poll(polled, count, milliseconds);
    fn ppoll(polled: *mut pollfd, count: nfds_t, timeout: *const timespec, mask: *const sigset_t) -> c_int
        = polling::ppoll, raw!(SYS_ppoll, polled, count, timeout, mask, without_libc::MASK);
    fn select(
        count: c_int, read: *mut fd_set, write: *mut fd_set, except: *mut fd_set, timeout: *mut timeval,
    ) -> c_int
        = polling::select, without_libc::select(count, read, write, except, timeout);
    #[cfg(not(all(target_env = "musl", target_feature = "crt-static")))]
    fn epoll_wait(epoll: c_int, events: *mut libc::epoll_event, most: c_int, milliseconds: c_int) -> c_int
        = epoll::epoll_wait, raw!(SYS_epoll_pwait, epoll, events, most, milliseconds);
    #[cfg(not(all(target_env = "musl", target_feature = "crt-static")))]
    fn epoll_pwait(
        epoll: c_int, events: *mut libc::epoll_event, most: c_int, milliseconds: c_int, mask: *const sigset_t,
    ) -> c_int
        = epoll::epoll_pwait,
        raw!(SYS_epoll_pwait, epoll, events, most, milliseconds, mask, without_libc::MASK);

    // Time.
    fn nanosleep(request: *const timespec, left: *mut timespec) -> c_int
        = sleeping::nanosleep, raw!(SYS_nanosleep, request, left);
    fn clock_nanosleep(clock: clockid_t, flags: c_int, request: *const timespec, left: *mut timespec) -> c_int
        = sleeping::clock_nanosleep,
        without_libc::as_number(raw!(SYS_clock_nanosleep, clock, flags, request, left));
    fn sleep(seconds: c_uint) -> c_uint
        = sleeping::seconds, without_libc::sleep(seconds.into(), 0);
    fn usleep(microseconds: c_uint) -> c_int
        = sleeping::microseconds, without_libc::sleep(0, microseconds.into());
    fn sched_yield() -> c_int
        = sleeping::sched_yield, raw!(SYS_sched_yield);

    // Processes, OS threads, names.
    fn waitpid(pid: pid_t, status: *mut c_int, options: c_int) -> pid_t
        = processes::waitpid, raw!(SYS_wait4, pid, status, options);
    fn wait(status: *mut c_int) -> pid_t
        = processes::wait, raw!(SYS_wait4, -1isize, status);
    fn waitid(kind: idtype_t, id: id_t, info: *mut siginfo_t, options: c_int) -> c_int
        = processes::waitid, raw!(SYS_waitid, kind, id, info, options);
    #[cfg(not(target_feature = "crt-static"))]
    fn pthread_join(handle: libc::pthread_t, result: *mut *mut c_void) -> c_int
        = joining::pthread_join, unreachable!();
    #[cfg(not(target_feature = "crt-static"))]
    fn getaddrinfo(
        node: *const libc::c_char, service: *const libc::c_char,
        hints: *const libc::addrinfo, found: *mut *mut libc::addrinfo,
    ) -> c_int
        = names::getaddrinfo, unreachable!();

    // These have something to tell green threads, whoever calls them.
    when is_on:

    fn close(fd: c_int) -> c_int
        = descriptors::close, raw!(SYS_close, fd);
    fn dup2(old: c_int, new: c_int) -> c_int
        = descriptors::dup2, without_libc::dup2(old, new);
    fn dup3(old: c_int, new: c_int, flags: c_int) -> c_int
        = descriptors::dup3, raw!(SYS_dup3, old, new, flags);
    fn syscall(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long
        = futex::syscall, crate::raw::call(number, [a, b, c, d, e, f]);
}

/// What libc does beside its system calls, in a static program.
#[cfg(target_feature = "crt-static")]
mod without_libc {
    use std::io;
    use std::ptr;

    use super::*;

    /// The size of the kernel's masks of signals.
    pub(super) const MASK: usize = 8;

    /// # Safety
    ///
    /// That of libc's `poll`.
    pub(super) unsafe fn poll(
        polled: *mut pollfd,
        count: nfds_t,
        milliseconds: c_int,
    ) -> io::Result<isize> {
        let timeout = timespec {
            tv_sec: (milliseconds / 1000).into(),
            tv_nsec: (milliseconds % 1000 * 1_000_000).into(),
        };
        let limit = if milliseconds < 0 {
            ptr::null()
        } else {
            &raw const timeout
        };
        // SAFETY: as the caller promises.
        unsafe { raw!(SYS_ppoll, polled, count, limit, 0, MASK) }
    }

    /// # Safety
    ///
    /// That of libc's `select`.
    pub(super) unsafe fn select(
        count: c_int,
        read: *mut fd_set,
        write: *mut fd_set,
        except: *mut fd_set,
        timeout: *mut timeval,
    ) -> io::Result<isize> {
        // SAFETY: as the caller promises.
        let limit = unsafe { timeout.as_ref() }.map(|timeout| timespec {
            tv_sec: timeout.tv_sec,
            tv_nsec: timeout.tv_usec * 1000,
        });
        let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: as the caller promises.
        unsafe { raw!(SYS_pselect6, count, read, write, except, limit) }
    }

    /// # Safety
    ///
    /// None: it takes numbers.
    pub(super) unsafe fn sleep(seconds: i64, microseconds: i64) -> io::Result<isize> {
        let time = timespec {
            tv_sec: seconds + microseconds / 1_000_000,
            tv_nsec: microseconds % 1_000_000 * 1000,
        };
        // SAFETY: `time` is valid for reading.
        unsafe { raw!(SYS_nanosleep, &raw const time) }
    }

    /// # Safety
    ///
    /// That of libc's `dup2`.
    pub(super) unsafe fn dup2(old: c_int, new: c_int) -> io::Result<isize> {
        // SAFETY: takes numbers.
        unsafe {
            match old == new {
                true => raw!(SYS_fcntl, old, libc::F_GETFD).map(|_| new as isize),
                false => raw!(SYS_dup3, old, new),
            }
        }
    }

    /// Some functions return the number of an error.
    pub(super) fn as_number(result: io::Result<isize>) -> io::Result<isize> {
        Ok(result.map_or_else(|error| crate::errno::number_of(&error) as isize, |_| 0))
    }
}
