//! What happens to those who do not keep up, and that nobody else notices.

mod support;

use greenwire_realtime::pubsub::{Event, Options, SlowSubscriber, Subscription, Topics};
use greenwire_runtime::sync::mpsc::{RecvError, TryRecvError};
use greenwire_runtime::thread::{self, Cancelled};
use greenwire_runtime::time;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::{on_both, on_green, until};

const SOON: Duration = Duration::from_millis(20);

/// All that is there now, as text: messages by their payloads.
fn all<T: Debug>(feed: &Subscription<T>) -> Vec<String> {
    let mut events = Vec::new();
    loop {
        events.push(match feed.try_recv() {
            Ok(Event::Message(message)) => format!("{:?}", message.payload()),
            Ok(event) => format!("{event:?}"),
            Err(TryRecvError::Empty) => return events,
            Err(TryRecvError::Disconnected) => {
                events.push("end".into());
                return events;
            }
        });
    }
}

/// The payloads of the next messages, which are waited for.
fn next(feed: &Subscription<usize>) -> impl Iterator<Item = usize> {
    feed.messages().map(|message| *message.payload())
}

#[test]
fn the_oldest_are_dropped_and_counted() {
    on_both(|| {
        let topics = Topics::new();
        let slow = topics.subscribe_with("news", &Options::default().capacity(2));
        let other = topics.subscribe("news");
        for number in 0..5 {
            assert_eq!(topics.publish("news", number), 2);
        }
        assert_eq!(all(&slow), ["Missed(Some(3))", "3", "4"]);
        assert_eq!(all(&other), ["0", "1", "2", "3", "4"]);
        topics.publish("news", 5);
        assert_eq!(all(&slow), ["5"], "it is told once");
    });
}

#[test]
fn a_capacity_of_none_is_one() {
    on_both(|| {
        let topics = Topics::new();
        let slow = topics.subscribe_with("news", &Options::default().capacity(0));
        topics.publish("news", 1);
        topics.publish("news", 2);
        assert_eq!(all(&slow), ["Missed(Some(1))", "2"]);
    });
}

#[test]
fn a_subscription_ends_after_what_is_queued() {
    on_both(|| {
        let topics = Topics::new();
        let options = Options::default();
        let options = options
            .capacity(2)
            .slow_subscriber(SlowSubscriber::Disconnect);
        let slow = topics.subscribe_with("news", &options);
        let other = topics.subscribe("news");
        let reached: Vec<_> = (0..4)
            .map(|number| topics.publish("news", number))
            .collect();
        assert_eq!(reached, [2, 2, 1, 1]);
        assert_eq!(all(&slow), ["0", "1", "TooSlow", "end"]);
        assert_eq!(slow.recv().unwrap_err(), RecvError);
        assert_eq!(all(&other), ["0", "1", "2", "3"]);
    });
}

fn waiting(capacity: usize) -> Options {
    let options = Options::default().slow_subscriber(SlowSubscriber::Wait);
    options.capacity(capacity)
}

/// Publishes 0, 1, 2 and so on, and counts what it has published.
fn publisher(topics: &Topics<usize>) -> (Arc<AtomicUsize>, thread::JoinHandle<()>) {
    let count = Arc::new(AtomicUsize::new(0));
    let publisher = thread::spawn({
        let (topics, count) = (topics.clone(), count.clone());
        move || {
            for number in 0.. {
                topics.publish("news", number);
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (count, publisher)
}

fn count_is(count: &AtomicUsize, wanted: usize) {
    until("so many were published", || {
        count.load(Ordering::SeqCst) == wanted
    });
    thread::sleep(SOON);
    assert_eq!(count.load(Ordering::SeqCst), wanted, "it does not wait");
}

#[test]
fn a_publisher_waits_for_room() {
    on_green(|| {
        let topics = Topics::new();
        let slow = topics.subscribe_with("news", &waiting(3));
        let other = topics.subscribe("news");
        let (count, publisher) = publisher(&topics);
        count_is(&count, 3);
        let first: Vec<_> = next(&other).take(4).collect();
        assert_eq!(first, [0, 1, 2, 3], "only the publisher waits");
        assert_eq!(all(&other), [""; 0]);
        for number in 0..10 {
            assert!(slow.recv().is_ok());
            count_is(&count, 4 + number);
        }
        drop(slow);
        until("nobody is waited for", || {
            count.load(Ordering::SeqCst) > 100
        });
        publisher.cancel().unwrap();
        assert!(publisher.join().unwrap_err().is::<Cancelled>());
    });
}

#[test]
fn others_publish_and_subscribe_while_one_waits() {
    on_green(|| {
        let topics = Topics::new();
        let slow = topics.subscribe_with("news", &waiting(1));
        let (count, publisher) = publisher(&topics);
        count_is(&count, 1);
        let new = topics.subscribe("weather");
        assert_eq!(topics.publish("weather", 7), 1);
        assert_eq!(all(&new), ["7"]);
        let first: Vec<_> = next(&slow).take(2).collect();
        assert_eq!(first, [0, 1]);
        publisher.cancel().unwrap();
        assert!(publisher.join().is_err());
    });
}

#[test]
fn a_publisher_that_gives_up_has_published() {
    on_both(|| {
        let topics = Topics::new();
        let slow = topics.subscribe_with("news", &waiting(1));
        assert_eq!(topics.publish("news", 0), 1);
        assert!(time::timeout(SOON, || topics.publish("news", 1)).is_err());
        assert!(time::timeout(SOON, || topics.publish("news", 2)).is_err());
        assert_eq!(all(&slow), ["0", "1", "2"]);
        assert_eq!(topics.publish("news", 3), 1);
    });
}

#[test]
fn a_publisher_is_woken_when_the_subscription_ends() {
    on_green(|| {
        let topics = Topics::new();
        let slow = topics.subscribe_with("news", &waiting(1));
        let other = topics.subscribe("news");
        topics.publish("news", 0);
        let publisher = thread::spawn({
            let topics = topics.clone();
            move || topics.publish("news", 1)
        });
        // It waits, or is about to, once everybody has the message.
        assert!(next(&other).take(2).eq([0, 1]));
        thread::sleep(SOON);
        assert!(!publisher.is_finished());
        drop(slow);
        assert_eq!(publisher.join().unwrap(), 2);
    });
}

/// One of each kind beside each other, on all workers, while they come and go.
#[test]
fn a_crowd_that_comes_and_goes() {
    on_green(|| {
        let topics = Topics::new();
        let subscribers: Vec<_> = (0..60)
            .map(|number| (number, topics.clone()))
            .map(|(number, topics)| thread::spawn(move || come_and_go(number, &topics)))
            .collect();
        let (count, publisher) = publisher(&topics);
        let received = thread::join_all(subscribers)
            .into_iter()
            .map(Result::unwrap);
        assert!(received.sum::<usize>() > 0);
        assert!(count.load(Ordering::SeqCst) > 0);
        publisher.cancel().unwrap();
        assert!(publisher.join().is_err());
        assert_eq!(topics.publish("news", 0), 0, "all have gone");
    });
}

fn come_and_go(number: usize, topics: &Topics<usize>) -> usize {
    let policies = [
        SlowSubscriber::Wait,
        SlowSubscriber::DropOldest,
        SlowSubscriber::Disconnect,
    ];
    let options = Options::default().capacity(number % 7);
    let options = options.slow_subscriber(policies[number % 3]);
    let mut received = 0;
    for _ in 0..20 {
        let feed = topics.subscribe_with("news", &options);
        let mut next = None;
        for event in feed.iter().take(10) {
            match event {
                Event::Message(message) => {
                    let number = *message.payload();
                    assert!(next.is_none_or(|next| next == number), "none is missing");
                    next = Some(number + 1);
                    received += 1;
                }
                Event::Missed(count) => {
                    next = next.map(|next| next + count.expect("it is known") as usize);
                }
                Event::TooSlow => break,
                other => panic!("{other:?}"),
            }
        }
    }
    received
}
