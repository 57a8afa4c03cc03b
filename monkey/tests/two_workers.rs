//! Plain std on the green threads of two workers, which share what they use.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use greenwire_runtime::insight::State;
use greenwire_runtime::thread::Builder;
use support::{DEADLINE, on_workers};

/// A green thread of a certain worker, with the name of the test.
fn on_worker<T: Send + 'static>(
    worker: usize,
    f: impl FnOnce() -> T + Send + 'static,
) -> std::sync::mpsc::Receiver<T> {
    on_workers(2);
    let (sender, ended) = std::sync::mpsc::channel();
    let run = move || drop(sender.send(f()));
    let builder = Builder::new().worker(worker).name(test_name());
    builder.spawn(run).unwrap();
    ended
}

/// The test harness names its OS threads so.
fn test_name() -> String {
    let name = std::thread::current().name().map(str::to_owned);
    name.expect("a test")
}

/// Waits until so many green threads of this test are parked.
fn until_parked(count: usize) {
    let (begin, name) = (Instant::now(), test_name());
    let parked = || {
        let dump = greenwire_runtime::dump();
        let own = dump.threads().filter(|thread| thread.name() == Some(&name));
        own.filter(|thread| matches!(thread.state(), State::Parked { .. }))
            .count()
    };
    while parked() < count {
        assert!(begin.elapsed() < DEADLINE, "they do not wait");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn join<T>(ended: std::sync::mpsc::Receiver<T>) -> T {
    ended.recv_timeout(DEADLINE).expect("it ends in time")
}

/// By clones, which have numbers of their own.
#[test]
fn a_listener_of_both() {
    const CLIENTS: usize = 400;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let served = Arc::new(AtomicUsize::new(0));
    let servers: Vec<_> = (0..8)
        .map(|n| {
            let (listener, served) = (listener.try_clone().unwrap(), served.clone());
            on_worker(n % 2, move || {
                while served.fetch_add(1, Ordering::SeqCst) < CLIENTS {
                    let (mut stream, _) = listener.accept().unwrap();
                    stream.write_all(b"hello").unwrap();
                }
            })
        })
        .collect();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|n| {
            on_worker(n % 2, move || {
                let mut text = String::new();
                TcpStream::connect(addr)
                    .unwrap()
                    .read_to_string(&mut text)
                    .unwrap();
                text
            })
        })
        .collect();
    assert!(clients.into_iter().all(|client| join(client) == "hello"));
    servers.into_iter().for_each(join);
}

#[test]
fn a_lock_of_both_and_of_os_threads() {
    const ROUNDS: usize = 300;
    let shared = Arc::new((Mutex::new(0), Condvar::new()));
    let adds = |shared: &Arc<(Mutex<usize>, Condvar)>| {
        let shared = shared.clone();
        move || {
            for _ in 0..ROUNDS {
                *shared.0.lock().unwrap() += 1;
                shared.1.notify_one();
            }
        }
    };
    let takes = |shared: &Arc<(Mutex<usize>, Condvar)>| {
        let shared = shared.clone();
        move || {
            for _ in 0..ROUNDS {
                let count = shared.0.lock().unwrap();
                *shared.1.wait_while(count, |count| *count == 0).unwrap() -= 1;
            }
        }
    };
    let green: Vec<_> = (0..20)
        .flat_map(|n| {
            [
                on_worker(n % 2, adds(&shared)),
                on_worker((n / 2) % 2, takes(&shared)),
            ]
        })
        .collect();
    let os: Vec<_> = (0..2)
        .flat_map(|_| {
            [
                std::thread::spawn(adds(&shared)),
                std::thread::spawn(takes(&shared)),
            ]
        })
        .collect();
    green.into_iter().for_each(join);
    os.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*shared.0.lock().unwrap(), 0);
}

/// One reads and one writes, on different workers, for a long time.
#[test]
fn both_directions_of_a_stream() {
    const LEN: usize = 4 << 20;
    let (ours, theirs) = UnixStream::pair().unwrap();
    let sum = |mut stream: UnixStream| {
        move || {
            let mut all = vec![0; LEN];
            stream.read_exact(&mut all).unwrap();
            all.iter().map(|byte| u64::from(*byte)).sum::<u64>()
        }
    };
    let fill = |mut stream: UnixStream| move || stream.write_all(&vec![3; LEN]).unwrap();
    let readers = [
        on_worker(0, sum(ours.try_clone().unwrap())),
        on_worker(1, sum(theirs.try_clone().unwrap())),
    ];
    let writers = [on_worker(1, fill(ours)), on_worker(0, fill(theirs))];
    writers.into_iter().for_each(join);
    assert!(
        readers
            .into_iter()
            .all(|reader| join(reader) == 3 * LEN as u64)
    );
}

#[test]
fn closing_wakes_both() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let fd = ours.as_raw_fd();
    let ours = Arc::new(std::mem::ManuallyDrop::new(ours));
    let readers = [0, 1].map(|worker| {
        let ours = ours.clone();
        on_worker(worker, move || {
            (&**ours).read(&mut [0]).unwrap_err().raw_os_error()
        })
    });
    until_parked(2);
    // SAFETY: nobody else closes it, and it is used no more but to see that it is closed.
    assert_eq!(unsafe { libc::close(fd) }, 0);
    assert!(
        readers
            .into_iter()
            .all(|reader| join(reader) == Some(libc::EBADF))
    );
}
