//! Clients whose time is stepped by hand.

use super::*;

const TIMES: Times = Times {
    heartbeat_interval: Duration::from_secs(25),
    heartbeat_timeout: Duration::from_secs(60),
    close_timeout: Duration::from_secs(60),
    poll_duration: Duration::from_secs(20),
};

/// A client, and the seconds since its handshake.
struct Client {
    machine: Machine,
    start: Instant,
}

impl Client {
    fn new() -> Client {
        let start = Instant::now();
        let machine = Machine::new(TIMES, start);
        Client { machine, start }
    }

    fn at(&self, second: u64) -> Instant {
        self.start + Duration::from_secs(second)
    }

    fn poll(&mut self, second: u64) -> u64 {
        self.machine.begin_poll(self.at(second)).unwrap()
    }

    fn take(&mut self, poll: u64, second: u64) -> Option<String> {
        self.machine.take(poll, self.at(second))
    }

    /// What the time has brought, in words.
    fn tick(&mut self, second: u64) -> String {
        let tick = self.machine.tick(self.at(second));
        let words = [
            ("beat", tick.beat),
            ("wake", tick.wake_poll),
            ("lost", tick.lost),
            ("forgotten", tick.forgotten),
        ];
        let next = tick
            .next
            .map(|next| (next - self.start).as_secs().to_string());
        let words = words
            .into_iter()
            .filter(|(_, is)| *is)
            .map(|(word, _)| word.to_owned());
        words.chain(next).collect::<Vec<_>>().join(" ")
    }

    fn close(&mut self, reason: CloseReason, second: u64) -> bool {
        self.machine.close(reason, self.at(second))
    }
}

#[test]
fn a_client_without_a_transport_is_forgotten() {
    let mut client = Client::new();
    assert_eq!(client.tick(29), "30");
    assert_eq!(client.tick(30), "lost forgotten");
    assert_eq!(client.machine.begin_poll(client.at(30)), Err(NoSuchSession));
}

#[test]
fn what_is_sent_between_polls_waits_for_the_next() {
    let mut client = Client::new();
    let poll = client.poll(1);
    assert_eq!(client.take(poll, 1), None);
    client.machine.queue("1::".into());
    assert_eq!(client.take(poll, 2).as_deref(), Some("1::"));
    assert!(!client.machine.has_poll());
    client.machine.queue("3:::5".into());
    client.machine.queue("3:::53d".into());
    assert!(client.machine.queued() > 12);
    let poll = client.poll(3);
    let both = "\u{fffd}5\u{fffd}3:::5\u{fffd}7\u{fffd}3:::53d";
    assert_eq!(client.take(poll, 3).as_deref(), Some(both));
    assert_eq!(client.machine.queued(), 0);
}

#[test]
fn a_poll_ends_after_its_time() {
    let mut client = Client::new();
    let poll = client.poll(1);
    assert_eq!(client.tick(20), "21");
    assert_eq!(client.tick(21), "wake");
    assert_eq!(client.take(poll, 21).as_deref(), Some("8::"));
    assert_eq!(client.tick(22), "81", "the next one is awaited");
    client.poll(30);
    assert_eq!(client.tick(31), "50");
}

#[test]
fn a_new_poll_takes_the_place_of_an_older() {
    let mut client = Client::new();
    let (old, new) = (client.poll(1), client.poll(2));
    client.machine.queue("3:::a".into());
    assert_eq!(client.take(old, 2).as_deref(), Some("8::"));
    assert_eq!(client.take(new, 2).as_deref(), Some("3:::a"));
}

#[test]
fn a_lost_poll_loses_nothing() {
    let mut client = Client::new();
    let poll = client.poll(1);
    client.machine.lose_poll(poll, client.at(2));
    client.machine.queue("3:::a".into());
    client.machine.lose_poll(poll, client.at(3));
    let poll = client.poll(4);
    assert_eq!(client.take(poll, 4).as_deref(), Some("3:::a"));
}

#[test]
fn a_client_that_stays_away_is_lost() {
    let mut client = Client::new();
    let poll = client.poll(1);
    client.machine.lose_poll(poll, client.at(2));
    assert_eq!(client.tick(61), "62");
    assert_eq!(client.tick(62), "lost forgotten");
    assert!(client.machine.is_closed());
}

#[test]
fn a_client_that_polls_is_told_of_the_end() {
    let mut client = Client::new();
    let poll = client.poll(1);
    client.machine.queue("3:::bye".into());
    assert!(client.close(CloseReason::ForcedClose, 2));
    assert!(!client.close(CloseReason::ForcedClose, 2), "once");
    let farewell = "\u{fffd}7\u{fffd}3:::bye\u{fffd}3\u{fffd}0::";
    assert_eq!(client.take(poll, 2).as_deref(), Some(farewell));
    assert!(client.machine.is_forgotten());
}

#[test]
fn the_farewell_waits_for_a_poll() {
    let mut client = Client::new();
    let poll = client.poll(1);
    client.machine.lose_poll(poll, client.at(1));
    client.close(CloseReason::ForcedClose, 2);
    assert_eq!(client.tick(3), "32");
    let poll = client.poll(4);
    assert_eq!(client.take(poll, 4).as_deref(), Some("0::"));
    assert_eq!(client.tick(5), "forgotten");

    let mut client = Client::new();
    let poll = client.poll(1);
    client.machine.lose_poll(poll, client.at(1));
    client.close(CloseReason::ForcedClose, 2);
    assert_eq!(client.tick(32), "forgotten", "it was not lost, but closed");
}

#[test]
fn who_has_said_good_bye_is_not_awaited() {
    let mut client = Client::new();
    let poll = client.poll(1);
    client.machine.queue("1::".into());
    client.take(poll, 1);
    client.close(CloseReason::ClientClosed, 2);
    assert_eq!(client.tick(2), "forgotten");
}

#[test]
fn who_may_come_back_is_not_told_to_stay_away() {
    let mut client = Client::new();
    let poll = client.poll(1);
    client.close(CloseReason::ServerShutdown, 2);
    assert_eq!(client.take(poll, 2).as_deref(), Some("8::"));
    assert_eq!(client.machine.begin_poll(client.at(3)), Err(NoSuchSession));
}

#[test]
fn a_websocket_beats() {
    let mut client = Client::new();
    client.machine.begin_websocket(client.at(5)).unwrap();
    assert_eq!(client.tick(29), "30");
    assert_eq!(client.tick(30), "beat 90");
    client.machine.hear(client.at(40));
    assert_eq!(client.tick(64), "65");
    assert_eq!(
        client.tick(66),
        "beat 125",
        "lateness is not the client's to bear"
    );
    assert_eq!(client.tick(124), "125");
    assert_eq!(client.tick(125), "lost forgotten");
}

#[test]
fn one_transport_for_each_client() {
    let mut client = Client::new();
    client.machine.begin_websocket(client.at(1)).unwrap();
    assert_eq!(
        client.machine.begin_websocket(client.at(1)),
        Err(NoSuchSession)
    );
    assert_eq!(client.machine.begin_poll(client.at(1)), Err(NoSuchSession));
    let mut client = Client::new();
    client.poll(1);
    assert_eq!(
        client.machine.begin_websocket(client.at(1)),
        Err(NoSuchSession)
    );
}
