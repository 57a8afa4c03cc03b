//! What holds for everything that waits, whoever waits and whoever ends it. After gevent's
//! `test_outer_timeout_is_not_lost` and its like, which every wait of gevent's goes through.
//!
//! `cargo test -p greenwire-runtime --test contract -- --nocapture` prints the matrix: in each field the
//! number of pairs of waiter and waker that were checked. A `-` is for what cannot be: an OS thread
//! cannot be cancelled, and what `unblock` does for it, it does itself.

mod subjects;

use greenwire_runtime::Builder;
use greenwire_runtime::thread::{self, Cancelled};
use greenwire_runtime::time::{self, Elapsed};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use subjects::{New, SHARED, SINGLE, Wait, Wake};

const SOON: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(3600);

/// How long a thread may take. Miri's clock goes by the steps of the program.
const DEADLINE: Duration = Duration::from_secs(if cfg!(miri) { 600 } else { 30 });

/// Where a thread runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Worker,
    OtherWorker,
    OsThread,
}

use Place::{OsThread, OtherWorker, Worker};

const WAITERS: [Place; 2] = [Worker, OsThread];
const WAKERS: [Place; 3] = [Worker, OtherWorker, OsThread];

/// One wait, and who is concerned with it.
struct Case {
    waiter: Place,
    waker: Place,
    wait: Wait,
    wake: Wake,
}

/// How a wait may end.
struct Outcome {
    name: &'static str,
    check: fn(Case),
    /// Whether it can happen to this waiter in this wait.
    can_be: fn(&str, Place) -> bool,
}

const OUTCOMES: [Outcome; 5] = [
    Outcome {
        name: "woken",
        check: woken,
        can_be: |_, _| true,
    },
    Outcome {
        name: "timed out",
        check: timed_out,
        can_be: gives_up_at_a_limit,
    },
    Outcome {
        name: "outer limit",
        check: ended_by_the_outer_limit,
        can_be: gives_up_at_a_limit,
    },
    Outcome {
        name: "cancelled",
        check: cancelled,
        can_be: |_, waiter| waiter != OsThread,
    },
    Outcome {
        name: "and again",
        check: cancelled_again_in_a_destructor_that_waits,
        can_be: |_, waiter| waiter != OsThread,
    },
];

fn gives_up_at_a_limit(subject: &str, waiter: Place) -> bool {
    subject != "unblock" || waiter != OsThread
}

#[test]
fn every_wait_ends_in_every_way() {
    // The other test of this file may have been first.
    let _ = Builder::new().workers(2).start();
    let headings = OUTCOMES.map(|outcome| format!("{:>12}", outcome.name));
    println!("{:<26}{}", "", headings.concat());
    let all = SHARED.into_iter().chain(SINGLE);
    for (name, new) in all.filter(|(name, _)| is_known_to_miri(name) || !cfg!(miri)) {
        let fields = OUTCOMES.each_ref().map(|outcome| field(name, new, outcome));
        println!("{name:<26}{}", fields.concat());
    }
}

/// Miri has no sockets that do not block.
fn is_known_to_miri(subject: &str) -> bool {
    subject != "Source::perform"
}

/// Checks an outcome for each pair of waiter and waker.
fn field(name: &str, new: New, outcome: &Outcome) -> String {
    let mut checked = 0;
    for (waiter, waker) in pairs(name.len() + outcome.name.len()) {
        if !(outcome.can_be)(name, waiter) {
            continue;
        }
        let (wait, wake) = new();
        let case = Case {
            waiter,
            waker,
            wait,
            wake,
        };
        let result = catch_unwind(AssertUnwindSafe(|| (outcome.check)(case)));
        if let Err(payload) = result {
            eprintln!("this was {name}, {}: {waiter:?}, {waker:?}", outcome.name);
            resume_unwind(payload);
        }
        checked += 1;
    }
    format!(
        "{:>12}",
        if checked > 0 {
            checked.to_string()
        } else {
            "-".into()
        }
    )
}

/// All pairs. Miri is slow: for it, one of them in every other field.
fn pairs(field: usize) -> impl Iterator<Item = (Place, Place)> {
    let all = WAITERS
        .into_iter()
        .flat_map(|waiter| WAKERS.map(|waker| (waiter, waker)));
    let (skip, take) = if cfg!(miri) { (field % 12, 1) } else { (0, 6) };
    all.skip(skip).take(take)
}

fn woken(case: Case) {
    let Case {
        waiter,
        waker,
        wait,
        wake,
    } = case;
    let waits = spawn(waiter, move || wait());
    a_moment();
    let wakes = spawn(waker, wake);
    waits.join();
    wakes.join();
}

/// What was given up can be begun again.
fn timed_out(case: Case) {
    let wait = case.wait.clone();
    let waits = spawn(case.waiter, move || time::timeout(SOON, || wait()));
    assert_eq!(waits.join(), Err(Elapsed));
    woken(case);
}

fn ended_by_the_outer_limit(case: Case) {
    let wait = case.wait.clone();
    let waits = spawn(case.waiter, move || {
        let outer = time::timeout(SOON, || time::timeout(LONG, || wait()));
        let inner = time::timeout(LONG, || time::timeout(SOON, || thread::sleep(LONG)));
        (outer, inner)
    });
    assert_eq!(waits.join(), (Err(Elapsed), Ok(Err(Elapsed))));
    woken(case);
}

/// Who is cancelled takes nothing with it that another one waits for.
fn cancelled(case: Case) {
    let wait = case.wait.clone();
    let victim = thread::Builder::new()
        .worker(0)
        .spawn(move || wait())
        .unwrap();
    a_moment();
    cancel(&victim, case.waker);
    assert!(result_of(victim).unwrap_err().is::<Cancelled>());
    woken(case);
}

fn cancelled_again_in_a_destructor_that_waits(case: Case) {
    struct Waits(Wait);
    impl Drop for Waits {
        fn drop(&mut self) {
            thread::sleep(SOON);
            (self.0)();
        }
    }
    let (wait, again) = (case.wait.clone(), Waits(case.wait));
    let body = move || {
        let _again = again;
        wait();
    };
    let victim = thread::Builder::new().worker(0).spawn(body).unwrap();
    a_moment();
    cancel(&victim, case.waker);
    a_moment();
    cancel(&victim, case.waker);
    let wakes = spawn(case.waker, case.wake);
    assert!(result_of(victim).unwrap_err().is::<Cancelled>());
    wakes.join();
}

#[test]
fn who_is_cancelled_while_being_woken_leaves_it_to_the_next_one() {
    let _ = Builder::new().workers(2).start();
    for (name, new) in SHARED {
        let (wait, wake) = new();
        let (one, other) = (wait.clone(), wait);
        let victim = thread::spawn(move || one());
        let survivor = thread::spawn(move || other());
        a_moment();
        let thread = victim.thread().clone();
        let cancels = spawn(OsThread, move || thread.cancel().unwrap());
        let wakes = spawn(OtherWorker, move || {
            wake();
            wake
        });
        cancels.join();
        let woken = result_of(victim).map_err(|payload| assert!(payload.is::<Cancelled>()));
        // At a barrier the two may have met each other, and nobody the one who wakes: so it is not joined.
        let wakes_again = woken.map(|()| spawn(OsThread, move || wakes.join()()));
        assert!(result_of(survivor).is_ok(), "{name}");
        drop(wakes_again);
    }
}

/// Time to begin to wait. If it does not suffice, the order is another one, which must be as good.
fn a_moment() {
    std::thread::sleep(SOON / 5);
}

fn cancel(victim: &thread::JoinHandle<()>, place: Place) {
    let thread = victim.thread().clone();
    spawn(place, move || thread.cancel().unwrap()).join();
}

fn result_of(handle: thread::JoinHandle<()>) -> thread::Result<()> {
    spawn(OsThread, || handle.join()).join()
}

/// A thread somewhere. Its result is waited for with a deadline.
struct Running<T>(mpsc::Receiver<Result<T, Box<dyn Any + Send>>>);

fn spawn<T: Send + 'static>(place: Place, f: impl FnOnce() -> T + Send + 'static) -> Running<T> {
    let (sender, receiver) = mpsc::channel();
    let run = move || drop(sender.send(catch_unwind(AssertUnwindSafe(f))));
    let worker = thread::Builder::new().worker(usize::from(place == OtherWorker));
    match place {
        Worker | OtherWorker => drop(worker.spawn(run).unwrap()),
        OsThread => drop(std::thread::spawn(run)),
    }
    Running(receiver)
}

impl<T> Running<T> {
    #[track_caller]
    fn join(self) -> T {
        match self.0.recv_timeout(DEADLINE) {
            Ok(result) => result.unwrap_or_else(|payload| resume_unwind(payload)),
            Err(RecvTimeoutError::Timeout) => panic!("it does not end"),
            Err(RecvTimeoutError::Disconnected) => panic!("it was never run"),
        }
    }
}
