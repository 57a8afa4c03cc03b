//! What is soaked: rounds of a few milliseconds, each of which leaves nothing behind and checks its result.

use crate::random::Random;
use greenwire::net::{TcpListener, TcpStream};
use greenwire::sync::{
    Barrier, Condvar, Event, Mutex, RwLock, Semaphore, mpmc, mpsc, oneshot, select,
};
use greenwire::thread::{self, Group, Pool};
use greenwire::time::{self, Elapsed};
use greenwire::unblock;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Something to be done again and again.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) round: fn(&mut Random),
}

pub(crate) const WORKLOADS: [Workload; 10] = [
    workload("spawn and join", spawns),
    workload("cancel", cancels),
    workload("nested limits", limits),
    workload("steal", steals),
    workload("channels", channels),
    workload("select", selects),
    workload("locks", locks),
    workload("groups and pools", groups),
    workload("unblock", unblocks),
    workload("sockets", sockets),
];

/// More than any wait here takes, unless a wake is lost.
const LONG: Duration = Duration::from_secs(3600);

const fn workload(name: &'static str, round: fn(&mut Random)) -> Workload {
    Workload { name, round }
}

/// Children that are started in every way there is.
fn spawns(random: &mut Random) {
    let count = random.below(60);
    let delay = random.micros(500);
    let start = |n: u64| match n % 3 {
        0 => thread::spawn(move || n),
        1 => thread::Builder::new()
            .spawn_after(delay, move || n)
            .unwrap(),
        _ => thread::spawn(move || {
            thread::yield_now();
            thread::spawn_local(move || n).join().unwrap()
        }),
    };
    let children: Vec<_> = (0..count).map(start).collect();
    let sum: u64 = children
        .into_iter()
        .map(|child| child.join().unwrap())
        .sum();
    assert_eq!(sum, (0..count).sum::<u64>());
}

/// Threads that are cancelled, twice, before they start, while they wait, and while they are ready. Their
/// destructors wait, too.
fn cancels(random: &mut Random) {
    struct Counted(Arc<AtomicU64>);
    impl Drop for Counted {
        fn drop(&mut self) {
            thread::yield_now();
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let (count, dropped) = (random.below(20), Arc::new(AtomicU64::new(0)));
    let victims: Vec<_> = (0..count)
        .map(|n| {
            let counted = Counted(dropped.clone());
            thread::spawn(move || {
                let _counted = counted;
                loop {
                    match n % 3 {
                        0 => thread::park(),
                        1 => thread::sleep(LONG),
                        _ => thread::yield_now(),
                    }
                }
            })
        })
        .collect();
    thread::sleep(random.micros(300));
    for victim in victims.iter().chain(&victims) {
        victim.cancel().unwrap();
    }
    for victim in victims {
        let payload = victim.join().map(|()| "it ends").unwrap_err();
        assert!(thread::is_cancellation(&*payload));
    }
    assert_eq!(dropped.load(Ordering::Relaxed), count);
}

/// Each limit ends its own block.
fn limits(random: &mut Random) {
    let short = random.micros(2_000);
    let (_sender, receiver) = mpsc::channel::<()>();
    let outer = time::timeout(short, || time::timeout(LONG, || receiver.recv()));
    assert_eq!(outer, Err(Elapsed));
    let inner = time::timeout(LONG, || time::timeout(short, || thread::sleep(LONG)));
    assert_eq!(inner, Ok(Err(Elapsed)));
    let in_time = time::timeout(LONG, || thread::spawn(thread::yield_now).join().is_ok());
    assert_eq!(in_time, Ok(true));
}

/// A worker that computes, while others start what it has spawned.
fn steals(random: &mut Random) {
    let (count, ran) = (random.below(100), AtomicU64::new(0));
    let until = random.micros(300);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..count {
                scope.spawn(|| ran.fetch_add(1, Ordering::Relaxed));
            }
            let begin = Instant::now();
            while begin.elapsed() < until {
                std::hint::spin_loop();
            }
        });
    });
    assert_eq!(ran.into_inner(), count);
}

/// What is sent is received, once, although a receiver is cancelled and a sender runs out of time.
fn channels(random: &mut Random) {
    const EACH: u64 = 50;
    let (sender, receiver) = mpmc::sync_channel(random.below(4) as usize);
    let sent = AtomicU64::new(0);
    let received = AtomicU64::new(0);
    let limit = random.micros(1_000);
    let consume = |receiver: mpmc::Receiver<u64>| {
        for value in receiver {
            received.fetch_add(value, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        let consumers = [(); 3].map(|()| scope.spawn(|| consume(receiver.clone())));
        for _ in 0..2 {
            let sender = sender.clone();
            scope.spawn(|| {
                let sender = sender;
                for value in 1..=EACH {
                    sender.send(value).unwrap();
                    sent.fetch_add(value, Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            let sender = sender;
            for value in 1..=EACH {
                if sender.send_timeout(value, limit).is_ok() {
                    sent.fetch_add(value, Ordering::Relaxed);
                }
            }
        });
        consumers[0].cancel().unwrap();
    });
    assert_eq!(received.into_inner(), sent.into_inner());
}

/// Whichever comes first, nothing is lost.
fn selects(random: &mut Random) {
    const EACH: u64 = 20;
    let [(one, ones), (two, twos)] = [(); 2].map(|()| mpsc::channel());
    let end = Event::new();
    let pause = random.micros(50);
    thread::scope(|scope| {
        let senders = [&one, &two].map(|sender| {
            scope.spawn(move || {
                for n in 1..=EACH {
                    sender.send(n).unwrap();
                    thread::sleep(pause);
                }
            })
        });
        scope.spawn(|| {
            senders
                .into_iter()
                .for_each(|sender| sender.join().unwrap());
            end.set();
        });
        let mut sum = 0;
        while sum < EACH * (EACH + 1) {
            select! {
                recv(ones) -> n => sum += n.unwrap(),
                recv(twos) -> n => sum += n.unwrap(),
            }
        }
        select! {
            wait(end) => (),
        }
    });
}

/// Locks exclude, semaphores limit, and barriers have one leader.
fn locks(random: &mut Random) {
    const ROUNDS: usize = 10;
    let threads = 1 + random.below(8) as usize;
    let count = Mutex::new(0);
    let changed = Condvar::new();
    let twins = RwLock::new((0, 0));
    let (permits, inside) = (Semaphore::new(2), AtomicU64::new(0));
    let (barrier, leaders) = (Barrier::new(threads), AtomicU64::new(0));
    let work = || {
        for _ in 0..ROUNDS {
            *count.lock().unwrap() += 1;
            changed.notify_all();
            let mut both = twins.write().unwrap();
            both.0 += 1;
            thread::yield_now();
            both.1 += 1;
            drop(both);
            let both = twins.read().unwrap();
            assert_eq!(both.0, both.1);
            drop(both);
            let _permit = permits.acquire();
            assert!(inside.fetch_add(1, Ordering::SeqCst) < 2);
            thread::yield_now();
            inside.fetch_sub(1, Ordering::SeqCst);
        }
        if barrier.wait().is_leader() {
            leaders.fetch_add(1, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        (0..threads).for_each(|_| drop(scope.spawn(work)));
        let all = changed.wait_while(count.lock().unwrap(), |n| *n < threads * ROUNDS);
        assert_eq!(*all.unwrap(), threads * ROUNDS);
    });
    assert_eq!(leaders.into_inner(), 1);
}

/// A pool limits how many run; a group ends them all.
fn groups(random: &mut Random) {
    let (size, items) = (1 + random.below(4), random.below(50));
    let pool = Pool::new(size as usize);
    let (running, most) = (Arc::new(AtomicU64::new(0)), size);
    let doubled = pool.imap_unordered(0..items, move |n| {
        assert!(running.fetch_add(1, Ordering::SeqCst) < most);
        thread::yield_now();
        running.fetch_sub(1, Ordering::SeqCst);
        2 * n
    });
    assert_eq!(doubled.sum::<u64>(), (0..items).sum::<u64>() * 2);
    let group = Group::new();
    (0..items).for_each(|_| drop(group.spawn(thread::park)));
    group.cancel_and_join().unwrap();
    assert!(group.is_empty());
}

/// Blocking work, also for one who does not wait for its end.
fn unblocks(random: &mut Random) {
    let n = random.below(1_000);
    assert_eq!(unblock(move || n + 1), n + 1);
    let (short, longer) = (random.micros(500), random.micros(2_000));
    let (sender, receiver) = oneshot::channel();
    // Whether the caller gave up or not, the work is done.
    let _ = time::timeout(short, || {
        unblock(move || {
            std::thread::sleep(longer);
            sender.send(()).is_ok()
        })
    });
    receiver.recv().unwrap();
}

/// An echo over TCP, and readers that give up, are cancelled, and meet the end.
fn sockets(random: &mut Random) {
    // Many addresses, lest the ports of closed connections run out.
    let [.., a, b, c] = (random.below(u64::from(u32::MAX)) as u32).to_be_bytes();
    let listener = TcpListener::bind((Ipv4Addr::new(127, a, b, c.max(1) & 0x7f | 1), 0)).unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    let limit = random.micros(500);
    let data = random.bytes(200_000);
    thread::scope(|scope| {
        scope.spawn(|| echo(server));
        let half = client.try_clone().unwrap();
        scope.spawn(|| {
            let mut half = half;
            half.write_all(&data).unwrap();
        });
        let mut back = vec![0; data.len()];
        client.read_exact(&mut back).unwrap();
        assert!(back == data, "the echo is what was sent");
        let half = client.try_clone().unwrap();
        let victim = scope.spawn(|| {
            let mut half = half;
            half.read(&mut [0])
        });
        victim.cancel().unwrap();
        assert!(victim.join().is_err());
        client.set_read_timeout(Some(limit)).unwrap();
        assert_eq!(silence(&client), ErrorKind::WouldBlock);
        client.shutdown(Shutdown::Write).unwrap();
        client.set_read_timeout(None).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    });
}

/// How a read ends that nobody answers, but for a process that was stopped meanwhile, which ends an OS
/// thread's.
fn silence(mut client: &TcpStream) -> ErrorKind {
    loop {
        match client.read(&mut [0]).unwrap_err().kind() {
            ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn echo(mut stream: TcpStream) {
    let mut buf = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut buf) {
        stream.write_all(&buf[..n]).unwrap();
    }
}
