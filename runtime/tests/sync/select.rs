//! `select!` and `Select`: fairness, and that nothing is lost. After the tests of Go's `select`.

use super::support::{KINDS, Kind, LONG, SOON, green, join, let_others_run, pairs, spawn};
use greenwire_runtime::sync::mpsc::RecvError;
use greenwire_runtime::sync::select::{Either, On, Receive, Select, Take};
use greenwire_runtime::sync::{Event, mpmc, mpsc, oneshot, select};
use greenwire_runtime::thread::{self, Cancelled};
use greenwire_runtime::time;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[test]
fn the_arm_that_is_ready_runs() {
    let (_sender, never) = mpsc::channel::<()>();
    let (sender, numbers) = mpmc::channel();
    let (once, words) = oneshot::channel();
    let event = Arc::new(Event::new());
    let mut handle = thread::spawn(thread::park);
    let mut choose = || {
        select! {
            recv(never) -> _ => unreachable!("nothing is sent there"),
            recv(&numbers) -> number => format!("number {}", number.unwrap()),
            recv(words) -> word => { let word: &str = word.unwrap(); format!("word {word}") }
            wait(event) => { event.clear(); "event".to_owned() },
            join(handle) -> result => format!("ended {result:?}"),
            after(SOON) => "late".into(),
        }
    };
    assert_eq!(choose(), "late");
    sender.send(1).unwrap();
    assert_eq!(choose(), "number 1");
    event.set();
    assert_eq!(choose(), "event");
    once.send("one").unwrap();
    assert_eq!(choose(), "word one");
    handle.thread().unpark();
    let ended = select! {
        join(handle) -> result => result,
    };
    ended.unwrap();
    assert!(handle.is_finished());
    select! {
        join(handle) -> _ => unreachable!("its result was taken"),
        after(SOON) => {}
    }
}

#[test]
fn a_default_does_not_wait() {
    let (sender, receiver) = mpsc::channel();
    let choose = || {
        select! {
            recv(receiver) -> value => Some(value.unwrap()),
            default => None,
        }
    };
    assert_eq!(choose(), None);
    sender.send(1).unwrap();
    assert_eq!(choose(), Some(1));
    assert_eq!(select! { default => 2 }, 2);
    assert_eq!(select! { after(Duration::ZERO) => 3 }, 3);
}

#[test]
fn bodies_may_leave_the_loop_and_the_function() {
    fn first_even(receiver: &mpsc::Receiver<i32>) -> Result<i32, RecvError> {
        loop {
            select! {
                recv(receiver) -> value => {
                    let value = value?;
                    if value % 2 == 0 {
                        break Ok(value);
                    }
                    continue;
                }
                after(LONG) => return Ok(0),
            }
        }
    }
    let (sender, receiver) = mpsc::channel();
    (1..4).for_each(|n| sender.send(n).unwrap());
    assert_eq!(first_even(&receiver), Ok(2));
    drop(sender);
    assert_eq!(first_even(&receiver), Err(RecvError));
}

#[test]
fn whoever_waits_is_woken_by_whoever_sends() {
    for (waits, sends) in pairs() {
        let (one, ones) = mpsc::channel();
        let (two, twos) = mpsc::sync_channel(0);
        let waits = spawn(waits, move || {
            let (mut sum, mut open) = (0, 2);
            while open > 0 {
                let value = select! {
                    recv(ones) -> value => value,
                    recv(twos) -> value => value,
                };
                match value {
                    Ok(value) => sum += value,
                    Err(_) => break,
                }
                open -= i32::from(value == Ok(0));
            }
            sum
        });
        let sender = spawn(sends, move || {
            (1..=500).for_each(|n| one.send(n).unwrap());
            one.send(0).unwrap();
            one
        });
        let other = spawn(sends, move || {
            (1..=500).for_each(|n| two.send(n).unwrap());
            two.send(0).unwrap();
            two
        });
        assert_eq!(waits.join(), 250_500);
        drop((sender.join(), other.join()));
    }
}

/// A queue that ends with a zero.
#[derive(Default)]
struct Numbers(Mutex<VecDeque<u32>>, Event);

impl Numbers {
    fn put(&self, number: u32) {
        self.0.lock().unwrap().push_back(number);
        self.1.set();
    }
}

impl Take for Numbers {
    type Output = Result<u32, RecvError>;

    fn try_take(&self) -> Option<Self::Output> {
        let mut numbers = self.0.lock().unwrap();
        if numbers.is_empty() {
            self.1.clear();
        }
        let number = numbers.pop_front()?;
        Some(if number == 0 {
            Err(RecvError)
        } else {
            Ok(number)
        })
    }

    fn arrival(&self) -> &Event {
        &self.1
    }
}

impl Receive for Numbers {
    type Item = u32;

    fn arm(&self) -> On<'_, Result<u32, RecvError>> {
        On::new(self)
    }
}

#[test]
fn an_own_queue_is_an_arm() {
    for (waits, sends) in pairs() {
        let numbers = Arc::new(Numbers::default());
        let (_sender, never) = mpsc::channel::<u32>();
        let puts = spawn(sends, {
            let numbers = numbers.clone();
            move || (0..=1000).rev().for_each(|number| numbers.put(number))
        });
        let takes = spawn(waits, move || {
            let mut sum = 0;
            loop {
                let number = select! {
                    recv(*numbers) -> number => number,
                    recv(never) -> number => number,
                };
                match number {
                    Ok(number) => sum += number,
                    Err(_) => break,
                }
            }
            assert!(select! { recv(*numbers) -> _ => false, after(SOON) => true });
            sum
        });
        assert_eq!(takes.join(), 500_500);
        puts.join();
    }
}

#[test]
fn no_arm_is_starved() {
    let (sender, always) = mpsc::channel();
    let (other, too) = mpsc::channel();
    let mut counts = [0; 3];
    let event = Event::new();
    event.set();
    for _ in 0..600 {
        sender.send(()).unwrap();
        other.send(()).unwrap();
        select! {
            recv(always) -> _ => counts[0] += 1,
            recv(too) -> _ => counts[1] += 1,
            wait(event) => counts[2] += 1,
        }
    }
    assert!(counts.iter().all(|count| *count > 60), "{counts:?}");
}

#[test]
fn a_race_loses_no_value() {
    let (sender, receiver) = mpmc::channel();
    let (others, other) = mpmc::channel();
    let takers: Vec<_> = (0..4)
        .map(|n| {
            let (receiver, other) = (receiver.clone(), other.clone());
            spawn(KINDS[n % 2], move || {
                let mut taken = Vec::new();
                let (mut open, mut other_open) = (true, true);
                while open || other_open {
                    select! {
                        recv(receiver) -> value => match value {
                            Ok(value) => taken.push(value),
                            Err(_) => open = false,
                        },
                        recv(other) -> value => match value {
                            Ok(value) => taken.push(value),
                            Err(_) => other_open = false,
                        },
                        after(Duration::from_micros(50)) => {}
                    }
                }
                taken
            })
        })
        .collect();
    for n in 0..2000 {
        let channel = if n % 2 == 0 { &sender } else { &others };
        channel.send(n).unwrap();
        if n % 8 == 0 {
            std::thread::yield_now();
        }
    }
    drop((sender, others));
    let mut taken: Vec<_> = takers.into_iter().flat_map(|taker| taker.join()).collect();
    taken.sort_unstable();
    assert_eq!(taken, (0..2000).collect::<Vec<_>>());
}

#[test]
fn an_interrupted_select_takes_nothing() {
    for _ in 0..200 {
        let (sender, receiver) = mpmc::channel();
        let (_open, never) = mpmc::channel::<i32>();
        let (victim, survivor) = (receiver.clone(), receiver);
        let victim = thread::spawn(move || {
            select! {
                recv(never) -> _ => unreachable!("nothing is sent there"),
                recv(victim) -> value => value.unwrap(),
            }
        });
        let survivor = thread::spawn(move || survivor.recv().unwrap());
        let thread = victim.thread().clone();
        let cancels = spawn(Kind::Os, move || thread.cancel().unwrap());
        sender.send(1).unwrap();
        cancels.join();
        match join(victim) {
            Ok(_) => sender.send(2).unwrap(),
            Err(payload) => assert!(payload.is::<Cancelled>()),
        }
        join(survivor).unwrap();
    }
}

#[test]
fn who_was_told_and_chose_another_arm_passes_it_on() {
    green(|| {
        let (sender, receiver) = mpmc::channel();
        let event = Arc::new(Event::new());
        let selects = {
            let (receiver, event) = (receiver.clone(), event.clone());
            thread::spawn_local(move || {
                select! {
                    recv(receiver) -> value => value.is_ok(),
                    wait(event) => false,
                }
            })
        };
        let_others_run();
        let receives = thread::spawn_local(move || receiver.recv().unwrap());
        let_others_run();
        // Both become ready before it runs. Whichever it chooses, the value reaches somebody.
        sender.send(1).unwrap();
        event.set();
        if selects.join().unwrap() {
            sender.send(2).unwrap();
        }
        receives.join().unwrap();
    });
}

#[test]
fn the_outer_limit_ends_a_select() {
    for kind in KINDS {
        spawn(kind, || {
            let (sender, receiver) = mpsc::channel::<()>();
            let begin = Instant::now();
            let limited = time::timeout(SOON, || {
                select! {
                    recv(receiver) -> _ => {}
                    after(LONG) => {}
                }
            });
            assert_eq!(limited, Err(time::Elapsed));
            assert!(begin.elapsed() >= SOON);
            drop(sender);
        })
        .join();
    }
}

#[test]
fn a_list_gives_what_is_ready_first_with_its_index() {
    green(|| {
        let events: Vec<_> = (0..20).map(|_| Event::new()).collect();
        let wait = || Select::new(events.iter().map(select::wait).collect::<Vec<_>>());
        assert_eq!(wait().try_wait(), None);
        assert_eq!(wait().wait_timeout(SOON), None);
        events[13].set();
        assert_eq!(wait().wait(), (13, ()));

        let mut handles: Vec<_> = (0..3)
            .map(|n| {
                thread::spawn(move || {
                    thread::park();
                    n
                })
            })
            .collect();
        for n in [2, 0, 1] {
            handles[n].thread().unpark();
            let arms: Vec<_> = handles.iter_mut().map(select::join).collect();
            let (index, result) = Select::new(arms).wait();
            assert_eq!((index, result.unwrap()), (n, n));
        }
    });
}

#[test]
fn arms_can_be_joined_without_the_macro() {
    let (sender, receiver) = mpsc::channel();
    let event = Event::new();
    let choose = || Select::new(select::recv(&receiver)).or(select::wait(&event));
    assert_eq!(choose().try_wait(), None);
    event.set();
    assert_eq!(choose().wait(), Either::Right(()));
    event.clear();
    sender.send(1).unwrap();
    assert_eq!(choose().wait(), Either::Left(Ok(1)));
}
