//! Who receives what, in which order, and how it ends.

mod support;

use greenwire_realtime::pubsub::{Event, Options, SlowSubscriber, Subscription, Topics, pattern};
use greenwire_runtime::sync::mpsc::{RecvError, RecvTimeoutError, TryRecvError};
use greenwire_runtime::sync::{self, select};
use greenwire_runtime::thread::{self, Cancelled};
use greenwire_runtime::time;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use support::{DEADLINE, on_both, on_green, until};

const SOON: Duration = Duration::from_millis(20);

/// The payload of the next event, which is a message.
#[track_caller]
fn next<T: Clone + std::fmt::Debug>(feed: &Subscription<T>) -> T {
    match feed.recv_timeout(DEADLINE) {
        Ok(Event::Message(message)) => message.payload().clone(),
        other => panic!("no message but {other:?}"),
    }
}

/// That nothing is there now.
#[track_caller]
fn nothing<T: std::fmt::Debug>(feed: &Subscription<T>) {
    let received = feed.try_recv();
    assert!(matches!(received, Err(TryRecvError::Empty)), "{received:?}");
}

#[test]
fn a_message_reaches_those_who_have_subscribed() {
    on_both(|| {
        let topics = Topics::new();
        assert_eq!(topics.publish("news", 0), 0, "nobody is there");
        let (one, two) = (topics.subscribe("news"), topics.subscribe("news"));
        let other = topics.subscribe("weather");
        assert_eq!(topics.publish("news", 1), 2);
        assert_eq!(topics.publish("weather", 2), 1);
        assert_eq!((next(&one), next(&two), next(&other)), (1, 1, 2));
        drop(two);
        assert_eq!(topics.publish("news", 3), 1);
        assert_eq!(next(&one), 3);
        nothing(&one);
        nothing(&other);
    });
}

#[test]
fn a_pattern_means_many_topics() {
    on_both(|| {
        let topics = Topics::new();
        let rooms = topics.subscribe(pattern("room.*"));
        let all = topics.subscribe(pattern("*"));
        assert_eq!(topics.publish("room.1", "a"), 2);
        assert_eq!(topics.publish("hall", "b"), 1);
        let Ok(Event::Message(message)) = rooms.recv() else {
            panic!("it was published");
        };
        assert_eq!((message.topic(), *message.payload()), ("room.1", "a"));
        nothing(&rooms);
        assert_eq!((next(&all), next(&all)), ("a", "b"));
        drop(all);
        assert_eq!(topics.publish("hall", "c"), 0);
    });
}

#[test]
fn a_message_comes_once_however_often_one_has_subscribed() {
    on_both(|| {
        let topics = Topics::new();
        let mut feed = topics.subscribe("room.1");
        feed.add(pattern("room.*"));
        feed.add(pattern("*.1"));
        feed.add("room.1");
        assert_eq!(topics.publish("room.1", 1), 1);
        assert_eq!(topics.publish("room.2", 2), 1);
        assert_eq!((next(&feed), next(&feed)), (1, 2));
        nothing(&feed);
    });
}

#[test]
fn topics_are_added_and_removed() {
    on_both(|| {
        let topics = Topics::new();
        let mut feed = topics.subscribe("a");
        feed.add("b");
        topics.publish("b", 1);
        assert!(feed.remove("b"));
        assert!(!feed.remove("b"), "it was removed");
        assert!(!feed.remove(pattern("a")), "that is another filter");
        assert_eq!(topics.publish("b", 2), 0);
        assert_eq!(topics.publish("a", 3), 1);
        assert!(feed.remove("a"));
        assert_eq!(topics.publish("a", 4), 0);
        assert_eq!((next(&feed), next(&feed)), (1, 3));
        nothing(&feed);
    });
}

#[test]
fn it_ends_with_the_last_handle_after_what_is_queued() {
    on_both(|| {
        let topics = Topics::new();
        let mut feed = topics.subscribe("news");
        let other = topics.clone();
        drop(topics);
        other.publish("news", 1);
        drop(other);
        assert_eq!(next(&feed), 1);
        assert_eq!(feed.recv().unwrap_err(), RecvError);
        assert_eq!(feed.try_recv().unwrap_err(), TryRecvError::Disconnected);
        let late = feed.recv_timeout(SOON).unwrap_err();
        assert_eq!(late, RecvTimeoutError::Disconnected);
        feed.add("weather");
        assert_eq!(feed.into_iter().count(), 0);
    });
}

#[test]
fn the_end_wakes_who_waits() {
    on_both(|| {
        let topics = Topics::<()>::new();
        let feed = topics.subscribe("news");
        let reader = thread::spawn(move || feed.recv().is_err());
        let feed = topics.subscribe(pattern("*"));
        let other = thread::spawn(move || feed.messages().count());
        thread::sleep(SOON);
        drop(topics);
        assert!(reader.join().unwrap());
        assert_eq!(other.join().unwrap(), 0);
    });
}

#[test]
fn waiting_has_limits_and_loses_nothing() {
    on_both(|| {
        let topics = Topics::new();
        let feed = topics.subscribe("news");
        let late = feed.recv_timeout(SOON).unwrap_err();
        assert_eq!(late, RecvTimeoutError::Timeout);
        assert!(time::timeout(SOON, || feed.recv()).is_err());
        topics.publish("news", 1);
        assert_eq!(next(&feed), 1);
    });
}

#[test]
fn who_is_cancelled_takes_nothing() {
    on_green(|| {
        let topics = Topics::new();
        let feed = Arc::new(topics.subscribe("news"));
        let reader = thread::spawn({
            let feed = feed.clone();
            move || feed.recv().is_ok()
        });
        thread::sleep(SOON);
        reader.cancel().unwrap();
        assert!(reader.join().unwrap_err().is::<Cancelled>());
        topics.publish("news", 1);
        assert_eq!(next(&feed), 1);
    });
}

#[test]
fn it_is_an_arm_of_select() {
    on_both(|| {
        let topics = Topics::new();
        let (one, two) = (topics.subscribe("one"), topics.subscribe("two"));
        let stop = sync::Event::new();
        let choose = || {
            select! {
                recv(one) -> event => format!("one {:?}", event.map(|_| ())),
                recv(&two) -> event => format!("two {:?}", event.map(|_| ())),
                wait(stop) => "stopped".to_owned(),
                after(SOON) => "late".to_owned(),
            }
        };
        assert_eq!(choose(), "late");
        topics.publish("two", ());
        assert_eq!(choose(), "two Ok(())");
        topics.publish("one", ());
        assert_eq!(choose(), "one Ok(())");
        stop.set();
        assert_eq!(choose(), "stopped");
        stop.clear();
        let publisher = thread::spawn(move || {
            thread::sleep(SOON / 4);
            drop(topics);
        });
        until("they have ended", || choose().ends_with("Err(RecvError)"));
        publisher.join().unwrap();
    });
}

#[test]
fn threads_that_share_a_subscription_divide_its_messages() {
    on_green(|| {
        let topics = Topics::new();
        let feed = Arc::new(topics.subscribe("jobs"));
        let workers: Vec<_> = (0..4)
            .map(|_| feed.clone())
            .map(|feed| {
                thread::spawn(move || feed.messages().map(|job| *job.payload()).sum::<u64>())
            })
            .collect();
        (1..=1000).for_each(|job| assert_eq!(topics.publish("jobs", job), 1));
        drop(topics);
        let sums = thread::join_all(workers).into_iter().map(Result::unwrap);
        assert_eq!(sums.sum::<u64>(), 1000 * 1001 / 2);
    });
}

#[test]
fn all_receive_one_order() {
    on_green(|| {
        let topics = Topics::new();
        let options = Options::default()
            .slow_subscriber(SlowSubscriber::Wait)
            .capacity(8);
        let readers: Vec<_> = ["even", "odd"]
            .into_iter()
            .cycle()
            .take(10)
            .map(|name| {
                let mut feed = topics.subscribe_with(pattern("*"), &options);
                feed.add(name);
                thread::spawn(move || -> Vec<(usize, u32)> {
                    feed.messages().map(|message| *message.payload()).collect()
                })
            })
            .collect();
        let publishers: Vec<_> = (0..4)
            .map(|publisher| {
                let topics = topics.clone();
                thread::spawn(move || {
                    for number in 0..500 {
                        let topic = if number % 2 == 0 { "even" } else { "odd" };
                        assert_eq!(topics.publish(topic, (publisher, number)), 10);
                    }
                })
            })
            .collect();
        drop(topics);
        assert!(thread::join_all(publishers).iter().all(Result::is_ok));
        let mut orders = thread::join_all(readers).into_iter().map(Result::unwrap);
        let first = orders.next().unwrap();
        assert_eq!(first.len(), 2000);
        for publisher in 0..4 {
            let own = first.iter().filter(|(from, _)| *from == publisher);
            assert!(own.map(|(_, number)| *number).eq(0..500), "in its order");
        }
        assert!(orders.all(|order| order == first));
    });
}

/// Publishes again when it is dropped.
struct Echo(Topics<Option<Echo>>, Arc<AtomicUsize>);

impl Drop for Echo {
    fn drop(&mut self) {
        self.0.publish("echo", None);
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn the_destructor_of_a_payload_may_use_the_topics() {
    on_green(|| {
        use greenwire_realtime::pubsub::Config;
        let topics = Topics::with(Config::default().history(1).max_remembered(2));
        let options = Options::default().capacity(1);
        let feed = topics.subscribe_with("news", &options);
        let dropped = Arc::new(AtomicUsize::new(0));
        let echo = || Some(Echo(topics.clone(), dropped.clone()));
        for topic in [
            "news", "news", "news", "weather", "sports", "weather", "culture",
        ] {
            topics.publish(topic, echo());
        }
        drop(feed);
        assert_eq!(topics.publish("news", None), 0);
        until("all of the news are dropped", || {
            dropped.load(Ordering::Relaxed) >= 4
        });
    });
}

#[test]
fn nothing_is_kept_of_what_all_have_received() {
    on_both(|| {
        let topics = Topics::new();
        let feeds: Vec<_> = (0..3).map(|_| topics.subscribe("news")).collect();
        let payload = Arc::new(());
        let watch: Weak<()> = Arc::downgrade(&payload);
        topics.publish("news", payload);
        feeds[0].recv().unwrap();
        feeds[1].recv().unwrap();
        assert_eq!(watch.strong_count(), 1, "the third has it in its queue");
        drop(feeds);
        assert_eq!(watch.strong_count(), 0);
    });
}
