//! What the runtime counts. One test alone in its process, so that the numbers are its own.

use greenwire_runtime::io::{Direction, Source};
use greenwire_runtime::thread::{self, Group};
use greenwire_runtime::{Builder, Metrics, metrics, run_until_idle, unblock};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Waits, on an OS thread, until the numbers are as they should be.
#[track_caller]
fn wait_for(condition: impl Fn(&Metrics) -> bool) -> Metrics {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let now = metrics();
        if condition(&now) {
            return now;
        }
        assert!(Instant::now() < end, "{now:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_numbers_tell_what_happens() {
    assert_eq!(metrics(), Metrics::default(), "asking begins nothing");
    Builder::new()
        .workers(2)
        .stack_size(64 * 1024)
        .start()
        .unwrap();
    assert_eq!(metrics().workers, 2);

    let group = Group::new();
    for _ in 0..100 {
        group.spawn(|| thread::spawn(thread::park).join());
    }
    let full = wait_for(|now| now.parked == 200);
    assert_eq!((full.spawned, full.live), (200, 200));
    assert_eq!(full.stack_bytes, 200 * 64 * 1024);
    assert!(full.switches >= 200, "{full:?}");

    group.cancel().unwrap();
    group.join();
    let half = wait_for(|now| now.live == 100);
    assert_eq!((half.spawned, half.parked), (200, 100));
    assert_eq!(half.stack_bytes, 100 * 64 * 1024);
    assert!(half.switches >= 300, "{half:?}");

    let begin = half.switches;
    let yields = thread::spawn(|| (0..1000).for_each(|_| thread::yield_now()));
    yields.join().unwrap();
    let counted = metrics().switches - begin;
    assert!((1001..1010).contains(&counted), "{counted}");

    let (release, hold) = std::sync::mpsc::channel::<()>();
    let blocked = thread::spawn(move || unblock(move || hold.recv().is_err()));
    wait_for(|now| (now.unblock_jobs, now.unblock_threads) == (1, 1));
    drop(release);
    assert!(blocked.join().unwrap());
    wait_for(|now| now.unblock_jobs == 0);

    let polls = metrics().polls;
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let reader = thread::spawn(move || {
        let source = Source::new(theirs);
        source.perform(Direction::Read, None, |mut theirs| theirs.read(&mut [0]))
    });
    wait_for(|now| now.parked == 101);
    ours.write_all(b"x").unwrap();
    reader.join().unwrap().unwrap();
    assert!(metrics().polls > polls);

    // One that computes lets nobody else start on its worker; the other one takes them.
    let before = metrics().steals;
    let busy = thread::spawn(move || {
        let children: Vec<_> = (0..10).map(|_| thread::spawn(|| ())).collect();
        let end = Instant::now() + Duration::from_secs(30);
        while metrics().steals == before && Instant::now() < end {
            std::hint::spin_loop();
        }
        children
    });
    busy.join()
        .unwrap()
        .into_iter()
        .for_each(|t| t.join().unwrap());
    assert!(metrics().steals > before);

    let parked = thread::spawn(thread::park);
    wait_for(|now| now.live == 101);
    parked.thread().unpark();
    parked.join().unwrap();
    // The hundred that nobody can reach any more wait for ever.
    let idle = greenwire_runtime::time::timeout(Duration::from_millis(20), run_until_idle);
    assert!(idle.is_err());
    wait_for(|now| now.live == 100);
}
