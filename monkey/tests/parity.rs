//! The programs that say how std's sockets and locks behave, through plain std on green threads.
//!
//! They are those of net and of the runtime, which run them over std on OS threads and over greenwire. Of a
//! channel one end is an OS thread's in them: between green threads of one worker they need its identity.

#![allow(clippy::duplicate_mod, reason = "that they are the same is the point")]

#[path = "../../net/tests/support/mod.rs"]
mod support;

use std::sync::Once;

fn patch() {
    static PATCH: Once = Once::new();
    PATCH.call_once(|| {
        greenwire_monkey::patch_all().unwrap();
        greenwire_runtime::Builder::new()
            .workers(1)
            .start()
            .unwrap();
    });
}

/// Makes tests of a program's functions, run as the module around it says.
macro_rules! stories {
    ($($(#[$condition:meta])? $story:ident),* $(,)?) => {
        mod tests {$(
            #[test]
            $(#[$condition])?
            fn $story() -> std::io::Result<()> {
                super::super::run(super::$story)
            }
        )*}
    };
}

#[path = "../../net/tests/parity"]
mod sockets {
    use greenwire_runtime::thread;
    use std::net;
    use std::os::unix::net as unix;

    mod ipv6;
    mod tcp;
    mod udp;
    mod unix_sockets;

    fn run(story: fn() -> std::io::Result<()>) -> std::io::Result<()> {
        super::patch();
        thread::spawn(story).join().unwrap()
    }
}

#[path = "../../runtime/tests/sync/parity"]
mod locks {
    use std::sync;

    mod barrier;
    mod condvar;
    mod mpsc;
    mod mutex;
    mod once;
    mod rw_lock;

    /// Green threads, by std's names. The tests themselves are OS threads.
    mod thread {
        pub(super) use greenwire_runtime::thread::yield_now;

        pub(super) fn spawn<F, T>(f: F) -> greenwire_runtime::thread::JoinHandle<T>
        where
            F: FnOnce() -> T + Send + 'static,
            T: Send + 'static,
        {
            super::super::patch();
            greenwire_runtime::thread::spawn(f)
        }
    }
}
