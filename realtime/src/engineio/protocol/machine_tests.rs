//! The life of a session, step by step, on a clock that the tests set.

use super::machine::{Machine, NoSuchSession, Times};
use crate::engineio::{CloseReason, Prepared};
use std::time::{Duration, Instant};

const TIMES: Times = Times {
    ping_interval: Duration::from_millis(300),
    ping_timeout: Duration::from_millis(200),
    upgrade_timeout: Duration::from_millis(1000),
};

/// A session, and a clock.
struct Session {
    machine: Machine,
    start: Instant,
    now: Instant,
}

impl Session {
    fn new(polling: bool) -> Session {
        let now = Instant::now();
        Session {
            machine: Machine::new(TIMES, polling, now),
            start: now,
            now,
        }
    }

    /// So many milliseconds after the beginning.
    fn at(&mut self, millis: u64) -> &mut Session {
        self.now = self.start + Duration::from_millis(millis);
        self
    }

    /// The client answers a ping, so many milliseconds after the beginning.
    fn pong_at(&mut self, millis: u64) -> &mut Session {
        let now = self.start + Duration::from_millis(millis);
        self.machine.pong(now);
        self
    }

    fn poll(&mut self) -> Result<u64, NoSuchSession> {
        self.machine.begin_poll(self.now)
    }

    #[track_caller]
    fn check_take(&mut self, poll: u64, body: Option<&str>) {
        assert_eq!(self.machine.take(poll, self.now).as_deref(), body);
    }

    /// What the time brings: `p`ing, probe `e`xpired, `w`ake, `l`ost, `f`orgotten; and when to look again.
    #[track_caller]
    fn check_tick(&mut self, expected: &str, next: Option<u64>) {
        let tick = self.machine.tick(self.now);
        let flags = [
            ('p', tick.ping),
            ('e', tick.probe_expired),
            ('w', tick.wake_poll),
            ('l', tick.lost),
            ('f', tick.forgotten),
        ];
        let told: String = flags
            .iter()
            .filter_map(|&(flag, is)| is.then_some(flag))
            .collect();
        assert_eq!(told, expected);
        let next = next.map(|millis| self.start + Duration::from_millis(millis));
        assert_eq!(tick.next, next);
    }
}

#[test]
fn a_poll_takes_what_waits() {
    let mut session = Session::new(true);
    session.machine.queue(Prepared::new("a"));
    session.machine.queue(Prepared::new(vec![1, 2, 3, 4]));
    assert_eq!(session.machine.queued(), 2 * 64 + 5);
    let poll = session.poll().unwrap();
    session.check_take(poll, Some("4a\x1ebAQIDBA=="));
    assert_eq!(session.machine.queued(), 0);
    let poll = session.poll().unwrap();
    session.check_take(poll, None);
    assert!(session.machine.has_poll());
    session.machine.queue(Prepared::new("b"));
    session.check_take(poll, Some("4b"));
    assert!(!session.machine.has_poll());
}

#[test]
fn two_polls_are_one_too_many() {
    let mut session = Session::new(true);
    let poll = session.poll().unwrap();
    assert_eq!(session.poll(), Err(NoSuchSession));
    session.check_take(poll, Some("1"));
    assert_eq!(session.poll(), Err(NoSuchSession));
    assert_eq!(
        session.machine.close_reason(),
        Some(CloseReason::TransportError)
    );
    session.check_tick("f", None);
}

#[test]
fn a_heart_beats_after_each_answer() {
    let mut session = Session::new(false);
    session.check_tick("", Some(300));
    session.at(300).check_tick("p", Some(500));
    session.pong_at(310);
    session.at(500).check_tick("", Some(610));
    // A second answer to the same ping changes nothing.
    session.pong_at(500);
    session.at(610).check_tick("p", Some(810));
    session.at(810).check_tick("wlf", None);
    assert_eq!(
        session.machine.close_reason(),
        Some(CloseReason::PingTimeout)
    );
}

#[test]
fn a_poll_gets_the_ping() {
    let mut session = Session::new(true);
    let poll = session.poll().unwrap();
    session.at(300).check_tick("w", Some(500));
    session.check_take(poll, Some("2"));
    let poll = session.poll().unwrap();
    session.at(500).check_tick("wl", Some(30_500));
    session.check_take(poll, Some("1"));
    session.check_tick("f", None);
}

#[test]
fn who_comes_too_late_is_not_let_in() {
    // Nobody has looked at the time.
    let mut session = Session::new(true);
    assert_eq!(session.at(500).poll(), Err(NoSuchSession));
    let mut session = Session::new(true);
    session.at(500);
    assert_eq!(session.machine.begin_post(session.now), Err(NoSuchSession));
    let mut session = Session::new(true);
    session.at(500);
    assert!(!session.machine.begin_probe(session.now));
}

#[test]
fn an_upgrade_takes_what_waits_along() {
    let mut session = Session::new(true);
    assert!(session.machine.begin_probe(session.now));
    assert!(!session.machine.begin_probe(session.now), "one at a time");
    let poll = session.poll().unwrap();
    session.check_take(poll, None);
    session.machine.probe_answers(session.now);
    session.check_take(poll, Some("6"));
    // The next comes back no sooner than the interval says, by itself or by the tick.
    let poll = session.poll().unwrap();
    session.check_take(poll, None);
    session.at(100).check_tick("w", Some(200));
    session.check_take(poll, Some("6"));

    session.machine.queue(Prepared::new("a"));
    let poll = session.poll().unwrap();
    let waiting = session.machine.upgrade(session.now).unwrap();
    assert_eq!(waiting.len(), 1);
    session.check_take(poll, Some("6"));
    assert!(session.machine.is_websocket());
    assert_eq!(session.poll(), Err(NoSuchSession));
    assert!(!session.machine.begin_probe(session.now));
    session.check_tick("", Some(400));
}

#[test]
fn an_upgrade_that_takes_too_long_is_none() {
    let mut session = Session::new(true);
    session.machine.begin_probe(session.now);
    session.pong_at(250).at(250).check_tick("", Some(300));
    session.at(300).check_tick("w", Some(500));
    session.pong_at(400);
    session.at(700).check_tick("w", Some(900));
    session.pong_at(800);
    session.at(1000).check_tick("e", Some(1100));
    assert!(session.machine.upgrade(session.now).is_none());
    session.poll().unwrap();
}

#[test]
fn good_byes() {
    for (reason, body) in [
        (CloseReason::ClientClosed, "6"),
        (CloseReason::ForcedClose, "4a\x1e1"),
    ] {
        let mut session = Session::new(true);
        if reason == CloseReason::ForcedClose {
            session.machine.queue(Prepared::new("a"));
        }
        assert!(session.machine.close(reason, session.now));
        assert!(!session.machine.close(reason, session.now), "only once");
        let poll = session.poll().unwrap();
        session.check_take(poll, Some(body));
        assert_eq!(session.poll(), Err(NoSuchSession));
        session.check_tick("f", None);
    }
    let mut session = Session::new(true);
    session.machine.close(CloseReason::ForcedClose, session.now);
    session.check_tick("", Some(30_000));
    session.at(30_000).check_tick("f", Some(30_000));
}

#[test]
fn a_lost_poll_ends_the_session() {
    let mut session = Session::new(true);
    let poll = session.poll().unwrap();
    assert!(!session.machine.lose_poll(poll + 1, session.now));
    assert!(session.machine.lose_poll(poll, session.now));
    session.check_tick("f", None);
}

#[test]
fn requests_that_send_come_one_after_the_other() {
    let mut session = Session::new(true);
    session.machine.begin_post(session.now).unwrap();
    session.machine.end_post();
    session.machine.begin_post(session.now).unwrap();
    assert_eq!(session.machine.begin_post(session.now), Err(NoSuchSession));
    assert!(session.machine.is_closed());
}
