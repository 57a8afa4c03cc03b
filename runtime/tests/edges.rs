//! Rare orders of events on a single worker, each of which once went wrong.

use greenwire_runtime::io::Source;
use greenwire_runtime::sync::{Mutex, mpsc};
use greenwire_runtime::{BeforePark, Builder, before_park, thread, time, unblock};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Runs `f` on a thread of its own, and fails if it hangs.
fn in_time<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    // Another test of this file may have been first.
    let _ = Builder::new().workers(1).start();
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(f()));
    receiver
        .recv_timeout(Duration::from_secs(30))
        .expect("it ends in time")
}

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Panics when it is dropped, as a panic's payload, too.
struct Spiteful;

impl Drop for Spiteful {
    fn drop(&mut self) {
        panic!("spite");
    }
}

/// Waits when it is dropped.
struct Slow(Duration);

impl Drop for Slow {
    fn drop(&mut self) {
        thread::sleep(self.0);
    }
}

#[test]
fn no_payload_reaches_the_worker() {
    struct PanicsWithSpite;
    impl Drop for PanicsWithSpite {
        fn drop(&mut self) {
            std::panic::panic_any(Spiteful);
        }
    }
    in_time(|| {
        drop(thread::spawn(|| {
            thread::yield_now();
            PanicsWithSpite
        }));
        thread::sleep(millis(20));
        assert_eq!(thread::spawn(|| 1).join().unwrap(), 1);
    });
}

#[test]
fn dropping_a_handle_swallows_no_cancellation() {
    in_time(|| {
        let thread = thread::spawn(|| {
            let child = thread::spawn(|| Slow(millis(20)));
            while !child.is_finished() {
                thread::yield_now();
            }
            thread::current().cancel().unwrap();
            drop(child);
            thread::park();
        });
        let payload = thread.join().unwrap_err();
        assert!(payload.is::<thread::Cancelled>());
    });
}

#[test]
fn results_that_nobody_wants_cost_no_pool_thread() {
    in_time(|| {
        for _ in 0..70 {
            let caller = thread::spawn(|| {
                unblock(|| {
                    std::thread::sleep(millis(5));
                    Spiteful
                });
            });
            thread::sleep(millis(1));
            caller.cancel().unwrap();
            let _ = caller.join();
        }
        thread::sleep(millis(50));
        assert_eq!(thread::spawn(|| unblock(|| 3)).join().unwrap(), 3);
    });
}

/// Uses up its budget of calls that do not wait, so that it yields.
struct Busy(Mutex<u32>);

impl BeforePark for Busy {
    fn before_park(&self) {
        for _ in 0..200 {
            *self.0.lock().unwrap() += 1;
        }
    }
}

fn put_off_busy_work() {
    before_park(Arc::new(Busy(Mutex::new(0))));
}

#[test]
fn a_wake_during_work_put_off_is_not_lost() {
    in_time(|| {
        let (sender, receiver) = mpsc::channel();
        let receiver = thread::spawn(move || {
            put_off_busy_work();
            receiver.recv().unwrap()
        });
        let sender = thread::spawn(move || {
            sender.send(7).unwrap();
            sender
        });
        let _open = sender.join().unwrap();
        assert_eq!(receiver.join().unwrap(), 7);
    });
}

#[test]
fn work_put_off_swallows_no_cancellation() {
    in_time(|| {
        let thread = thread::spawn(|| {
            thread::current().cancel().unwrap();
            put_off_busy_work();
            thread::park();
        });
        let payload = thread.join().unwrap_err();
        assert!(payload.is::<thread::Cancelled>());
    });
}

#[test]
fn work_put_off_may_panic_with_anything() {
    struct Panics;
    impl BeforePark for Panics {
        fn before_park(&self) {
            std::panic::panic_any(Spiteful);
        }
    }
    struct Counts(AtomicUsize);
    impl BeforePark for Counts {
        fn before_park(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    in_time(|| {
        thread::spawn(|| before_park(Arc::new(Panics)))
            .join()
            .unwrap();
        let count = Arc::new(Counts(AtomicUsize::new(0)));
        let counts = count.clone();
        thread::spawn(|| before_park(counts)).join().unwrap();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
    });
}

/// A source from which a green thread has read all, one byte of eight, before it goes on.
fn read_to_the_end(
    then: impl FnOnce(&Source<UnixStream>) + Send + 'static,
) -> (UnixStream, Arc<Source<UnixStream>>, thread::JoinHandle<()>) {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let source = Arc::new(Source::new(theirs));
    let (sender, receiver) = channel();
    let reader = {
        let source = source.clone();
        thread::spawn(move || {
            assert_eq!(read(&source, None).unwrap(), 1);
            sender.send(()).unwrap();
            then(&source);
        })
    };
    std::thread::sleep(millis(10));
    ours.write_all(&[1]).unwrap();
    receiver.recv().unwrap();
    (ours, source, reader)
}

fn read(source: &Source<UnixStream>, timeout: Option<Duration>) -> io::Result<usize> {
    source.read(8, timeout, |mut stream| stream.read(&mut [0; 8]))
}

#[test]
fn an_os_thread_reads_while_the_worker_is_busy() {
    in_time(|| {
        let (stop, stopped) = channel();
        let (mut ours, source, reader) = read_to_the_end(move |_| stopped.recv().unwrap());
        ours.write_all(&[2]).unwrap();
        let count = time::timeout(millis(10_000), || read(&source, None).unwrap());
        assert_eq!(count, Ok(1));
        stop.send(()).unwrap();
        reader.join().unwrap();
    });
}

#[test]
fn asking_again_and_again_finds_what_has_come() {
    in_time(|| {
        let (mut ours, _, reader) = read_to_the_end(|source| {
            let begin = Instant::now();
            while read(source, Some(Duration::ZERO)).is_err() {
                assert!(begin.elapsed() < millis(10_000), "it does not find it");
            }
        });
        ours.write_all(&[2]).unwrap();
        reader.join().unwrap();
    });
}

#[test]
fn a_lock_can_be_taken_in_the_destructors_of_a_thread() {
    struct Late(Arc<Mutex<u32>>);
    impl Drop for Late {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    thread_local! {
        static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) };
    }
    let count = Arc::new(Mutex::new(0));
    let counted = count.clone();
    let thread = std::thread::spawn(move || {
        LATE.set(Some(Late(counted.clone())));
        *counted.lock().unwrap() += 1;
    });
    thread.join().unwrap();
    assert_eq!(*count.lock().unwrap(), 2);
}

#[test]
fn everything_works_in_the_destructors_of_an_os_thread() {
    struct Late(Option<thread::JoinHandle<&'static str>>);
    impl Drop for Late {
        fn drop(&mut self) {
            let limited = time::timeout(millis(1), || thread::no_cancel(|| 1));
            assert_eq!(limited, Ok(1));
            let (sender, receiver) = mpsc::channel();
            thread::scope(|s| {
                s.spawn(|| sender.send(2).unwrap());
                assert_eq!(receiver.recv(), Ok(2));
            });
            // Nobody wants its result.
            drop(self.0.take());
        }
    }
    thread_local! {
        static LATE: std::cell::RefCell<Late> = const { std::cell::RefCell::new(Late(None)) };
    }
    let thread = std::thread::spawn(|| {
        LATE.with_borrow_mut(|late| late.0 = Some(thread::spawn(|| "unread")));
        // What the runtime keeps for this thread is made after that, and so destroyed before.
        let limited = time::timeout(millis(1), thread::park);
        assert_eq!(limited, Err(time::Elapsed));
    });
    thread.join().unwrap();
}

/// A short read says that nothing is left, but for one that ends where urgent data was.
#[cfg(target_os = "linux")]
#[test]
fn a_read_that_ends_at_urgent_data_is_not_the_last() {
    use rustix::net::{SendFlags, send};
    in_time(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let theirs = listener.accept().unwrap().0;
        theirs.set_nonblocking(true).unwrap();
        let source = Source::new(theirs);
        let reader = thread::spawn(move || {
            let (mut all, mut buf) = (Vec::new(), [0; 64]);
            while all.len() < 9 {
                let read = source.read(buf.len(), None, |mut stream| stream.read(&mut buf));
                all.extend_from_slice(&buf[..read.unwrap()]);
                // All the rest has come when it reads again.
                std::thread::sleep(millis(50));
            }
            all
        });
        std::thread::sleep(millis(10));
        ours.write_all(b"abc").unwrap();
        std::thread::sleep(millis(20));
        ours.write_all(b"def").unwrap();
        send(&ours, b"!", SendFlags::OOB).unwrap();
        ours.write_all(b"ghi").unwrap();
        assert_eq!(reader.join().unwrap(), b"abcdefghi");
    });
}
