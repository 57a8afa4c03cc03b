//! tokio's tasks. The operations are those of `blocking.rs`, written with `async`.

use crate::case::Case;
use crate::timers;
use ::tokio::runtime::{Builder, Runtime};
use ::tokio::sync::Mutex;
use ::tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use ::tokio::task::{spawn, unconstrained, yield_now};
use ::tokio::time::{sleep, timeout};
use std::future::poll_fn;
use std::hint::black_box;
use std::io;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

/// The multi-thread scheduler, with as many workers as greenwire has.
static MULTI_THREAD: OnceLock<Runtime> = OnceLock::new();
/// Two current-thread schedulers, each on an OS thread.
static CURRENT_THREAD: [OnceLock<Runtime>; 2] = [OnceLock::new(), OnceLock::new()];

/// To be called before anything else.
pub(crate) fn start(workers: usize) -> io::Result<()> {
    let mut builder = Builder::new_multi_thread();
    let multi_thread = builder.worker_threads(workers).enable_all().build()?;
    MULTI_THREAD.get_or_init(|| multi_thread);
    for cell in &CURRENT_THREAD {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        cell.get_or_init(|| runtime);
    }
    Ok(())
}

fn started(cell: &OnceLock<Runtime>) -> &Runtime {
    cell.get().expect("`start` was called")
}

/// Runs as a task on the multi-thread scheduler.
fn multi(operation: impl Future<Output = Duration> + Send + 'static) -> Duration {
    on(started(&MULTI_THREAD), operation)
}

/// Runs as a task on a current-thread scheduler.
fn single(operation: impl Future<Output = Duration> + Send + 'static) -> Duration {
    on(started(&CURRENT_THREAD[0]), operation)
}

fn on(runtime: &Runtime, operation: impl Future<Output = Duration> + Send + 'static) -> Duration {
    let done = runtime.block_on(runtime.spawn(operation));
    done.expect("the operations do not panic")
}

/// Runs both at once, each on a current-thread scheduler of its own, and tells which took longer.
fn apart(
    one: impl Future<Output = Duration> + Send + 'static,
    other: impl Future<Output = Duration> + Send + 'static,
) -> Duration {
    let other = std::thread::spawn(|| on(started(&CURRENT_THREAD[1]), other));
    let one = single(one);
    one.max(other.join().expect("the operations do not panic"))
}

/// As on the multi-thread scheduler, both where that puts them.
fn together(
    one: impl Future<Output = Duration> + Send + 'static,
    other: impl Future<Output = Duration> + Send + 'static,
) -> Duration {
    multi(both(one, other))
}

async fn both(
    one: impl Future<Output = Duration> + Send + 'static,
    other: impl Future<Output = Duration> + Send + 'static,
) -> Duration {
    let (one, other) = (spawn(one), spawn(other));
    let one = one.await.expect("the operations do not panic");
    one.max(other.await.expect("the operations do not panic"))
}

/// The same cases as `blocking::cases`, once for each scheduler.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = one_worker();
    cases.extend(two_workers());
    cases
}

/// A case for each scheduler.
macro_rules! on_each {
    ($name:expr, $at_least:expr, $operation:expr) => {
        [
            Case {
                name: $name,
                peer: "tokio",
                workers: 1,
                run: |operations| multi($operation(operations)),
                at_least: $at_least,
            },
            Case {
                name: $name,
                peer: "tokio, current_thread",
                workers: 1,
                run: |operations| single($operation(operations)),
                at_least: $at_least,
            },
        ]
    };
}

fn one_worker() -> Vec<Case> {
    let cases = [
        on_each!("yield, 2 green threads", 1_000, |n| yields(2, n)),
        on_each!("yield, 1,000 green threads", 100_000, |n| yields(1_000, n)),
        on_each!("spawn and join", 100, spawn_and_join),
        on_each!("channel ping-pong", 1_000, |n| async move {
            let (player, echo) = ping_pong(n);
            both(player, echo).await
        }),
        on_each!("channel, one way", 1_000, |n| async move {
            let (producer, consumer) = one_way(n);
            both(producer, consumer).await
        }),
        on_each!("ping-pong with time limits", 1_000, |n| async move {
            let (player, echo) = ping_pong_in_time(n);
            both(player, echo).await
        }),
        on_each!("mutex", 1_000, mutex),
        on_each!("mutex, yielding while locked", 1_000, contended_mutex),
        on_each!("sleep of 1 ms, lateness", 20, sleeps),
        on_each!(timers::NAME, timers::COUNT, million_timers),
    ];
    cases.into_iter().flatten().collect()
}

fn two_workers() -> Vec<Case> {
    let case = |name, peer, run| Case {
        name,
        peer,
        workers: 2,
        run,
        at_least: 1_000,
    };
    let tasks = "tokio";
    let threads = "tokio, current_thread";
    let ping_pongs = "channel ping-pong, two workers";
    let one_ways = "channel, one way, two workers";
    let mutexes = "mutex, two workers";
    vec![
        case(ping_pongs, tasks, |n| {
            let (player, echo) = ping_pong(n);
            together(player, echo)
        }),
        case(ping_pongs, threads, |n| {
            let (player, echo) = ping_pong(n);
            apart(player, echo)
        }),
        case(one_ways, tasks, |n| {
            let (producer, consumer) = one_way(n);
            together(producer, consumer)
        }),
        case(one_ways, threads, |n| {
            let (producer, consumer) = one_way(n);
            apart(producer, consumer)
        }),
        case(mutexes, tasks, |n| {
            let mutex = Arc::default();
            together(fight(n, Arc::clone(&mutex)), fight(n, mutex))
        }),
        case(mutexes, threads, |n| {
            let mutex = Arc::default();
            apart(fight(n, Arc::clone(&mutex)), fight(n, mutex))
        }),
    ]
}

async fn yields(tasks: u64, operations: u64) -> Duration {
    let body = move || async move {
        for _ in 0..operations / tasks {
            yield_now().await;
        }
    };
    let tasks: Vec<_> = (0..tasks).map(|_| spawn(body())).collect();
    let start = Instant::now();
    for task in tasks {
        task.await.expect("the operations do not panic");
    }
    start.elapsed()
}

async fn spawn_and_join(operations: u64) -> Duration {
    let start = Instant::now();
    for number in 0..operations {
        let done = spawn(async move { number }).await;
        black_box(done.expect("the operations do not panic"));
    }
    start.elapsed()
}

type Sender = UnboundedSender<u64>;
type Receiver = UnboundedReceiver<u64>;

/// The player, whose time counts, and the echo.
fn ping_pong(
    operations: u64,
) -> (
    impl Future<Output = Duration> + Send + 'static,
    impl Future<Output = Duration> + Send + 'static,
) {
    let (ping, mut pings) = unbounded_channel();
    let (pong, mut pongs) = unbounded_channel();
    let player = async move {
        exchange(&ping, &mut pongs, 0).await;
        let start = Instant::now();
        for number in 0..operations {
            exchange(&ping, &mut pongs, number).await;
        }
        start.elapsed()
    };
    let echo = async move {
        while let Some(number) = pings.recv().await {
            let _ = pong.send(number);
        }
        Duration::ZERO
    };
    (player, echo)
}

async fn exchange(ping: &Sender, pongs: &mut Receiver, number: u64) {
    let _ = ping.send(number);
    pongs.recv().await;
}

/// As `ping_pong`, each receive with a time limit.
fn ping_pong_in_time(
    operations: u64,
) -> (
    impl Future<Output = Duration> + Send + 'static,
    impl Future<Output = Duration> + Send + 'static,
) {
    let limit = Duration::from_secs(10);
    let (ping, mut pings) = unbounded_channel();
    let (pong, mut pongs) = unbounded_channel();
    let player = async move {
        exchange(&ping, &mut pongs, 0).await;
        let start = Instant::now();
        for number in 0..operations {
            let _ = ping.send(number);
            let _ = timeout(limit, pongs.recv()).await;
        }
        start.elapsed()
    };
    let echo = async move {
        while let Ok(Some(number)) = timeout(limit, pings.recv()).await {
            let _ = pong.send(number);
        }
        Duration::ZERO
    };
    (player, echo)
}

fn one_way(
    operations: u64,
) -> (
    impl Future<Output = Duration> + Send + 'static,
    impl Future<Output = Duration> + Send + 'static,
) {
    let (sender, mut receiver) = unbounded_channel();
    let producer = async move {
        let start = Instant::now();
        for number in 0..=operations {
            let _ = sender.send(number);
        }
        start.elapsed()
    };
    let consumer = async move {
        receiver.recv().await;
        let start = Instant::now();
        while let Some(number) = receiver.recv().await {
            black_box(number);
        }
        start.elapsed()
    };
    (producer, consumer)
}

async fn mutex(operations: u64) -> Duration {
    let mutex = Mutex::new(0_u64);
    let start = Instant::now();
    for _ in 0..operations {
        *black_box(&mutex).lock().await += 1;
    }
    start.elapsed()
}

async fn contended_mutex(operations: u64) -> Duration {
    let mutex: Arc<Mutex<u64>> = Arc::default();
    let lock = |mutex: Arc<Mutex<u64>>| async move {
        for _ in 0..operations / 2 {
            let mut count = mutex.lock().await;
            *count += 1;
            yield_now().await;
        }
    };
    let tasks = [spawn(lock(mutex.clone())), spawn(lock(mutex))];
    let start = Instant::now();
    for task in tasks {
        task.await.expect("the operations do not panic");
    }
    start.elapsed()
}

async fn fight(operations: u64, mutex: Arc<Mutex<u64>>) -> Duration {
    let start = Instant::now();
    for _ in 0..operations / 2 {
        *mutex.lock().await += 1;
    }
    start.elapsed()
}

async fn sleeps(operations: u64) -> Duration {
    let asked = Duration::from_millis(1);
    let mut late = Duration::ZERO;
    for _ in 0..operations {
        let start = Instant::now();
        sleep(asked).await;
        late += start.elapsed() - asked;
    }
    late
}

/// The memory that the timers lie in is theirs before the time counts, and given back while it does.
async fn million_timers(operations: u64) -> Duration {
    let mut taken = Duration::ZERO;
    for _ in 0..operations / timers::COUNT {
        let mut sleeps: Vec<_> = timers::delays()
            .map(|delay| Box::pin(sleep(delay)))
            .collect();
        let start = Instant::now();
        let arm = poll_fn(|context| {
            for sleep in &mut sleeps {
                assert!(sleep.as_mut().poll(context).is_pending());
            }
            Poll::Ready(())
        });
        // Otherwise only the first ones of a turn are armed.
        unconstrained(arm).await;
        drop(sleeps);
        taken += start.elapsed();
    }
    taken
}
