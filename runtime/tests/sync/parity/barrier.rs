//! Barriers.

use super::{sync, thread};
use sync::atomic::{AtomicUsize, Ordering};
use sync::{Arc, Barrier};

#[test]
fn all_pass_together_and_one_leads() {
    const COUNT: usize = 8;
    let barrier = Arc::new(Barrier::new(COUNT));
    let arrived = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..COUNT)
        .map(|_| {
            let (barrier, arrived) = (barrier.clone(), arrived.clone());
            thread::spawn(move || {
                let mut led = 0;
                for round in 1..=20 {
                    arrived.fetch_add(1, Ordering::SeqCst);
                    led += usize::from(barrier.wait().is_leader());
                    assert!(arrived.load(Ordering::SeqCst) >= round * COUNT);
                    barrier.wait();
                }
                led
            })
        })
        .collect();
    let led = threads.into_iter().map(|thread| thread.join().unwrap());
    assert_eq!(led.sum::<usize>(), 20);
}

#[test]
fn a_barrier_for_none_or_one_stops_nobody() {
    for count in [0, 1] {
        let barrier = Barrier::new(count);
        assert!((0..3).all(|_| barrier.wait().is_leader()));
    }
}

#[test]
fn it_says_what_it_is() {
    static BARRIER: Barrier = Barrier::new(1);
    assert_eq!(format!("{BARRIER:?}"), "Barrier { .. }");
    let result = BARRIER.wait();
    assert_eq!(
        format!("{result:?}"),
        "BarrierWaitResult { is_leader: true }"
    );
}
