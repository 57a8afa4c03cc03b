//! The dump: a known tree of green threads, told from outside.

use greenwire_runtime::insight::{GreenThread, Reason, State};
use greenwire_runtime::io::{Direction, Source};
use greenwire_runtime::sync::{Barrier, Condvar, Event, Mutex, RwLock, Semaphore, mpsc};
use greenwire_runtime::{Dump, dump, dump_up_to, thread};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

type Primitives = (Mutex<bool>, Condvar, Event, Semaphore, RwLock<()>, Barrier);

/// While one test keeps a worker from answering, others do without the answers of all.
fn all_answer() -> MutexGuard<'static, ()> {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Dumps until `condition` holds.
#[track_caller]
fn dump_when(what: &str, condition: impl Fn(&Dump) -> bool) -> Dump {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let dump = dump_up_to(10_000);
        if condition(&dump) {
            return dump;
        }
        assert!(Instant::now() < end, "{what}: {dump}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    f: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(f).unwrap()
}

fn find<'a>(dump: &'a Dump, name: &str) -> Option<&'a GreenThread> {
    dump.threads().find(|thread| thread.name() == Some(name))
}

fn is_parked(dump: &Dump, name: &str) -> bool {
    let thread = find(dump, name);
    thread.is_some_and(|thread| matches!(thread.state(), State::Parked { .. }))
}

#[track_caller]
fn check_parked(dump: &Dump, name: &str, expected: impl Fn(Reason) -> bool) {
    match find(dump, name).unwrap().state() {
        State::Parked { reason, .. } => assert!(expected(reason), "{name}: {reason:?}"),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn each_kind_of_wait_is_told_with_its_place() {
    let (to_reader, from_main) = mpsc::channel::<()>();
    let lock = Arc::new(Mutex::new(()));
    let held = lock.lock().unwrap();
    let locked = lock.clone();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let descriptor = theirs.as_raw_fd();

    let root = spawn("tree: root", move || {
        let receiver = spawn("tree: receiver", move || from_main.recv().is_err());
        let locker = spawn("tree: locker", move || drop(locked.lock()));
        let socket = spawn("tree: socket", move || {
            Source::new(theirs).wait(Direction::Read, None).is_ok()
        });
        let sleeper = spawn("tree: sleeper", || thread::sleep(Duration::from_secs(600)));
        let parker = spawn("tree: parker", thread::park);
        let ended = receiver.join().unwrap() && socket.join().unwrap();
        locker.join().unwrap();
        sleeper.cancel().unwrap();
        parker.thread().unpark();
        parker.join().unwrap();
        ended
    });
    let names = ["receiver", "locker", "socket", "sleeper", "parker", "root"];
    let names = names.map(|name| format!("tree: {name}"));
    let dump = dump_when("all of them park", |dump| {
        names.iter().all(|name| is_parked(dump, name))
    });

    check_parked(&dump, "tree: root", |r| matches!(r, Reason::Join(_)));
    check_parked(&dump, "tree: receiver", |r| matches!(r, Reason::Receive(_)));
    check_parked(&dump, "tree: locker", |r| matches!(r, Reason::Lock(_)));
    check_parked(&dump, "tree: socket", |r| r == Reason::Read(descriptor));
    check_parked(&dump, "tree: sleeper", |r| r == Reason::Sleep);
    check_parked(&dump, "tree: parker", |r| r == Reason::Park);

    let root_id = find(&dump, "tree: root").unwrap().id();
    for name in &names[..5] {
        assert_eq!(find(&dump, name).unwrap().parent(), Some(root_id), "{name}");
    }
    let State::Parked { left, .. } = find(&dump, "tree: sleeper").unwrap().state() else {
        panic!("it was parked");
    };
    let left = left.unwrap();
    assert!(left > Duration::from_secs(500) && left <= Duration::from_secs(600));

    // In release builds the closure may be merged into its caller.
    let stack = find(&dump, "tree: receiver").unwrap().backtrace();
    assert!(!stack.is_empty());
    #[cfg(debug_assertions)]
    {
        let functions: Vec<_> = stack.iter().filter_map(|frame| frame.function()).collect();
        assert!(functions[0].contains("recv"), "{functions:?}");
        assert!(
            functions[1].contains("each_kind_of_wait_is_told"),
            "{functions:?}"
        );
        let file = stack[1].file().unwrap();
        assert!(file.ends_with("runtime/tests/dump.rs"), "{file:?}");
    }

    // The tree in print: below the root, and indented, stands the one that it joins.
    let State::Parked {
        reason: Reason::Join(joined),
        ..
    } = find(&dump, "tree: root").unwrap().state()
    else {
        panic!("it was joining");
    };
    let text = dump.to_string();
    let below = text.split_once("'tree: root' on worker").unwrap().1;
    let line = format!("\n    thread {joined} 'tree: receiver' on worker");
    assert!(below.contains(&line), "{line} in {text}");

    drop((to_reader, held, ours));
    assert!(root.join().unwrap());
}

#[test]
fn locks_of_all_kinds_are_told_apart() {
    let [condition, event, semaphore, lock, barrier] = [
        "waits: condition",
        "waits: event",
        "waits: semaphore",
        "waits: lock",
        "waits: barrier",
    ];
    let all = Arc::new((
        Mutex::new(false),
        Condvar::new(),
        Event::new(),
        Semaphore::new(0),
        RwLock::new(()),
        Barrier::new(2),
    ));
    let written = all.4.write().unwrap();
    let waiting = |name: &str, f: fn(&Primitives)| {
        let all = all.clone();
        spawn(name, move || f(&all))
    };
    let threads = [
        waiting(condition, |all| {
            let guard = all.0.lock().unwrap();
            drop(all.1.wait_while(guard, |done| !*done));
        }),
        waiting(event, |all| all.2.wait()),
        waiting(semaphore, |all| drop(all.3.acquire())),
        waiting(lock, |all| drop(all.4.read())),
        waiting(barrier, |all| {
            all.5.wait();
        }),
    ];
    let names = [condition, event, semaphore, lock, barrier];
    let dump = dump_when("all of them park", |dump| {
        names.iter().all(|name| is_parked(dump, name))
    });
    check_parked(&dump, condition, |r| matches!(r, Reason::Condition(_)));
    check_parked(&dump, event, |r| matches!(r, Reason::Event(_)));
    check_parked(&dump, semaphore, |r| matches!(r, Reason::Semaphore(_)));
    check_parked(&dump, lock, |r| matches!(r, Reason::Lock(_)));
    check_parked(&dump, barrier, |r| matches!(r, Reason::Barrier(_)));

    *all.0.lock().unwrap() = true;
    all.1.notify_all();
    all.2.set();
    all.3.add_permits(1);
    drop(written);
    all.5.wait();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_green_thread_may_ask() {
    let _all_answer = all_answer();
    let own = spawn("asks", || (dump(), thread::current().id()))
        .join()
        .unwrap();
    let (dump, id) = own;
    let itself = dump.threads().find(|thread| thread.id() == id).unwrap();
    assert!(matches!(itself.state(), State::Parked { .. }), "{itself}");
}

#[test]
fn the_use_of_a_stack_is_told() {
    fn wait_below(bytes: [u8; 20_000], until: &Event) -> usize {
        until.wait();
        std::hint::black_box(bytes).len()
    }
    let until = Arc::new(Event::new());
    let theirs = until.clone();
    let deep = spawn("stack: deep", move || wait_below([1; 20_000], &theirs));
    let shallow = spawn("stack: shallow", thread::park);
    let dump = dump_when("both park", |dump| {
        is_parked(dump, "stack: deep") && is_parked(dump, "stack: shallow")
    });
    let of = |name| find(&dump, name).unwrap().stack().unwrap();
    let (much, little) = (of("stack: deep"), of("stack: shallow"));
    assert!(much.used > 20_000 && much.used < much.size, "{much:?}");
    assert!(little.used > 0 && little.used < 20_000, "{little:?}");
    until.set();
    assert_eq!(deep.join().unwrap(), 20_000);
    shallow.thread().unpark();
    shallow.join().unwrap();
}

#[test]
fn what_is_beyond_the_limit_is_counted() {
    let _all_answer = all_answer();
    let (sender, receiver) = mpsc::channel::<()>();
    let receiver = Arc::new(Mutex::new(receiver));
    let crowd: Vec<_> = (0..500)
        .map(|_| {
            let receiver = receiver.clone();
            spawn("crowd", move || receiver.lock().unwrap().recv().is_err())
        })
        .collect();
    dump_when("all park", |dump| {
        let parked = dump.threads().filter(|t| t.name() == Some("crowd"));
        parked
            .filter(|t| matches!(t.state(), State::Parked { .. }))
            .count()
            == 500
    });
    let few = dump_up_to(3);
    assert!(
        (1..=6).contains(&few.threads().count()),
        "three of each worker at most"
    );
    assert!(few.left_out() >= 494, "{}", few.left_out());
    assert!(
        few.to_string()
            .ends_with(&format!("... and {} more\n", few.left_out()))
    );
    drop(sender);
    assert!(crowd.into_iter().all(|thread| thread.join().unwrap()));
}

/// Unwinding happens on the stack of the parked thread, on top of what is there.
#[test]
fn a_dump_changes_nothing_for_those_who_park() {
    let done = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..20)
        .map(|n| {
            let done = done.clone();
            spawn("sums", move || {
                let mut kept = [n; 100];
                while !done.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_micros(200));
                    thread::yield_now();
                    kept.iter_mut().for_each(|n| *n += 1);
                }
                kept.iter().all(|n| *n == kept[0])
            })
        })
        .collect();
    for _ in 0..20 {
        let _ = dump();
    }
    done.store(true, Ordering::SeqCst);
    assert!(busy.into_iter().all(|thread| thread.join().unwrap()));
}

/// Unwinding needs stack, too: where there is too little, it is left alone.
#[test]
fn a_stack_that_is_almost_full_survives() {
    /// Parks with about `deep` bytes of stack in use.
    fn dive(top: usize, deep: usize) {
        let kept = std::hint::black_box([1u8; 128]);
        match top - (&raw const kept).addr() < deep {
            true => dive(top, deep),
            false => thread::park(),
        }
        std::hint::black_box(kept);
    }
    let depths: Vec<usize> = (8..=40).map(|kilobytes| kilobytes * 1024).collect();
    let divers: Vec<_> = depths
        .iter()
        .map(|&deep| {
            // Of these, 48 KiB can be used.
            let builder = thread::Builder::new().stack_size(64 * 1024);
            let builder = builder.name(format!("dives {deep}"));
            let dive = move || dive((&raw const deep).addr(), deep);
            builder.spawn(dive).unwrap()
        })
        .collect();
    let names: Vec<String> = depths.iter().map(|deep| format!("dives {deep}")).collect();
    let dump = dump_when("all park", |dump| {
        names.iter().all(|name| is_parked(dump, name))
    });
    let frames = |name: &String| find(&dump, name).unwrap().backtrace().len();
    assert!(frames(&names[0]) > 0, "there is room enough");
    assert_eq!(frames(names.last().unwrap()), 0, "there is not");
    for diver in divers {
        diver.thread().unpark();
        diver.join().unwrap();
    }
}

/// A busy worker cannot answer. Its green thread is found all the same.
#[test]
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
fn one_that_never_gives_way_is_named() {
    let _nobody_else_needs_it = all_answer();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let spinner = spawn("spins", move || {
        while !stopped.load(Ordering::SeqCst) {
            std::hint::spin_loop();
        }
    });
    let dump = dump_when("it runs", |dump| find(dump, "spins").is_some());
    assert_eq!(find(&dump, "spins").unwrap().state(), State::Running);
    assert!(dump.running() >= 1);
    let text = dump.to_string();
    assert!(text.contains("is busy"), "{text}");
    stop.store(true, Ordering::SeqCst);
    spinner.join().unwrap();
}
