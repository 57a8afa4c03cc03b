//! Plain std on the green threads of one worker.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex, OnceLock, RwLock, mpsc};
use std::time::{Duration, Instant};

use greenwire_runtime::thread::Builder;
use support::{DEADLINE, green, on_one_worker, parked, spawn_green};

const SOON: Duration = Duration::from_millis(20);

/// All are open at a time, and each waits in the middle of each round until all others are there.
#[test]
fn a_thousand_connections_echo() {
    const CONNECTIONS: usize = 1000;
    const ROUNDS: usize = 3;
    on_one_worker();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // std's queue has room for 128.
    socket2::SockRef::from(&listener).listen(4096).unwrap();
    let addr = listener.local_addr().unwrap();
    let server = spawn_green(move || {
        for stream in listener.incoming().take(CONNECTIONS) {
            let stream = stream.unwrap();
            spawn_green(move || echo(stream));
        }
    });
    let all = Arc::new(Barrier::new(CONNECTIONS));
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|n| {
            let all = all.clone();
            spawn_green(move || {
                let mut stream = TcpStream::connect(addr).unwrap();
                for round in 0..ROUNDS {
                    all.wait();
                    let sent = (n * ROUNDS + round).to_le_bytes();
                    stream.write_all(&sent).unwrap();
                    let mut got = [0; size_of::<usize>()];
                    stream.read_exact(&mut got).unwrap();
                    assert_eq!(got, sent);
                }
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client.join());
    server.join();
    assert!(parked("recv") >= CONNECTIONS as u64);
}

fn echo(mut stream: TcpStream) {
    let mut buf = [0; 64];
    while let Ok(n @ 1..) = stream.read(&mut buf) {
        stream.write_all(&buf[..n]).unwrap();
    }
}

#[test]
fn locks_between_green_threads() {
    on_one_worker();
    let shared = Arc::new((Mutex::new(0), Condvar::new()));
    let adds = || {
        let shared = shared.clone();
        move || {
            for _ in 0..100 {
                let mut count = shared.0.lock().unwrap();
                *count += 1;
                if *count % 10 == 0 {
                    // While it holds the lock, which all others then wait for.
                    std::thread::sleep(Duration::from_micros(100));
                }
                shared.1.notify_all();
            }
        }
    };
    let green: Vec<_> = (0..10).map(|_| spawn_green(adds())).collect();
    let os: Vec<_> = (0..3).map(|_| std::thread::spawn(adds())).collect();
    let waiter = spawn_green({
        let shared = shared.clone();
        move || {
            let count = shared.0.lock().unwrap();
            *shared.1.wait_while(count, |count| *count < 1300).unwrap()
        }
    });
    green.into_iter().for_each(|thread| thread.join());
    os.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(waiter.join(), 1300);
}

#[test]
fn a_condition_with_a_timeout() {
    on_one_worker();
    green(|| {
        let (lock, condition) = (Mutex::new(()), Condvar::new());
        let begin = Instant::now();
        let (_guard, result) = condition.wait_timeout(lock.lock().unwrap(), SOON).unwrap();
        assert!(result.timed_out());
        assert!(begin.elapsed() >= SOON);
    });
}

#[test]
fn readers_a_writer_and_who_comes_first() {
    on_one_worker();
    let lock = Arc::new(RwLock::new(0));
    let once = Arc::new(OnceLock::new());
    let threads: Vec<_> = (0..20)
        .map(|n| {
            let (lock, once) = (lock.clone(), once.clone());
            spawn_green(move || {
                let first = *once.get_or_init(|| {
                    std::thread::sleep(SOON);
                    n
                });
                if n % 4 == 0 {
                    let mut guard = lock.write().unwrap();
                    std::thread::sleep(Duration::from_millis(1));
                    *guard += 1;
                } else {
                    let guard = lock.read().unwrap();
                    std::thread::sleep(Duration::from_millis(1));
                    assert!(*guard <= 5);
                }
                first
            })
        })
        .collect();
    let firsts: Vec<i32> = threads.into_iter().map(|thread| thread.join()).collect();
    assert!(firsts.iter().all(|first| *first == firsts[0]));
    assert_eq!(*lock.read().unwrap(), 5);
}

/// std knows one word for all of them, since they share an OS thread.
#[test]
fn parks_of_many() {
    const COUNT: usize = 20;
    on_one_worker();
    let told: Arc<Vec<AtomicBool>> = Arc::new((0..COUNT).map(|_| AtomicBool::new(false)).collect());
    let threads = Arc::new(Barrier::new(COUNT + 1));
    let parked: Vec<_> = (0..COUNT)
        .map(|n| {
            let (told, all) = (told.clone(), threads.clone());
            spawn_green(move || {
                all.wait();
                while !told[n].load(Ordering::Acquire) {
                    std::thread::park();
                }
                std::thread::current()
            })
        })
        .collect();
    let unparks = spawn_green(move || {
        threads.wait();
        for told in &*told {
            told.store(true, Ordering::Release);
            std::thread::current().unpark();
            std::thread::sleep(Duration::from_micros(300));
        }
        std::thread::current()
    });
    let worker = unparks.join().id();
    for thread in parked {
        assert_eq!(thread.join().id(), worker);
    }
}

#[test]
fn channels_from_os_threads() {
    on_one_worker();
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..20).map(|_| mpsc::channel()).unzip();
    let receivers: Vec<_> = receivers
        .into_iter()
        .map(|receiver| spawn_green(move || receiver.iter().sum::<usize>()))
        .collect();
    for round in 0..5 {
        std::thread::sleep(Duration::from_millis(5));
        for (n, sender) in senders.iter().enumerate() {
            sender.send(n * round).unwrap();
        }
    }
    drop(senders);
    for (n, receiver) in receivers.into_iter().enumerate() {
        assert_eq!(receiver.join(), n * 10);
    }
}

/// Nobody can tell whether anybody is left to send. So it is said who waits.
#[test]
fn a_long_wait_in_a_channel_is_logged() {
    on_one_worker();
    let mut logged = logged();
    let (sender, receiver) = mpsc::channel();
    let waits = Builder::new().name("consumer".to_owned());
    let waits = waits.spawn(move || receiver.recv().unwrap()).unwrap();
    let message = logged.find(|message| message.contains("'consumer'"));
    assert!(
        message
            .unwrap()
            .contains("has waited for a second in std::thread::park")
    );
    sender.send(1).unwrap();
    let result = waits.join_timeout(DEADLINE).expect("it ends in time");
    assert_eq!(result.unwrap(), 1);
}

/// What the library logs from now on. It ends when nothing has come for a while.
fn logged() -> impl Iterator<Item = String> {
    struct ToChannel(Mutex<mpsc::Sender<String>>);
    impl log::Log for ToChannel {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &log::Record<'_>) {
            let _ = self.0.lock().unwrap().send(record.args().to_string());
        }
        fn flush(&self) {}
    }
    let (sender, receiver) = mpsc::channel();
    log::set_logger(Box::leak(Box::new(ToChannel(Mutex::new(sender))))).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    std::iter::from_fn(move || receiver.recv_timeout(DEADLINE).ok())
}

#[test]
fn scopes_of_os_threads() {
    on_one_worker();
    let scopes: Vec<_> = (0..10)
        .map(|n| {
            spawn_green(move || {
                let (mut a, mut b) = (0, 0);
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        std::thread::sleep(SOON);
                        a = n;
                    });
                    scope.spawn(|| b = n);
                });
                a + b
            })
        })
        .collect();
    for (n, scope) in scopes.into_iter().enumerate() {
        assert_eq!(scope.join(), 2 * n);
    }
}

/// std's hook reads many files for a backtrace. In a process of its own, for that.
#[test]
fn panics_with_backtraces_side_by_side() {
    const CHILD: &str = "GREENWIRE_TEST_PANICS";
    if std::env::var_os(CHILD).is_none() {
        let mut again = Command::new(std::env::current_exe().unwrap());
        let again = again.args(["--exact", "panics_with_backtraces_side_by_side"]);
        let output = again.env(CHILD, "").env("RUST_BACKTRACE", "1").output();
        return assert!(output.unwrap().status.success());
    }
    on_one_worker();
    let panics: Vec<_> = (0..20)
        .map(|n| greenwire_runtime::thread::spawn(move || panic!("number {n}")))
        .collect();
    for panics in panics {
        assert!(
            panics
                .join_timeout(DEADLINE)
                .expect("it ends in time")
                .is_err()
        );
    }
}

/// One green thread would keep the worker from all others, if a sleep blocked it.
#[test]
fn sleeps_run_side_by_side() {
    const SLEEPERS: usize = 500;
    on_one_worker();
    let awake = Arc::new(Mutex::new(0));
    let sleepers: Vec<_> = (0..SLEEPERS)
        .map(|_| {
            let awake = awake.clone();
            spawn_green(move || {
                std::thread::sleep(Duration::from_millis(200));
                *awake.lock().unwrap() += 1;
            })
        })
        .collect();
    let begin = Instant::now();
    sleepers.into_iter().for_each(|sleeper| sleeper.join());
    assert_eq!(*awake.lock().unwrap(), SLEEPERS);
    // One after the other they would take 100 s.
    assert!(begin.elapsed() < DEADLINE);
}

#[test]
fn what_the_user_asked_of_a_socket_holds() {
    on_one_worker();
    green(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let kind = |result: std::io::Result<usize>| result.unwrap_err().kind();
        client.set_nonblocking(true).unwrap();
        assert_eq!(kind(client.read(&mut [0])), ErrorKind::WouldBlock);
        client.set_nonblocking(false).unwrap();
        client.set_read_timeout(Some(SOON)).unwrap();
        let begin = Instant::now();
        assert_eq!(kind(client.read(&mut [0])), ErrorKind::WouldBlock);
        assert!(begin.elapsed() >= SOON);
        client.set_read_timeout(None).unwrap();
        server.write_all(b"x").unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 1);
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn much_is_sent_in_one_call() {
    const LEN: usize = 8 << 20;
    on_one_worker();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let reader = spawn_green(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        all.len()
    });
    let wrote = green(move || {
        TcpStream::connect(addr)
            .unwrap()
            .write(&vec![1; LEN])
            .unwrap()
    });
    assert_eq!((wrote, reader.join()), (LEN, LEN));
}
