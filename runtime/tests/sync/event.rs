//! Events. After gevent's `test__event.py`.

use super::support::{KINDS, SOON, green, let_others_run, pairs, spawn};
use greenwire_runtime::sync::{Event, mpsc};
use greenwire_runtime::{thread, time};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn setting_wakes_all_who_wait() {
    for (waits, sets) in pairs() {
        let event = Arc::new(Event::new());
        let waiters: Vec<_> = (0..5)
            .map(|_| {
                let event = event.clone();
                spawn(waits, move || event.wait())
            })
            .collect();
        let setter = event.clone();
        spawn(sets, move || setter.set()).join();
        waiters.into_iter().for_each(|waiter| waiter.join());
        assert!(event.is_set());
        event.wait();
    }
}

#[test]
fn who_waited_sees_it_set_though_it_was_cleared_at_once() {
    green(|| {
        let event = Arc::new(Event::new());
        let (sender, order) = mpsc::channel();
        let waiters: Vec<_> = (0..4)
            .map(|n| {
                let (event, sender) = (event.clone(), sender.clone());
                let thread = thread::spawn_local(move || {
                    assert!(event.wait_timeout(Duration::from_secs(30)));
                    sender.send(n).unwrap();
                });
                let_others_run();
                thread
            })
            .collect();
        event.set();
        event.clear();
        waiters
            .into_iter()
            .for_each(|waiter| waiter.join().unwrap());
        drop(sender);
        assert_eq!(order.iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(!event.is_set());
    });
}

#[test]
fn a_wait_ends_with_its_time() {
    for kind in KINDS {
        spawn(kind, || {
            let event = Event::default();
            let begin = Instant::now();
            assert!(!event.wait_timeout(SOON));
            assert!(begin.elapsed() >= SOON);
            assert_eq!(time::timeout(SOON, || event.wait()), Err(time::Elapsed));
            event.set();
            assert!(event.wait_timeout(Duration::ZERO));
            event.clear();
            assert!(!event.wait_timeout(Duration::ZERO));
        })
        .join();
    }
    assert_eq!(format!("{:?}", Event::new()), "Event { is_set: false, .. }");
}
