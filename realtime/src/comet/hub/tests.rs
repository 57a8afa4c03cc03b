//! The rules of clients and channels, with a clock that the tests move.

use super::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// A hub, and its clock.
struct World {
    hub: Hub,
    now: Instant,
}

impl World {
    fn new() -> World {
        World::with(Limits::default())
    }

    fn with(limits: Limits) -> World {
        let hub = Hub::new(limits);
        let now = Instant::now();
        World { hub, now }
    }

    /// Lets time pass, and collects as often as the server does.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            self.hub.collect(0, usize::MAX, self.now);
        }
    }

    fn create(&mut self, id: &str) -> String {
        self.hub.create_client(id, self.now).unwrap()
    }

    fn subscribe(&mut self, id: &str, channel: &str) {
        self.hub.subscribe(id, channel, self.now).unwrap();
    }

    fn say(&mut self, channel: &str, message: &str) {
        self.hub
            .new_message("ann", message, channel, self.now)
            .unwrap();
    }

    fn attach(
        &mut self,
        clients: &[(&str, &str)],
        cursors: &[(&str, u64)],
    ) -> Result<Reading, Error> {
        let clients: Vec<_> = clients
            .iter()
            .map(|(id, key)| (id.to_string(), key.to_string()))
            .collect();
        let cursors: BTreeMap<_, _> = cursors
            .iter()
            .map(|(name, last)| (name.to_string(), *last))
            .collect();
        let (reader, position) = self.hub.attach(&clients, &cursors, self.now)?;
        Ok(Reading { reader, position })
    }

    /// What a poll finds at once.
    fn poll(&mut self, clients: &[(&str, &str)], cursors: &[(&str, u64)]) -> String {
        let reading = match self.attach(clients, cursors) {
            Ok(reading) => reading,
            Err(error) => return error.to_string(),
        };
        let found = self.found(&reading);
        self.hub.detach(&reading.reader, self.now);
        found
    }

    fn found(&mut self, reading: &Reading) -> String {
        let updates = self.hub.updates(&reading.reader, &reading.position);
        let updates = match updates {
            Ok(updates) => updates,
            Err(error) => return error.to_string(),
        };
        self.hub.advance(&reading.reader, &updates);
        let channel =
            |update: &Update| format!("{}: {}", update.channel, update.messages.join(" "));
        updates.iter().map(channel).collect::<Vec<_>>().join("; ")
    }
}

struct Reading {
    reader: Reader,
    position: Position,
}

/// A message as it is encoded.
fn message(id: u64, text: &str, from: &str) -> String {
    super::super::json::to_string(&(id, text, from))
}

#[test]
fn a_client_gets_what_comes_after_it_subscribed_once() {
    let mut world = World::new();
    world.say("room", "before");
    let key = world.create("ben");
    world.subscribe("ben", "room");
    world.say("room", "hi");
    let subscribed = message(2, SUBSCRIBED, "ben");
    let hi = message(3, "hi", "ann");
    assert_eq!(
        world.poll(&[("ben", &key)], &[]),
        format!("room: {subscribed} {hi}")
    );
    assert_eq!(world.poll(&[("ben", &key)], &[]), "");
}

#[test]
fn a_cursor_gets_again_what_was_lost_but_nothing_from_before_the_subscription() {
    let mut world = World::new();
    world.say("room", "before");
    let key = world.create("ben");
    world.subscribe("ben", "room");
    world.say("room", "hi");
    world.poll(&[("ben", &key)], &[]);
    let subscribed = message(2, SUBSCRIBED, "ben");
    let hi = message(3, "hi", "ann");
    for (cursor, found) in [
        (0, format!("room: {subscribed} {hi}")),
        (1, format!("room: {subscribed} {hi}")),
        (2, format!("room: {hi}")),
        (3, String::new()),
        (u64::MAX, String::new()),
    ] {
        assert_eq!(world.poll(&[("ben", &key)], &[("room", cursor)]), found);
    }
    world.say("room", "next");
    let next = message(4, "next", "ann");
    assert_eq!(
        world.poll(&[("ben", &key)], &[("elsewhere", 7)]),
        format!("room: {next}")
    );
}

#[test]
fn only_the_latest_messages_are_kept() {
    let mut world = World::new();
    let key = world.create("ben");
    world.subscribe("ben", "room");
    for n in 0..15 {
        world.say("room", &n.to_string());
    }
    let kept: Vec<_> = (5..15)
        .map(|n| message(n + 2, &n.to_string(), "ann"))
        .collect();
    assert_eq!(
        world.poll(&[("ben", &key)], &[]),
        format!("room: {}", kept.join(" "))
    );
}

#[test]
fn two_polls_of_a_client_get_the_same_messages() {
    let mut world = World::new();
    let key = world.create("ben");
    world.subscribe("ben", "room");
    world.poll(&[("ben", &key)], &[]);
    let one = world.attach(&[("ben", &key)], &[]).unwrap();
    let other = world.attach(&[("ben", &key)], &[]).unwrap();
    world.say("room", "hi");
    world.subscribe("ben", "late");
    let expected = format!(
        "late: {}; room: {}",
        message(1, SUBSCRIBED, "ben"),
        message(2, "hi", "ann")
    );
    assert_eq!(world.found(&one), expected);
    assert_eq!(world.found(&other), expected);
}

#[test]
fn a_poll_for_several_clients_gives_what_any_of_them_has_not_had() {
    let mut world = World::new();
    let (ben, cleo) = (world.create("ben"), world.create("cleo"));
    world.subscribe("ben", "room");
    world.subscribe("cleo", "room");
    world.poll(&[("cleo", &cleo)], &[]);
    world.say("room", "hi");
    let both: Vec<_> = [
        message(1, SUBSCRIBED, "ben"),
        message(2, SUBSCRIBED, "cleo"),
        message(3, "hi", "ann"),
    ]
    .into();
    let clients = [("ben", &*ben), ("cleo", &*cleo)];
    assert_eq!(
        world.poll(&clients, &[]),
        format!("room: {}", both.join(" "))
    );
    assert_eq!(world.poll(&clients, &[]), "");
    assert_eq!(world.poll(&[("cleo", &cleo)], &[]), "");
}

#[test]
fn bells_are_rung_for_those_who_are_subscribed() {
    let mut world = World::new();
    let (ben, cleo) = (world.create("ben"), world.create("cleo"));
    world.subscribe("ben", "room");
    let ben = world.attach(&[("ben", &ben)], &[]).unwrap();
    let cleo = world.attach(&[("cleo", &cleo)], &[]).unwrap();
    world.hub.take_due();
    world.say("room", "hi");
    let rung = world.hub.take_due();
    assert_eq!(rung.len(), 1);
    assert!(Arc::ptr_eq(&rung[0], ben.reader.bell()));
    world.subscribe("cleo", "room");
    let rung = world.hub.take_due();
    assert!(
        rung.iter()
            .any(|bell| Arc::ptr_eq(bell, cleo.reader.bell()))
    );
    world.hub.detach(&ben.reader, world.now);
    world.say("room", "again");
    assert_eq!(world.hub.take_due().len(), 1);
}

#[test]
fn new_channels_are_announced() {
    let mut world = World::new();
    let key = world.create("boss");
    world.subscribe("boss", "admin");
    world.say("room", "hi");
    let announced = |id, name: &str| {
        let text = format!(r#"{{"type": "new_channel", "name": {name}}}"#);
        message(id, &text, "system")
    };
    // That of `admin` itself came before the subscription.
    let expected = [message(2, SUBSCRIBED, "boss"), announced(3, r#""room""#)];
    assert_eq!(
        world.poll(&[("boss", &key)], &[]),
        format!("admin: {}", expected.join(" "))
    );
    world.say("a\"é", "hi");
    assert_eq!(
        world.poll(&[("boss", &key)], &[]),
        format!("admin: {}", announced(4, r#""a\"\u00e9""#))
    );
}

#[test]
fn who_administers_is_not_counted_and_who_is_only_called_so_is() {
    let mut world = World::new();
    for id in ["boss", "badminton", "ben"] {
        world.create(id);
        world.subscribe(id, "room");
    }
    world.subscribe("boss", "admin");
    let clients = world.hub.channel_clients("room", world.now).unwrap();
    assert_eq!(clients, ["badminton", "ben"].map(Arc::<str>::from));
}

#[test]
fn a_client_that_does_not_read_is_collected_and_its_channels_are_told() {
    let mut world = World::new();
    let key = world.create("ben");
    world.subscribe("ben", "room");
    let boss = world.create("boss");
    world.subscribe("boss", "room");
    let reading = world.attach(&[("boss", &boss)], &[]).unwrap();
    world.pass(60);
    assert_eq!(
        world.hub.client_channels("ben").unwrap(),
        [Arc::<str>::from("room")]
    );
    world.found(&reading);
    world.pass(1);
    assert_eq!(world.hub.client_channels("ben"), Err(Error::UnknownClient));
    assert!(world.hub.knows("ben", &key));
    assert!(
        world
            .found(&reading)
            .contains(&message(3, COLLECTED, "ben"))
    );
    // Who reads is never idle; who stops has ten seconds.
    world.pass(1000);
    world.hub.detach(&reading.reader, world.now);
    world.pass(10);
    assert!(world.hub.client_channels("boss").is_ok());
    world.pass(1);
    assert!(world.hub.client_channels("boss").is_err());
}

#[test]
fn a_collected_client_comes_back_to_its_place() {
    let mut world = World::new();
    let key = world.create("ben");
    world.subscribe("ben", "room");
    world.poll(&[("ben", &key)], &[]);
    world.pass(100);
    world.say("room", "missed");
    let missed = [
        message(2, COLLECTED, "ben"),
        message(3, "missed", "ann"),
        message(4, SUBSCRIBED, "ben"),
    ];
    assert_eq!(
        world.poll(&[("ben", &key)], &[]),
        format!("room: {}", missed.join(" "))
    );
}

#[test]
fn a_wrong_key_changes_nothing() {
    let mut world = World::new();
    let key = world.create("ben");
    world.subscribe("ben", "room");
    world.pass(100);
    let unknown = Error::UnknownClient.to_string();
    assert_eq!(world.poll(&[("ben", "0")], &[]), unknown);
    assert_eq!(world.poll(&[("ben", &key), ("ann", "0")], &[]), unknown);
    assert!(
        world.hub.client_channels("ben").is_err(),
        "it is still dead"
    );
}

#[test]
fn creating_a_collected_client_again_brings_it_back() {
    let mut world = World::new();
    let key = world.create("ben");
    assert_eq!(world.create("ben"), key);
    world.subscribe("ben", "room");
    world.pass(100);
    assert_eq!(world.create("ben"), key);
    assert_eq!(
        world.hub.client_channels("ben").unwrap(),
        [Arc::<str>::from("room")]
    );
}

#[test]
fn the_dead_are_forgotten_after_a_time_and_beyond_a_number() {
    let limits = Limits {
        max_reconnecting: 2,
        reconnect_within: Duration::from_secs(100),
        ..Limits::default()
    };
    let mut world = World::with(limits);
    let keys: Vec<_> = ["a", "b", "c"].map(|id| world.create(id)).into();
    world.pass(61);
    assert!(!world.hub.knows("a", &keys[0]));
    assert!(world.hub.knows("b", &keys[1]) && world.hub.knows("c", &keys[2]));
    world.pass(100);
    assert!(world.hub.knows("c", &keys[2]));
    world.pass(1);
    assert!(!world.hub.knows("b", &keys[1]) && !world.hub.knows("c", &keys[2]));
}

#[test]
fn a_killed_client_does_not_come_back_and_its_readers_are_told() {
    let mut world = World::new();
    let key = world.create("ben");
    world.subscribe("ben", "room");
    let reading = world.attach(&[("ben", &key)], &[]).unwrap();
    world.hub.take_due();
    world.hub.kill_client("ben").unwrap();
    assert!(!world.hub.take_due().is_empty());
    let new_key = world.create("ben");
    assert_ne!(new_key, key);
    // Another client may have its place in the table by now.
    assert_eq!(world.found(&reading), Error::UnknownClient.to_string());
    world.hub.detach(&reading.reader, world.now);
    assert_eq!(world.hub.kill_client("eve"), Err(Error::UnknownClient));
}

#[test]
fn a_client_that_was_collected_can_be_killed() {
    let mut world = World::new();
    let key = world.create("ben");
    world.subscribe("ben", "room");
    world.pass(61);
    assert!(world.hub.client_channels("ben").is_err());
    assert!(world.hub.knows("ben", &key), "it may come back");
    world.hub.kill_client("ben").unwrap();
    let unknown = Error::UnknownClient.to_string();
    assert_eq!(world.poll(&[("ben", &key)], &[]), unknown);
    assert_eq!(world.hub.kill_client("ben"), Err(Error::UnknownClient));
}

#[test]
fn a_client_that_was_collected_can_be_unsubscribed() {
    let mut world = World::new();
    let key = world.create("ben");
    world.subscribe("ben", "room");
    world.subscribe("ben", "hall");
    world.pass(61);
    world.hub.unsubscribe("ben", "room", world.now).unwrap();
    world.attach(&[("ben", &key)], &[]).unwrap();
    assert_eq!(
        *world.hub.client_channels("ben").unwrap(),
        [Arc::from("hall")]
    );
}

#[test]
fn whom_the_application_asks_for_has_time_to_subscribe() {
    let mut world = World::new();
    let key = world.create("ben");
    world.pass(60);
    assert_eq!(world.create("ben"), key);
    world.pass(1);
    world.subscribe("ben", "room");
}

#[test]
fn ids_go_on_where_an_unused_channel_ended() {
    let mut world = World::new();
    let key = world.create("ben");
    world.subscribe("ben", "room");
    world.poll(&[("ben", &key)], &[]);
    world.pass(2 * 60 * 60);
    world.say("room", "anybody?");
    let found = world.poll(&[("ben", &key)], &[]);
    // 1 and 2 were in the channel that is gone.
    assert_eq!(
        found,
        format!(
            "room: {} {}",
            message(3, "anybody?", "ann"),
            message(4, SUBSCRIBED, "ben")
        )
    );
}

#[test]
fn there_is_a_limit_to_everything() {
    let limits = Limits {
        max_clients: 1,
        max_channels: 2,
        max_message: 4,
        ..Limits::default()
    };
    let mut world = World::with(limits);
    world.create("ben");
    let now = world.now;
    let hub = &mut world.hub;
    let too_many = Err(Error::TooManyClients { most: 1 });
    assert_eq!(hub.create_client("cleo", now), too_many);
    assert_eq!(hub.create_client("", now), Err(Error::BadName));
    let long = "x".repeat(LONGEST_NAME + 1);
    assert_eq!(hub.create_client(&long, now), Err(Error::BadName));
    assert_eq!(hub.subscribe("ben", "", now), Err(Error::BadName));
    assert_eq!(
        hub.subscribe("cleo", "room", now),
        Err(Error::UnknownClient)
    );
    hub.subscribe("ben", "room", now).unwrap(); // and `admin`
    let too_many = Err(Error::TooManyChannels { most: 2 });
    assert_eq!(hub.subscribe("ben", "other", now), too_many);
    let too_large = Err(Error::MessageTooLarge { most: 4 });
    assert_eq!(hub.new_message("ann", "12345", "room", now), too_large);
    assert_eq!(
        hub.new_message(&long, "1234", "room", now),
        Err(Error::BadName)
    );
    assert_eq!(hub.new_message("ann", "1234", "room", now), Ok(()));
}
