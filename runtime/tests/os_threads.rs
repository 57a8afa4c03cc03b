//! OS-thread mode: the same program, one OS thread for each thread, and no worker.

#![cfg(target_os = "linux")]

use greenwire_runtime::sync::{Mutex, mpsc, select};
use greenwire_runtime::{Builder, thread, time, unblock};
use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The names of this process's OS threads.
fn os_threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .collect()
}

#[test]
fn everything_works_and_no_worker_starts() {
    Builder::new().os_threads(true).start().unwrap();
    let again = Builder::new().start().unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);

    let before = os_threads().len();
    let (sender, receiver) = mpsc::sync_channel(0);
    let total = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..10)
        .map(|n| {
            let (sender, total) = (sender.clone(), total.clone());
            let builder = thread::Builder::new().name(format!("relay {n}"));
            builder
                .spawn(move || {
                    assert!(!thread::is_green());
                    assert_eq!(thread::current().name(), Some(&*format!("relay {n}")));
                    thread::sleep(Duration::from_millis(1));
                    *total.lock().unwrap() += unblock(move || n);
                    sender.send(std::thread::current().id()).unwrap();
                    thread::park();
                })
                .unwrap()
        })
        .collect();
    let ids: std::collections::HashSet<_> = receiver.iter().take(10).collect();
    assert_eq!(ids.len(), 10);
    let now = os_threads();
    assert_eq!(now.len(), before + 10);
    assert!(
        !now.iter().any(|name| name.starts_with("greenwire")),
        "{now:?}"
    );
    assert_eq!(*total.lock().unwrap(), 45);

    let error = threads[0].cancel().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    for thread in threads {
        thread.thread().unpark();
        thread.join().unwrap();
    }
    let short = thread::spawn(|| time::timeout(Duration::from_millis(5), thread::park));
    assert_eq!(short.join().unwrap(), Err(time::Elapsed));
    assert!(thread::spawn(|| panic!("on purpose")).join().is_err());
    let mut ends = thread::spawn(|| 7);
    let chosen = select! {
        join(ends) -> result => result.unwrap(),
        recv(receiver) -> _ => unreachable!("nobody sends any more"),
    };
    assert_eq!(chosen, 7);
}
