//! What those receive who come late, or come back.

mod support;

use greenwire_realtime::pubsub::{Config, Event, Filter, Id, Options, Topics, pattern};
use greenwire_runtime::sync::mpsc::TryRecvError;
use greenwire_runtime::time::timeout;
use std::sync::{Arc, Weak, mpsc};
use std::time::{Duration, Instant};
use support::on_both;

/// Topics with a history of so many messages.
fn topics(history: usize) -> Topics<u32> {
    Topics::with(Config::default().history(history))
}

/// Publishes, and returns the id.
fn publish(topics: &Topics<u32>, topic: &str, payload: u32) -> Id {
    let feed = topics.subscribe(topic);
    topics.publish(topic, payload);
    feed.messages().next().expect("it was published").id()
}

/// What a subscription with these options receives at once, as text: messages by their payloads.
fn receives(topics: &Topics<u32>, to: impl Into<Filter>, options: &Options) -> Vec<String> {
    let feed = topics.subscribe_with(to, options);
    let mut events = Vec::new();
    loop {
        events.push(match feed.try_recv() {
            Ok(Event::Message(message)) => message.payload().to_string(),
            Ok(event) => format!("{event:?}"),
            Err(TryRecvError::Empty) => return events,
            Err(end) => panic!("{end}"),
        });
    }
}

fn after(id: Id) -> Options {
    Options::default().after(id)
}

#[test]
fn who_comes_back_receives_what_was_missed() {
    on_both(|| {
        let topics = topics(10);
        let ids: Vec<_> = (0..4)
            .map(|number| publish(&topics, "news", number))
            .collect();
        topics.publish("weather", 9);
        assert_eq!(receives(&topics, "news", &after(ids[0])), ["1", "2", "3"]);
        assert_eq!(receives(&topics, "news", &after(ids[3])), [""; 0]);
        assert_eq!(receives(&topics, "news", &Options::default()), [""; 0]);
        assert!(ids.is_sorted());
    });
}

#[test]
fn what_comes_next_follows_what_was_missed() {
    on_both(|| {
        let topics = topics(10);
        let seen = publish(&topics, "news", 0);
        topics.publish("news", 1);
        let feed = topics.subscribe_with("news", &after(seen).capacity(1));
        topics.publish("news", 2);
        let payloads = feed.messages().map(|message| *message.payload()).take(2);
        assert_eq!(
            payloads.collect::<Vec<_>>(),
            [1, 2],
            "each once, and both have room"
        );
    });
}

#[test]
fn a_queue_without_a_bound_has_room_for_the_history_too() {
    on_both(|| {
        let topics = topics(10);
        publish(&topics, "news", 1);
        let options = Options::default().from_beginning().capacity(usize::MAX);
        let feed = topics.subscribe_with("news", &options);
        publish(&topics, "news", 2);
        let received = feed.messages().take(2).map(|message| *message.payload());
        assert_eq!(received.collect::<Vec<_>>(), [1, 2]);
    });
}

#[test]
fn a_gap_is_told_first() {
    on_both(|| {
        let topics = topics(2);
        let ids: Vec<_> = (0..4)
            .map(|number| publish(&topics, "news", number))
            .collect();
        let gap = ["Missed(None)", "2", "3"];
        assert_eq!(receives(&topics, "news", &after(ids[0])), gap);
        assert_eq!(receives(&topics, "news", &after(ids[1])), ["2", "3"]);
        let all = Options::default().from_beginning();
        assert_eq!(receives(&topics, "news", &all), ["2", "3"]);
    });
}

#[test]
fn an_id_of_another_run_is_a_gap() {
    on_both(|| {
        let seen = publish(&topics(2), "news", 0);
        let topics = topics(2);
        topics.publish("news", 1);
        let gap = ["Missed(None)", "1"];
        assert_eq!(receives(&topics, "news", &after(seen)), gap);
    });
}

#[test]
fn without_a_history_only_the_latest_id_leaves_no_gap() {
    on_both(|| {
        let topics = topics(0);
        let seen = publish(&topics, "news", 0);
        assert_eq!(receives(&topics, "news", &after(seen)), [""; 0]);
        topics.publish("news", 1);
        assert_eq!(receives(&topics, "news", &after(seen)), ["Missed(None)"]);
    });
}

#[test]
fn a_pattern_has_the_history_of_all_its_topics() {
    on_both(|| {
        let topics = topics(2);
        let first = publish(&topics, "room.1", 0);
        let second = publish(&topics, "room.2", 1);
        for (topic, number) in [("room.1", 2), ("room.2", 3), ("hall", 4), ("room.1", 5)] {
            topics.publish(topic, number);
        }
        let rooms = || pattern("room.*");
        assert_eq!(receives(&topics, rooms(), &after(second)), ["2", "3", "5"]);
        assert_eq!(
            receives(&topics, rooms(), &after(first)),
            ["1", "2", "3", "5"]
        );
        topics.publish("room.1", 6);
        let gap = ["Missed(None)", "3", "5", "6"];
        assert_eq!(receives(&topics, rooms(), &after(second)), gap);
    });
}

#[test]
fn topics_that_nobody_uses_are_forgotten_and_told_as_a_gap() {
    on_both(|| {
        let topics = Topics::with(Config::default().history(5).max_remembered(10));
        let seen = publish(&topics, "news", 0);
        topics.publish("news", 1);
        let kept = publish(&topics, "kept", 2);
        let _keeps = topics.subscribe("kept");
        for number in 0..30 {
            topics.publish(&format!("topic {number}"), number);
        }
        assert_eq!(receives(&topics, "news", &after(seen)), ["Missed(None)"]);
        topics.publish("news", 3);
        assert_eq!(
            receives(&topics, "news", &after(seen)),
            ["Missed(None)", "3"]
        );
        assert_eq!(receives(&topics, "kept", &after(kept)), [""; 0]);
        let last = receives(&topics, "topic 29", &Options::default().from_beginning());
        assert_eq!(last, ["29"]);
    });
}

/// Else the topic would never be forgotten.
#[test]
fn a_subscription_ends_although_its_thread_is_cut_short() {
    on_both(|| {
        let topics = Topics::with(Config::default().history(1).max_remembered(0));
        let feed = topics.subscribe("news");
        topics.publish("news", 1);
        // Publishing this takes a while, and nobody can leave meanwhile.
        let _slow = topics.subscribe(pattern(&format!("*{}b", "a".repeat(1000))));
        let (start, started) = mpsc::channel();
        let publisher = std::thread::spawn({
            let topics = topics.clone();
            move || {
                start.send(()).unwrap();
                topics.publish(&"a".repeat(5000), 2);
            }
        });
        started.recv().unwrap();
        let _ = timeout(Duration::from_millis(1), || {
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_millis(20) {}
            drop(feed);
        });
        publisher.join().unwrap();
        let all = Options::default().from_beginning();
        assert_eq!(receives(&topics, "news", &all), [""; 0]);
    });
}

#[test]
fn the_history_is_bounded() {
    on_both(|| {
        let topics = Topics::with(Config::default().history(3).max_remembered(4));
        let payload = Arc::new(());
        let watch: Weak<()> = Arc::downgrade(&payload);
        for number in 0..1000 {
            topics.publish(&format!("topic {}", number % 50), payload.clone());
        }
        drop(payload);
        assert!(watch.strong_count() <= 3 * 4, "{}", watch.strong_count());
        for _ in 0..1000 {
            let feed = topics.subscribe("news");
            topics.publish("news", watch.upgrade().unwrap_or_default());
            drop(feed);
        }
        assert!(watch.strong_count() <= 3 * 4, "{}", watch.strong_count());
    });
}

#[test]
fn an_id_is_a_text() {
    on_both(|| {
        let id = publish(&topics(1), "news", 0);
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in [
            "", "-", "1", "1-", "-1", "+1-1", "1-+1", "1-1-1", "x-1", "1 -1",
        ] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    });
}
