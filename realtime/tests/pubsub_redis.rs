//! Topics over a real Redis server, which ends and comes back. Two handles that were connected separately know
//! nothing of each other, as two processes.

mod support;

use greenwire_net::TcpListener;
use greenwire_realtime::pubsub::{
    Config, Event, Id, Options, Redis, RedisConfig, Subscription, Topics, pattern,
};
use greenwire_realtime::redis::{Client, Commands, cmd};
use greenwire_runtime::sync::mpsc::TryRecvError;
use greenwire_runtime::{sync::mpsc, thread};
use std::time::{Duration, Instant};
use support::redis_server::RedisServer;
use support::{DEADLINE, on_both, on_green, until};

const SOON: Duration = Duration::from_millis(50);

fn connect(server: &RedisServer) -> Redis {
    Redis::connect(server.url()).unwrap()
}

fn connect_with(server: &RedisServer, config: RedisConfig) -> Redis {
    config.connect(Client::open(server.url()).unwrap()).unwrap()
}

/// The next event, as text: messages by topic and payload.
#[track_caller]
fn next(feed: &Subscription<Vec<u8>>) -> String {
    match feed.recv_timeout(DEADLINE) {
        Ok(Event::Message(message)) => {
            format!("{}: {}", message.topic(), message.as_text().unwrap())
        }
        Ok(event) => format!("{event:?}"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn nothing(feed: &Subscription<Vec<u8>>) {
    let received = feed.recv_timeout(SOON);
    assert!(received.is_err(), "{received:?}");
}

/// What Redis says how many there are: subscriptions to "news", and patterns.
fn known_to_redis(redis: &Redis) -> (u32, u32) {
    let mut connection = redis.pool().get().unwrap();
    let ask = |what: &str, topic: &[&str]| cmd("PUBSUB").arg(what).arg(topic).to_owned();
    let (_, names): (String, u32) = ask("NUMSUB", &["news"]).query(&mut connection).unwrap();
    (names, ask("NUMPAT", &[]).query(&mut connection).unwrap())
}

#[test]
fn processes_share_topics() {
    on_both(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let (one, two) = (connect(&server), connect(&server));
        let news = one.subscribe("news");
        let rooms = two.subscribe(pattern("room.*"));
        assert_eq!(two.publish("news", "hello").unwrap(), 1);
        assert_eq!(one.publish("room.7", "hi").unwrap(), 1);
        assert_eq!(one.publish("weather", "rain").unwrap(), 0);
        assert_eq!(next(&news), "news: hello");
        assert_eq!(next(&rooms), "room.7: hi");
        let again = one.subscribe("news");
        assert_eq!(
            two.publish("news", b"\xff").unwrap(),
            1,
            "one connection each"
        );
        for feed in [&news, &again] {
            let Ok(Event::Message(message)) = feed.recv() else {
                panic!("it is there")
            };
            assert_eq!(
                (message.payload().as_slice(), message.as_text()),
                (&b"\xff"[..], None)
            );
        }
    });
}

#[test]
fn a_message_comes_once_however_often_one_has_subscribed() {
    on_both(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let redis = connect(&server);
        let mut feed = redis.subscribe(pattern("room.*"));
        let other = redis.subscribe(pattern("*"));
        feed.add("room.1");
        // After this, those before are confirmed, too.
        drop(redis.subscribe("another"));
        for topic in ["room.1", "room.2"] {
            redis.publish(topic, "x").unwrap();
        }
        for feed in [&feed, &other] {
            assert_eq!(next(feed), "room.1: x");
            assert_eq!(next(feed), "room.2: x");
            nothing(feed);
        }
    });
}

#[test]
fn who_has_subscribed_receives_what_is_published_next() {
    on_green(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let (one, two) = (connect(&server), connect(&server));
        let stories: Vec<_> = (0..20)
            .map(|number| (format!("topic {}", number % 5), one.clone(), two.clone()))
            .map(|(topic, one, two)| {
                thread::spawn(move || {
                    for _ in 0..30 {
                        let feed = one.subscribe(topic.as_str());
                        assert_eq!(two.publish(&topic, "x").unwrap(), 1);
                        assert_eq!(next(&feed), format!("{topic}: x"));
                    }
                })
            })
            .collect();
        assert!(thread::join_all(stories).iter().all(Result::is_ok));
    });
}

#[test]
fn what_nobody_wants_any_more_is_not_sent() {
    on_both(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let redis = connect(&server);
        let first = redis.subscribe("news");
        let mut second = redis.subscribe("news");
        second.add(pattern("*"));
        until("both are known", || known_to_redis(&redis) == (1, 1));
        drop(first);
        assert!(second.remove(pattern("*")));
        until("one is known", || known_to_redis(&redis) == (1, 0));
        drop(second);
        until("nothing is known", || known_to_redis(&redis) == (0, 0));
    });
}

#[test]
fn the_last_handle_ends_it() {
    on_both(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let watcher = connect(&server);
        let redis = connect(&server);
        let feed = redis.subscribe("news");
        drop(redis.clone());
        watcher.publish("news", "x").unwrap();
        assert_eq!(next(&feed), "news: x");
        drop(redis);
        assert!(feed.recv().is_err());
        until("Redis knows", || known_to_redis(&watcher).0 == 0);
    });
}

/// Kills the server and starts it again, under so many subscribers; each reports on what it received.
#[test]
fn a_thousand_subscribers_survive_the_end_of_the_server() {
    on_green(|| {
        let Some(mut server) = RedisServer::start(&[]) else {
            return;
        };
        let (redis, publisher) = (connect(&server), connect(&server));
        let (tell, told) = mpsc::channel();
        let subscribers: Vec<_> = (0..1000)
            .map(|number| {
                (
                    redis.subscribe(format!("topic {}", number % 50)),
                    tell.clone(),
                )
            })
            .map(|(feed, tell)| thread::spawn(move || report(&feed, &tell)))
            .collect();
        let publish = |text: &str| {
            for topic in 0..50 {
                let reached = publisher.publish(&format!("topic {topic}"), text);
                assert_eq!(reached.unwrap(), 1);
            }
        };
        let all = |wanted: &str| {
            for _ in 0..1000 {
                assert_eq!(told.recv_timeout(DEADLINE).unwrap(), wanted);
            }
        };
        publish("before");
        all("before");
        server.kill();
        all("Disconnected");
        assert!(!redis.is_connected());
        assert!(redis.publish("topic 0", "meanwhile").is_err());
        server.restart();
        all("Reconnected");
        assert!(redis.is_connected());
        for number in 0..20 {
            publish(&number.to_string());
        }
        publish("end");
        let reports = thread::join_all(subscribers)
            .into_iter()
            .map(Result::unwrap);
        let expected: Vec<_> = (0..20).map(|number| number.to_string()).collect();
        assert_eq!(reports.filter(|report| *report == expected).count(), 1000);
    });
}

/// Tells of everything up to the reconnection, and returns what came after it.
fn report(feed: &Subscription<Vec<u8>>, tell: &mpsc::Sender<String>) -> Vec<String> {
    let mut after = Vec::new();
    let mut has_reconnected = false;
    for event in feed {
        match event {
            Event::Message(message) if has_reconnected => match message.as_text() {
                Some("end") => break,
                text => after.push(text.unwrap().to_owned()),
            },
            Event::Message(message) => tell.send(message.as_text().unwrap().to_owned()).unwrap(),
            event => {
                has_reconnected |= matches!(event, Event::Reconnected);
                tell.send(format!("{event:?}")).unwrap();
            }
        }
    }
    after
}

#[test]
fn one_may_subscribe_and_leave_while_the_server_is_away() {
    on_green(|| {
        let Some(mut server) = RedisServer::start(&[]) else {
            return;
        };
        let redis = connect(&server);
        let leaves = redis.subscribe("left");
        server.kill();
        assert_eq!(next(&leaves), "Disconnected");
        drop(leaves);
        let feed = redis.subscribe("news");
        assert_eq!(next(&feed), "Disconnected");
        server.restart();
        assert_eq!(next(&feed), "Reconnected");
        redis.publish("news", "x").unwrap();
        assert_eq!(next(&feed), "news: x");
        assert_eq!(redis.publish("left", "x").unwrap(), 0);
    });
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    on_green(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        // Long enough for a busy machine.
        let config = RedisConfig::default().heartbeat(Duration::from_secs(1));
        let redis = connect_with(&server, config);
        let feed = redis.subscribe("news");
        // It answers all questions.
        let quiet = feed.recv_timeout(Duration::from_millis(3500));
        assert!(quiet.is_err(), "{quiet:?}");
        server.signal("-STOP");
        assert_eq!(next(&feed), "Disconnected");
        server.signal("-CONT");
        assert_eq!(next(&feed), "Reconnected");
    });
}

#[test]
fn a_server_that_hangs_up_at_once_is_asked_less_and_less() {
    on_green(|| {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let _redis = Redis::connect(format!("redis://{}/", server.local_addr().unwrap())).unwrap();
        let hang_up = || drop(server.accept().unwrap());
        hang_up();
        let begin = Instant::now();
        (0..6).for_each(|_| hang_up());
        // At least half of 50, 100, … 1600 ms.
        let passed = begin.elapsed();
        assert!(passed > Duration::from_millis(1500), "{passed:?}");
    });
}

#[test]
fn a_topic_that_is_refused_disturbs_nobody_else() {
    on_green(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let mut admin = Client::open(server.url()).unwrap().connect().unwrap();
        let rule = [
            "SETUSER",
            "guest",
            "on",
            ">secret",
            "+@all",
            "resetchannels",
            "&open",
        ];
        cmd("ACL").arg(&rule[..]).exec(&mut admin).unwrap();
        let redis = Redis::connect(format!("redis://guest:secret@{}/", server.addr())).unwrap();
        let open = redis.subscribe("open");
        let closed = redis.subscribe("closed");
        assert_eq!(next(&closed), "Refused(Topic(\"closed\"))");
        let mut both = redis.subscribe("open");
        both.add(pattern("*"));
        assert_eq!(next(&both), "Refused(Pattern(\"*\"))");
        admin.publish::<_, _, ()>("open", "x").unwrap();
        assert_eq!([&open, &both].map(next), ["open: x"; 2]);
        nothing(&closed);
        cmd("ACL")
            .arg(&["SETUSER", "guest", "&closed"])
            .exec(&mut admin)
            .unwrap();
        let allowed = redis.subscribe("closed");
        admin.publish::<_, _, ()>("closed", "y").unwrap();
        assert_eq!([&allowed, &closed].map(next), ["closed: y"; 2]);
        nothing(&open);
    });
}

#[test]
fn version_three_of_the_protocol_makes_no_difference() {
    on_both(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let redis = Redis::connect(format!("{}?protocol=resp3", server.url())).unwrap();
        let news = redis.subscribe("news");
        let rooms = redis.subscribe(pattern("room.*"));
        assert_eq!(redis.publish("news", "hello").unwrap(), 1);
        assert_eq!(redis.publish("room.7", "hi").unwrap(), 1);
        assert_eq!(next(&news), "news: hello");
        assert_eq!(next(&rooms), "room.7: hi");
    });
}

/// Publishes, and returns the id in this process.
fn publish(redis: &Redis, topic: &str, text: &str) -> Id {
    let feed = redis.subscribe(topic);
    redis.publish(topic, text).unwrap();
    let mut messages = feed.messages();
    let message = messages.find(|message| message.as_text() == Some(text));
    message.unwrap().id()
}

fn received_at_once(feed: &Subscription<Vec<u8>>) -> Vec<String> {
    let mut events = Vec::new();
    loop {
        events.push(match feed.try_recv() {
            Ok(Event::Message(message)) => message.as_text().unwrap().to_owned(),
            Ok(event) => format!("{event:?}"),
            Err(TryRecvError::Empty) => return events,
            Err(end) => panic!("{end}"),
        });
    }
}

#[test]
fn a_history_is_complete_or_says_so() {
    on_both(|| {
        let Some(mut server) = RedisServer::start(&[]) else {
            return;
        };
        let config = RedisConfig::default().topics(Config::default().history(10));
        let redis = connect_with(&server, config);
        let resume = |topic: &str, id| {
            let feed = redis.subscribe_with(topic, &Options::default().after(id));
            received_at_once(&feed)
        };
        let seen = publish(&redis, "news", "1");
        // Nobody has subscribed, but it comes all the same.
        redis.publish("news", "2").unwrap();
        let latest = publish(&redis, "news", "3");
        assert_eq!(resume("news", seen), ["2", "3"]);
        assert_eq!(resume("news", latest), [""; 0]);
        assert_eq!(
            resume("weather", latest),
            ["Missed(None)"],
            "it may have been missed"
        );

        server.kill();
        until("it is noticed", || !redis.is_connected());
        server.restart();
        until("it is back", || redis.is_connected());
        assert_eq!(resume("news", latest), ["Missed(None)"]);
        let seen = publish(&redis, "news", "4");
        publish(&redis, "news", "5");
        assert_eq!(resume("news", seen), ["5"]);
    });
}

#[test]
fn a_pattern_has_a_history_while_somebody_subscribes_to_it() {
    on_both(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let config = RedisConfig::default().topics(Config::default().history(10));
        let redis = connect_with(&server, config);
        let rooms = redis.subscribe(pattern("room.*"));
        redis.publish("room.1", "a").unwrap();
        let seen = rooms.messages().next().unwrap().id();
        redis.publish("room.2", "b").unwrap();
        assert_eq!(next(&rooms), "room.2: b");
        let options = Options::default().after(seen);
        let resumed = redis.subscribe_with(pattern("room.*"), &options);
        assert_eq!(received_at_once(&resumed), ["b"]);
        drop((rooms, resumed));
        let resumed = redis.subscribe_with(pattern("room.*"), &options);
        assert_eq!(received_at_once(&resumed), ["Missed(None)"]);
        let resumed = redis.subscribe_with("room.2", &options);
        assert_eq!(received_at_once(&resumed), ["Missed(None)"]);
    });
}

#[test]
fn what_cannot_be_reached_is_an_error_at_first() {
    on_both(|| {
        assert!(Redis::connect("http://localhost/").is_err());
        let refused = Redis::connect("redis://127.0.0.1:1/").unwrap_err();
        assert!(refused.is_connection_refusal(), "{refused}");
    });
}

/// Our patterns mean what Redis's mean, for whatever text.
#[test]
fn patterns_are_those_of_redis() {
    on_both(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let mut redis = Client::open(server.url()).unwrap().connect().unwrap();
        let mut random = 1_u32;
        let mut text = |letters: &[u8]| -> String {
            let mut next = || {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (random >> 16) as usize
            };
            let length = 1 + next() % 6;
            (0..length)
                .map(|_| char::from(letters[next() % letters.len()]))
                .collect()
        };
        let names: Vec<String> = (0..60).map(|_| text(b"ab-]^\\")).collect();
        names
            .iter()
            .for_each(|name| redis.set::<_, _, ()>(name, 1).unwrap());
        for _ in 0..600 {
            let wanted = text(b"ab*?[]^-\\");
            let mut theirs: Vec<String> = redis.keys(&wanted).unwrap();
            let topics = Topics::new();
            let _feed = topics.subscribe(pattern(&wanted));
            let mut ours: Vec<String> = names.clone();
            ours.retain(|name| topics.publish(name, ()) == 1);
            ours.sort();
            ours.dedup();
            theirs.sort();
            assert_eq!(ours, theirs, "{wanted}");
        }
    });
}
