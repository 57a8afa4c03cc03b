//! The operations as programs of blocking calls: for greenwire, std's threads and may.

use crate::case::Case;
use std::hint::black_box;
use std::sync::Arc;
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// What the operations use of a runtime.
///
/// All of it is inlined, as the runtimes' own functions are into a program that calls them: a CPU expects
/// that a function returns to where it was called last, and is wrong for each frame, a wrapper's too, that
/// returns after a switch. One such frame costs a yield of 15 ns another 20 to 30.
pub(crate) trait Blocking: 'static {
    const NAME: &str;

    type Handle<T: Send + 'static>;
    type Sender: Send + 'static;
    type Receiver: Send + 'static;
    type Mutex: Send + Sync + 'static;

    fn spawn<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> Self::Handle<T>;
    fn join<T: Send + 'static>(handle: Self::Handle<T>) -> T;
    fn yield_now();
    fn sleep(duration: Duration);

    fn channel() -> (Self::Sender, Self::Receiver);
    fn send(sender: &Self::Sender, value: u64);
    /// `None` when the sender is gone.
    fn receive(receiver: &Self::Receiver) -> Option<u64>;
    /// `None` also when the time is up.
    fn receive_in(receiver: &Self::Receiver, limit: Duration) -> Option<u64>;

    fn mutex() -> Self::Mutex;
    fn with_lock(mutex: &Self::Mutex, body: impl FnOnce(&mut u64));
}

/// The cases of one runtime. tokio has the same ones, in `tokio.rs`.
pub(crate) fn cases<R: Blocking>() -> Vec<Case> {
    let one = |name, run, at_least| Case {
        name,
        peer: R::NAME,
        workers: 1,
        run,
        at_least,
    };
    let two = |name, run| Case {
        workers: 2,
        ..one(name, run, 1_000)
    };
    vec![
        one("yield, 2 green threads", yields::<R, 2>, 1_000),
        one("yield, 1,000 green threads", yields::<R, 1_000>, 100_000),
        one("spawn and join", spawn_and_join::<R>, 100),
        one("channel ping-pong", ping_pong::<R>, 1_000),
        one("channel, one way", one_way::<R>, 1_000),
        one("ping-pong with time limits", ping_pong_in_time::<R>, 1_000),
        one("mutex", mutex::<R>, 1_000),
        one("mutex, yielding while locked", contended_mutex::<R>, 1_000),
        one("sleep of 1 ms, lateness", sleeps::<R>, 20),
        two("channel ping-pong, two workers", |n| {
            apart(|| ping_pong_ids::<R>(n))
        }),
        two("channel, one way, two workers", |n| {
            apart(|| one_way_ids::<R>(n))
        }),
        two("mutex, two workers", |n| apart(|| fought_mutex::<R>(n))),
    ]
}

/// Runs on a green thread, so that all waiting is the runtime's own.
fn on_green_thread<R: Blocking, T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    R::join(R::spawn(body))
}

/// One operation is one `yield_now`.
fn yields<R: Blocking, const THREADS: u64>(operations: u64) -> Duration {
    on_green_thread::<R, _>(move || {
        let body = move || {
            for _ in 0..operations / THREADS {
                R::yield_now();
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| R::spawn(body)).collect();
        let start = Instant::now();
        threads.into_iter().for_each(R::join);
        start.elapsed()
    })
}

fn spawn_and_join<R: Blocking>(operations: u64) -> Duration {
    on_green_thread::<R, _>(move || {
        let start = Instant::now();
        for number in 0..operations {
            black_box(R::join(R::spawn(move || number)));
        }
        start.elapsed()
    })
}

/// One operation is one message there and one back.
fn ping_pong<R: Blocking>(operations: u64) -> Duration {
    let (taken, _) = ping_pong_by::<R>(operations, R::receive);
    taken
}

/// As `ping_pong`, each receive with a time limit, which arms a timer and cancels it.
fn ping_pong_in_time<R: Blocking>(operations: u64) -> Duration {
    let receive = |receiver: &R::Receiver| R::receive_in(receiver, Duration::from_secs(10));
    let (taken, _) = ping_pong_by::<R>(operations, receive);
    taken
}

fn ping_pong_ids<R: Blocking>(operations: u64) -> (Duration, bool) {
    ping_pong_by::<R>(operations, R::receive)
}

/// Also tells whether the two were on different OS threads.
fn ping_pong_by<R: Blocking>(
    operations: u64,
    receive: impl Fn(&R::Receiver) -> Option<u64> + Copy + Send + 'static,
) -> (Duration, bool) {
    let (ping, pings) = R::channel();
    let (pong, pongs) = R::channel();
    let echo = R::spawn(move || {
        let os_thread = os_thread();
        while let Some(number) = receive(&pings) {
            R::send(&pong, number);
        }
        os_thread
    });
    let player = R::spawn(move || {
        // The first exchange is not counted: the other may have to start.
        R::send(&ping, 0);
        receive(&pongs);
        let start = Instant::now();
        for number in 0..operations {
            R::send(&ping, number);
            receive(&pongs);
        }
        (start.elapsed(), os_thread())
    });
    let (taken, one) = R::join(player);
    (taken, one != R::join(echo))
}

/// One operation is one message, sent and received.
fn one_way<R: Blocking>(operations: u64) -> Duration {
    let (taken, _) = one_way_ids::<R>(operations);
    taken
}

fn one_way_ids<R: Blocking>(operations: u64) -> (Duration, bool) {
    let (sender, receiver) = R::channel();
    let consumer = R::spawn(move || {
        R::receive(&receiver);
        let start = Instant::now();
        while let Some(number) = R::receive(&receiver) {
            black_box(number);
        }
        (start.elapsed(), os_thread())
    });
    let producer = R::spawn(move || {
        let start = Instant::now();
        for number in 0..=operations {
            R::send(&sender, number);
        }
        (start.elapsed(), os_thread())
    });
    let (sending, one) = R::join(producer);
    let (receiving, other) = R::join(consumer);
    (sending.max(receiving), one != other)
}

/// One operation is one `lock` and the drop of its guard; nobody else wants the lock.
fn mutex<R: Blocking>(operations: u64) -> Duration {
    on_green_thread::<R, _>(move || {
        let mutex = R::mutex();
        let start = Instant::now();
        for _ in 0..operations {
            R::with_lock(black_box(&mutex), |count| *count += 1);
        }
        start.elapsed()
    })
}

/// Two green threads; who has the lock yields before it unlocks, so that the other always waits.
fn contended_mutex<R: Blocking>(operations: u64) -> Duration {
    on_green_thread::<R, _>(move || {
        let mutex = Arc::new(R::mutex());
        let lock = {
            let mutex = mutex.clone();
            move || {
                for _ in 0..operations / 2 {
                    R::with_lock(&mutex, |count| {
                        *count += 1;
                        R::yield_now();
                    });
                }
            }
        };
        let threads = [R::spawn(lock.clone()), R::spawn(lock)];
        let start = Instant::now();
        threads.into_iter().for_each(R::join);
        start.elapsed()
    })
}

/// Two green threads lock and unlock as fast as they can.
fn fought_mutex<R: Blocking>(operations: u64) -> (Duration, bool) {
    let mutex = Arc::new(R::mutex());
    let spawn = || {
        let mutex = mutex.clone();
        R::spawn(move || {
            let os_thread = os_thread();
            let start = Instant::now();
            for _ in 0..operations / 2 {
                R::with_lock(&mutex, |count| *count += 1);
            }
            (start.elapsed(), os_thread)
        })
    };
    let threads = [spawn(), spawn()];
    let [(first, one), (second, other)] = threads.map(R::join);
    (first.max(second), one != other)
}

/// How much later than asked for.
fn sleeps<R: Blocking>(operations: u64) -> Duration {
    on_green_thread::<R, _>(move || {
        let asked = Duration::from_millis(1);
        let mut late = Duration::ZERO;
        for _ in 0..operations {
            let start = Instant::now();
            R::sleep(asked);
            late += start.elapsed() - asked;
        }
        late
    })
}

/// Measures until the two green threads were on different OS threads, which runtimes do not promise;
/// in the end, wherever they were.
fn apart(run: impl Fn() -> (Duration, bool)) -> Duration {
    for _ in 0..20 {
        if let (taken, true) = run() {
            return taken;
        }
    }
    run().0
}

fn os_thread() -> ThreadId {
    std::thread::current().id()
}
