//! `no_switch`: a wait inside of it keeps its worker from everybody else, and still ends.

use greenwire_runtime::io::{Direction, Source};
use greenwire_runtime::sync::mpsc;
use greenwire_runtime::thread::{self, no_switch};
use greenwire_runtime::{Builder, time, unblock};
use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(30);

/// Runs `f` on a green thread, in time. Returns whether another one of its worker ran meanwhile.
#[track_caller]
fn others_run(f: impl FnOnce() + Send + 'static) -> bool {
    // One at a time: each keeps a worker to itself, and some wait for the other one.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // Another test of this file may have been first.
    let _ = Builder::new().workers(2).start();
    let (sender, result) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let ran = Rc::new(Cell::new(false));
        let flag = ran.clone();
        let other = thread::spawn_local(move || flag.set(true));
        f();
        sender.send(ran.get()).unwrap();
        other.join().unwrap();
    });
    let result = result.recv_timeout(LONG);
    result.expect("it ends in time")
}

/// What is done by somebody else in a moment.
fn soon(f: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        std::thread::sleep(SOON);
        f();
    });
}

#[test]
fn without_it_others_run() {
    assert!(others_run(|| thread::sleep(4 * SOON)));
    assert!(others_run(|| {
        no_switch(|| ());
        thread::sleep(4 * SOON);
    }));
}

#[test]
fn a_sleep_and_a_yield_keep_the_worker() {
    assert!(!others_run(|| no_switch(|| {
        let begin = Instant::now();
        thread::sleep(SOON);
        assert!(begin.elapsed() >= SOON);
        thread::yield_now();
        no_switch(thread::yield_now);
        thread::yield_now();
    })));
}

#[test]
fn every_kind_of_wait_ends() {
    assert!(!others_run(|| no_switch(|| {
        let me = thread::current();
        soon(move || me.unpark());
        thread::park();

        let (sender, receiver) = mpsc::channel();
        soon(move || sender.send(7).unwrap());
        assert_eq!(receiver.recv(), Ok(7));
        assert_eq!(unblock(|| 8), 8);

        let (mut ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let source = Source::new(theirs);
        soon(move || ours.write_all(b"x").unwrap());
        let read = source.perform(Direction::Read, None, |mut theirs| theirs.read(&mut [0]));
        assert_eq!(read.unwrap(), 1);
    })));
}

#[test]
fn a_thread_of_another_worker_can_be_waited_for() {
    assert!(!others_run(|| no_switch(|| {
        let here = std::thread::current().name().map(str::to_owned);
        let other = usize::from(here.as_deref() == Some("greenwire-0"));
        let thread = thread::Builder::new().worker(other).spawn(|| 9);
        assert_eq!(thread.unwrap().join().unwrap(), 9);
    })));
}

#[test]
fn new_threads_are_stolen_meanwhile() {
    assert!(!others_run(|| no_switch(|| {
        // Each wait can be ended by a request to look for work, which this worker must hand on.
        for _ in 0..20 {
            let thread = thread::spawn(|| std::thread::current().id());
            let home = thread.join_timeout(LONG / 2);
            let home = home.expect("another worker took it").unwrap();
            assert_ne!(home, std::thread::current().id());
        }
    })));
}

#[test]
fn limits_and_cancellations_work_inside() {
    assert!(!others_run(|| {
        let limited = no_switch(|| time::timeout(SOON, thread::park));
        assert_eq!(limited, Err(time::Elapsed));
        let limited = time::timeout(SOON, || no_switch(thread::park));
        assert_eq!(limited, Err(time::Elapsed));
    }));
    let parked = thread::spawn(|| no_switch(thread::park));
    thread::sleep(SOON);
    parked.cancel().unwrap();
    assert!(parked.join().unwrap_err().is::<thread::Cancelled>());
}

#[test]
fn a_panic_ends_it() {
    assert!(others_run(|| {
        let result = panic::catch_unwind(AssertUnwindSafe(|| no_switch(|| panic!("on purpose"))));
        assert!(result.is_err());
        thread::sleep(4 * SOON);
    }));
}

#[test]
fn a_thread_local_can_be_made_by_code_that_waits() {
    thread_local! {
        static SLOW: String = {
            thread::sleep(SOON);
            "made".to_owned()
        };
        static NOTES: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    }
    assert!(!others_run(|| {
        no_switch(|| SLOW.with(|text| assert_eq!(text, "made")));
        no_switch(|| {
            NOTES.with_borrow_mut(|notes| {
                thread::sleep(SOON);
                notes.push(1);
            });
        });
    }));
}

#[test]
fn on_an_os_thread_it_changes_nothing() {
    no_switch(|| thread::sleep(SOON));
}
