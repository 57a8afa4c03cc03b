//! The rules of a session's life, with a clock that the tests step.

use super::*;

const DELAY: Duration = Duration::from_secs(5);
const HEARTBEAT: Duration = Duration::from_secs(25);
const ROOM: usize = 1000;

/// A session and its clock.
struct Story {
    mailbox: Mailbox,
    now: Instant,
}

impl Story {
    fn new(slow_reader: SlowReader, max_queued: usize) -> Story {
        let limits = Limits {
            max_queued,
            slow_reader,
            disconnect_delay: DELAY,
            heartbeat: HEARTBEAT,
        };
        let now = Instant::now();
        Story {
            mailbox: Mailbox::new(limits, now),
            now,
        }
    }

    /// One whose client knows that it is open; nobody receives.
    fn open() -> Story {
        let mut story = Story::new(SlowReader::Wait, 1000);
        assert_eq!(story.poll(), "o");
        story
    }

    fn receiver(&mut self) -> u64 {
        self.mailbox.arrive(self.now).unwrap()
    }

    fn next(&mut self, receiver: u64) -> String {
        let frame = self.mailbox.next_frame(receiver, ROOM, self.now);
        frame.map_or_else(|| "nothing yet".to_owned(), |frame| frame.encode())
    }

    /// What a whole response holds.
    fn poll(&mut self) -> String {
        match self.mailbox.arrive(self.now) {
            Ok(receiver) => {
                let frame = self.next(receiver);
                self.mailbox.leave(receiver, self.now);
                frame
            }
            Err(close) => Frame::Close(close).encode(),
        }
    }

    fn send(&mut self, text: &str) -> Offer {
        self.mailbox.offer(&format!("\"{text}\"").into())
    }

    fn pass(&mut self, time: Duration) -> Tick {
        self.now += time;
        self.mailbox.tick(self.now)
    }
}

#[test]
fn messages_wait_for_a_receiver_and_come_together() {
    let mut story = Story::open();
    assert_eq!(story.poll(), "nothing yet");
    assert_eq!(story.send("a"), Offer::Taken);
    assert_eq!(story.send("b"), Offer::Taken);
    assert_eq!(story.poll(), r#"a["a","b"]"#);
    assert_eq!(story.poll(), "nothing yet");
}

#[test]
fn a_frame_holds_about_as_much_as_there_is_room_for() {
    let mut story = Story::open();
    let receiver = story.receiver();
    for text in ["aaa", "bbb", "ccc"] {
        story.send(text);
    }
    let frame = story.mailbox.next_frame(receiver, 6, story.now).unwrap();
    assert_eq!(frame.encode(), r#"a["aaa","bbb"]"#);
    assert_eq!(story.next(receiver), r#"a["ccc"]"#);
}

#[test]
fn only_one_receiver_at_a_time() {
    let mut story = Story::open();
    let receiver = story.receiver();
    assert_eq!(story.poll(), r#"c[2010,"Another connection still open"]"#);
    story.send("still mine");
    assert_eq!(story.next(receiver), r#"a["still mine"]"#);
}

#[test]
fn a_closed_session_says_so_until_it_expires() {
    let mut story = Story::new(SlowReader::Wait, 1000);
    story.send("last");
    story.mailbox.close(Close::GO_AWAY);
    assert_eq!(story.send("too late"), Offer::Closed);
    assert_eq!(story.poll(), "o");
    assert_eq!(story.poll(), r#"a["last"]"#);
    for _ in 0..3 {
        assert_eq!(story.poll(), r#"c[3000,"Go away!"]"#);
    }
    assert_eq!(story.pass(DELAY / 2), Tick::Nothing);
    assert_eq!(story.poll(), r#"c[3000,"Go away!"]"#);
    assert_eq!(story.pass(DELAY / 2), Tick::Expired);
}

#[test]
fn closing_unlinks_the_receiver() {
    let mut story = Story::open();
    let receiver = story.receiver();
    story.mailbox.close(Close::GO_AWAY);
    assert_eq!(story.poll(), r#"c[3000,"Go away!"]"#);
    assert_eq!(story.next(receiver), r#"c[3000,"Go away!"]"#);
}

#[test]
fn the_first_reason_for_a_close_is_the_one_that_counts() {
    let mut story = Story::open();
    story.mailbox.close(Close::FAILED);
    story.mailbox.close(Close::GO_AWAY);
    assert_eq!(story.poll(), r#"c[1011,"Internal error"]"#);
}

#[test]
fn a_receiver_that_vanishes_ends_the_session() {
    let mut story = Story::open();
    let receiver = story.receiver();
    story.send("lost");
    assert!(story.mailbox.interrupt(receiver, story.now));
    assert_eq!(story.poll(), r#"c[1002,"Connection interrupted"]"#);
    assert_eq!(story.next(receiver), r#"c[1002,"Connection interrupted"]"#);
    // It was replaced already, and says so late.
    story.mailbox.leave(receiver, story.now);
    assert!(story.mailbox.is_closed());
}

#[test]
fn who_has_left_cannot_interrupt() {
    let mut story = Story::open();
    let receiver = story.receiver();
    story.mailbox.leave(receiver, story.now);
    assert!(!story.mailbox.interrupt(receiver, story.now));
    assert!(!story.mailbox.is_closed());
}

#[test]
fn without_a_receiver_a_session_expires() {
    let mut story = Story::open();
    assert_eq!(story.pass(DELAY / 2), Tick::Nothing);
    let receiver = story.receiver();
    assert_eq!(story.pass(DELAY * 2), Tick::Nothing);
    story.mailbox.leave(receiver, story.now);
    assert_eq!(story.pass(DELAY / 2), Tick::Nothing);
    assert_eq!(story.pass(DELAY / 2), Tick::Expired);
    assert!(story.mailbox.is_closed() && story.mailbox.is_expired());
    assert_eq!(story.poll(), r#"c[1006,"Session timed out"]"#);
}

#[test]
fn a_silent_session_beats() {
    let mut story = Story::open();
    let receiver = story.receiver();
    assert_eq!(story.pass(HEARTBEAT / 2), Tick::Nothing);
    story.send("x");
    assert_eq!(story.next(receiver), r#"a["x"]"#);
    assert_eq!(story.pass(HEARTBEAT / 2), Tick::Nothing);
    assert_eq!(story.pass(HEARTBEAT / 2), Tick::HeartbeatDue);
    assert_eq!(story.next(receiver), "h");
    assert_eq!(story.next(receiver), "nothing yet");
    // Only who receives can be told.
    story.mailbox.leave(receiver, story.now);
    assert_eq!(story.pass(DELAY / 2), Tick::Nothing);
}

#[test]
fn slow_readers() {
    let fill = |policy| {
        let mut story = Story::new(policy, 2 * (3 + OVERHEAD));
        assert_eq!(story.poll(), "o");
        let offers = ["1", "2", "3"].map(|text| story.send(text));
        (offers[2], story.poll(), story.mailbox.dropped())
    };
    let kept = r#"a["1","2"]"#.to_owned();
    assert_eq!(fill(SlowReader::Wait), (Offer::Full, kept.clone(), 0));
    assert_eq!(fill(SlowReader::DropNewest), (Offer::Dropped, kept, 1));
    let newest = r#"a["2","3"]"#.to_owned();
    assert_eq!(fill(SlowReader::DropOldest), (Offer::Taken, newest, 1));
    let parted = r#"c[1013,"Reads too slowly"]"#.to_owned();
    assert_eq!(fill(SlowReader::Disconnect), (Offer::Parted, parted, 0));
}

#[test]
fn what_the_client_sends_waits_for_the_handler() {
    let mut story = Story::new(SlowReader::Wait, 3 + OVERHEAD);
    assert!(!story.mailbox.is_congested());
    story
        .mailbox
        .deliver(vec!["one".to_owned(), "two".to_owned()]);
    assert!(story.mailbox.is_congested());
    assert_eq!(story.mailbox.take().as_deref(), Some("one"));
    story.mailbox.close(Close::GO_AWAY);
    assert!(!story.mailbox.is_congested());
    story.mailbox.deliver(vec!["three".to_owned()]);
    assert_eq!(story.mailbox.take().as_deref(), Some("two"));
    assert_eq!(story.mailbox.take(), None);
}
