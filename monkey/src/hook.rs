//! One function of libc that is stood in for: who is behind our definition of it, and how often it parked.

use std::ffi::{CStr, c_void};
use std::ptr;
#[cfg(not(target_feature = "crt-static"))]
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use greenwire_runtime::patch;

/// What is known of a function that is stood in for.
pub(crate) struct Hook {
    name: &'static CStr,
    /// The next definition behind ours, once it was looked up.
    #[cfg(not(target_feature = "crt-static"))]
    next: AtomicPtr<c_void>,
    reached: AtomicBool,
    parked: AtomicU64,
}

impl Hook {
    /// `name` ends with a zero.
    pub(crate) const fn new(name: &'static str) -> Hook {
        let Ok(name) = CStr::from_bytes_with_nul(name.as_bytes()) else {
            panic!("the name of a function has one zero, at its end");
        };
        Hook {
            name,
            #[cfg(not(target_feature = "crt-static"))]
            next: AtomicPtr::new(ptr::null_mut()),
            reached: AtomicBool::new(false),
            parked: AtomicU64::new(0),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name.to_str().unwrap_or_default()
    }

    /// The definition that would be called if there was none of ours: libc's, or that of a preloaded library.
    #[cfg(not(target_feature = "crt-static"))]
    #[inline]
    pub(crate) fn next(&self) -> *mut c_void {
        let known = self.next.load(Ordering::Relaxed);
        if known.is_null() {
            return self.look_up();
        }
        known
    }

    #[cfg(not(target_feature = "crt-static"))]
    #[cold]
    fn look_up(&self) -> *mut c_void {
        // SAFETY: the name is a C string, and `dlsym` may be called at any time.
        let next = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
        assert!(!next.is_null(), "libc has no {}", self.name());
        self.next.store(next, Ordering::Relaxed);
        next
    }

    /// Whether calls from all over the program come to `ours`. A static program's do, or it would not have
    /// been linked.
    pub(crate) fn is_in_front(&self, ours: *const c_void) -> bool {
        if cfg!(target_feature = "crt-static") {
            return true;
        }
        // SAFETY: as above.
        let first = unsafe { libc::dlsym(libc::RTLD_DEFAULT, self.name.as_ptr()) };
        ptr::eq(first, ours)
    }

    pub(crate) fn reached(&self) {
        self.reached.store(true, Ordering::SeqCst);
    }

    pub(crate) fn was_reached(&self) -> bool {
        self.reached.load(Ordering::SeqCst)
    }

    pub(crate) fn parked(&self) -> u64 {
        self.parked.load(Ordering::Relaxed)
    }

    /// Runs a call, and counts it if the green thread waited in it.
    pub(crate) fn counting<R>(&self, call: impl FnOnce() -> R) -> R {
        let before = patch::waits();
        let result = call();
        if patch::waits() != before {
            self.parked.fetch_add(1, Ordering::Relaxed);
        }
        result
    }
}
