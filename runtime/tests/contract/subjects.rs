//! Everything that waits, each with what ends its wait.

use greenwire_runtime::io::{Direction, Source};
use greenwire_runtime::sync::{
    Barrier, Condvar, Event, LazyLock, Mutex, Once, OnceLock, RwLock, Semaphore, mpmc, mpsc,
    oneshot, select,
};
use greenwire_runtime::thread::{self, Group, JoinHandle, Pool, Thread};
use greenwire_runtime::unblock;
use std::cell::Cell;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Waits until [`Wake`] is called: once for each that waits.
pub(crate) type Wait = Arc<dyn Fn() + Send + Sync>;
pub(crate) type Wake = Box<dyn Fn() + Send + Sync>;

/// Makes a new pair.
pub(crate) type New = fn() -> (Wait, Wake);

/// Those of which several threads can wait for the same.
pub(crate) const SHARED: [(&str, New); 20] = [
    ("Mutex::lock", mutex),
    ("RwLock::read", || rw_lock(|lock| drop(lock.read()))),
    ("RwLock::write", || rw_lock(|lock| drop(lock.write()))),
    ("Condvar::wait", condvar),
    ("Barrier::wait", barrier),
    ("Once::call_once", || once(|once| once.call_once(|| {}))),
    ("Once::wait", || once(Once::wait)),
    ("OnceLock::get_or_init", || {
        once_lock(|lock| ignore(lock.get_or_init(|| ())))
    }),
    ("OnceLock::wait", || once_lock(|lock| ignore(lock.wait()))),
    ("Semaphore::acquire", semaphore),
    ("Event::wait", event),
    ("mpmc::Receiver::recv", || {
        receive(|receiver| receiver.recv().unwrap())
    }),
    ("Sender::send, bound 1", || send(1)),
    ("Sender::send, bound 0", || send(0)),
    ("select!, recv and wait", || {
        receive(|receiver| {
            let never = Event::new();
            select! {
                wait(never) => unreachable!("nobody sets it"),
                recv(receiver) -> value => value.unwrap(),
            }
        })
    }),
    ("Group::join", group),
    ("Pool::spawn", pool),
    ("Pool::map", || {
        on_a_pool(|pool, work| ignore(pool.map([()], work)))
    }),
    ("Imap::next", || {
        on_a_pool(|pool, work| ignore(pool.imap([()], work).next()))
    }),
    ("ImapUnordered::next", || {
        on_a_pool(|pool, work| ignore(pool.imap_unordered([()], work).next()))
    }),
];

/// Those that only one thread can wait for at a time.
pub(crate) const SINGLE: [(&str, New); 11] = [
    ("oneshot::Receiver::recv", one_value),
    ("mpsc::Receiver::recv", mpsc_receiver),
    ("LazyLock::force", lazy_lock),
    ("thread::park", park),
    ("JoinHandle::join", || join(|handle| handle.join().unwrap())),
    ("JoinHandle::join_timeout", || {
        join(|handle| handle.join_timeout(HOUR).expect("an hour").unwrap())
    }),
    ("join_all", || {
        join(|handle| ignore(thread::join_all([handle])))
    }),
    ("select!, join", || {
        join(|mut handle| {
            select! {
                join(handle) -> result => result.unwrap(),
            }
        })
    }),
    ("scope", scope),
    ("unblock", blocking_work),
    ("Source::perform", readable),
];

const HOUR: Duration = Duration::from_secs(3600);

fn ignore<T>(_: T) {}

/// Keeps something busy on a green thread until the wake that is returned is called.
fn busy(f: impl FnOnce(&dyn Fn()) + Send + 'static) -> Wake {
    let (started, begun) = oneshot::channel();
    let done = Arc::new(Event::new());
    let end = done.clone();
    thread::spawn(move || {
        let started = Cell::new(Some(started));
        f(&|| {
            started.take().map(|started| started.send(()));
            end.wait();
        });
    });
    begun.recv().unwrap();
    Box::new(move || done.set())
}

fn mutex() -> (Wait, Wake) {
    let mutex = Arc::new(Mutex::new(()));
    let held = mutex.clone();
    let wake = busy(move |hold| {
        let _guard = held.lock();
        hold();
    });
    (Arc::new(move || drop(mutex.lock().unwrap())), wake)
}

fn rw_lock(take: fn(&RwLock<()>)) -> (Wait, Wake) {
    let lock = Arc::new(RwLock::new(()));
    let held = lock.clone();
    let wake = busy(move |hold| {
        let _guard = held.write();
        hold();
    });
    (Arc::new(move || take(&lock)), wake)
}

fn condvar() -> (Wait, Wake) {
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let notified = pair.clone();
    let wait = move || {
        let count = pair.0.lock().unwrap();
        *pair.1.wait_while(count, |count| *count == 0).unwrap() -= 1;
    };
    let wake = move || {
        *notified.0.lock().unwrap() += 1;
        notified.1.notify_one();
    };
    (Arc::new(wait), Box::new(wake))
}

fn barrier() -> (Wait, Wake) {
    let barrier = Arc::new(Barrier::new(2));
    let other = barrier.clone();
    let wake = move || ignore(other.wait());
    (Arc::new(move || ignore(barrier.wait())), Box::new(wake))
}

fn once(wait: fn(&Once)) -> (Wait, Wake) {
    let once = Arc::new(Once::new());
    let running = once.clone();
    let wake = busy(move |work| running.call_once(work));
    (Arc::new(move || wait(&once)), wake)
}

fn once_lock(wait: fn(&OnceLock<()>)) -> (Wait, Wake) {
    let lock = Arc::new(OnceLock::new());
    let running = lock.clone();
    let wake = busy(move |work| *running.get_or_init(work));
    (Arc::new(move || wait(&lock)), wake)
}

fn lazy_lock() -> (Wait, Wake) {
    static RELEASE: Mutex<Vec<oneshot::Receiver<()>>> = Mutex::new(Vec::new());
    fn work() {
        let receiver = RELEASE.lock().unwrap().pop();
        ignore(receiver.expect("it is there").recv());
    }
    let (sender, receiver) = oneshot::channel();
    RELEASE.lock().unwrap().push(receiver);
    let lock = Arc::new(LazyLock::new(work as fn()));
    let running = lock.clone();
    thread::spawn(move || ignore(LazyLock::force(&running)));
    while !RELEASE.lock().unwrap().is_empty() {
        thread::yield_now();
    }
    let sender = Mutex::new(Some(sender));
    let wake = move || {
        let sender = sender.lock().unwrap().take();
        ignore(sender.map(|sender| sender.send(())));
    };
    (
        Arc::new(move || ignore(LazyLock::force(&lock))),
        Box::new(wake),
    )
}

fn semaphore() -> (Wait, Wake) {
    let semaphore = Arc::new(Semaphore::new(0));
    let other = semaphore.clone();
    let wait = move || semaphore.acquire().forget();
    (Arc::new(wait), Box::new(move || other.add_permits(1)))
}

fn event() -> (Wait, Wake) {
    let event = Arc::new(Event::new());
    let other = event.clone();
    (
        Arc::new(move || event.wait()),
        Box::new(move || other.set()),
    )
}

fn receive(take: fn(&mpmc::Receiver<()>)) -> (Wait, Wake) {
    let (sender, receiver) = mpmc::channel();
    let wait = move || take(&receiver);
    (Arc::new(wait), Box::new(move || sender.send(()).unwrap()))
}

fn send(bound: usize) -> (Wait, Wake) {
    let (sender, receiver) = mpmc::sync_channel(bound);
    (0..bound).for_each(|_| sender.send(()).unwrap());
    let open = receiver.clone();
    let wait = move || {
        sender.send(()).unwrap();
        let _ = &open; // as long as somebody waits
    };
    (Arc::new(wait), Box::new(move || receiver.recv().unwrap()))
}

fn group() -> (Wait, Wake) {
    let group = Group::new();
    let end = Arc::new(Event::new());
    let ends = end.clone();
    group.spawn(move || ends.wait());
    (Arc::new(move || group.join()), Box::new(move || end.set()))
}

fn pool() -> (Wait, Wake) {
    let pool = Pool::new(1);
    let end = Arc::new(Event::new());
    let ends = end.clone();
    pool.spawn(move || ends.wait());
    (
        Arc::new(move || drop(pool.spawn(|| ()))),
        Box::new(move || end.set()),
    )
}

fn on_a_pool(wait: fn(Pool, Box<dyn Fn(()) + Send + Sync>)) -> (Wait, Wake) {
    let end = Arc::new(Event::new());
    let ends = end.clone();
    let wait = move || {
        let end = ends.clone();
        wait(Pool::new(1), Box::new(move |()| end.wait()));
    };
    (Arc::new(wait), Box::new(move || end.set()))
}

/// Only the first one receives; who comes later finds that there is nothing more to wait for.
fn one_value() -> (Wait, Wake) {
    let (sender, receiver) = oneshot::channel();
    let (sender, receiver) = (Mutex::new(Some(sender)), Mutex::new(Some(receiver)));
    let wait = move || {
        let receiver = receiver.lock().unwrap().take();
        ignore(receiver.map(|receiver| receiver.recv().unwrap()));
    };
    let wake = move || {
        let sender = sender.lock().unwrap().take();
        ignore(sender.map(|sender| sender.send(())));
    };
    (Arc::new(wait), Box::new(wake))
}

fn mpsc_receiver() -> (Wait, Wake) {
    let (sender, receiver) = mpsc::channel();
    let receiver = Mutex::new(receiver);
    let wait = move || receiver.lock().unwrap().recv().unwrap();
    (Arc::new(wait), Box::new(move || sender.send(()).unwrap()))
}

fn park() -> (Wait, Wake) {
    let parked = Arc::new((Mutex::new(None::<Thread>), AtomicBool::new(false)));
    let other = parked.clone();
    let wait = move || {
        *parked.0.lock().unwrap() = Some(thread::current());
        while !parked.1.swap(false, Ordering::SeqCst) {
            thread::park();
        }
    };
    let wake = move || {
        other.1.store(true, Ordering::SeqCst);
        if let Some(thread) = &*other.0.lock().unwrap() {
            thread.unpark();
        }
    };
    (Arc::new(wait), Box::new(wake))
}

/// Only the first one joins.
fn join(wait: fn(JoinHandle<()>)) -> (Wait, Wake) {
    let end = Arc::new(Event::new());
    let ends = end.clone();
    let handle = Mutex::new(Some(thread::spawn(move || ends.wait())));
    let wait = move || {
        let handle = handle.lock().unwrap().take();
        ignore(handle.map(wait));
    };
    (Arc::new(wait), Box::new(move || end.set()))
}

fn scope() -> (Wait, Wake) {
    let end = Arc::new(Event::new());
    let ends = end.clone();
    let wait = move || thread::scope(|scope| ignore(scope.spawn(|| ends.wait())));
    (Arc::new(wait), Box::new(move || end.set()))
}

/// What the pool's thread waits for is set at the latest when nobody could set it any more.
fn blocking_work() -> (Wait, Wake) {
    type Flag = (std::sync::Mutex<bool>, std::sync::Condvar);
    struct Sets(Arc<Flag>);
    impl Sets {
        fn set(&self) {
            *self.0.0.lock().unwrap() = true;
            self.0.1.notify_all();
        }
    }
    impl Drop for Sets {
        fn drop(&mut self) {
            self.set();
        }
    }
    let flag = Arc::new(Flag::default());
    let sets = Sets(flag.clone());
    let wait = move || {
        let flag = flag.clone();
        unblock(move || ignore(flag.1.wait_while(flag.0.lock().unwrap(), |set| !*set)));
    };
    (Arc::new(wait), Box::new(move || sets.set()))
}

fn readable() -> (Wait, Wake) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let theirs = Source::new(theirs);
    let wait = move || {
        let read = |mut theirs: &UnixStream| theirs.read(&mut [0]);
        assert_eq!(theirs.perform(Direction::Read, None, read).unwrap(), 1);
    };
    let wake = move || (&ours).write_all(&[0]).unwrap();
    (Arc::new(wait), Box::new(wake))
}
