//! One connection that sends requests and gets answers.

use crate::echo::Echo;
use crate::http::Responses;
use crate::requests::Requests;
use crate::tally::Tally;
use greenwire::net::TcpStream;
use greenwire::thread;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Answers are read into this much memory at most, and at least.
const MOST: usize = 64 * 1024;
const LEAST: usize = 2048;

/// What has to come.
pub(crate) enum Answers {
    /// Known bytes.
    Echo(Echo),
    /// HTTP responses.
    Http(Responses),
}

impl Answers {
    /// How many answers end in these bytes, the next that came.
    pub(crate) fn accept(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Answers::Echo(echo) => echo.accept(bytes),
            Answers::Http(responses) => responses.accept(bytes),
        }
    }
}

/// A connection, with what it sends and what has to come.
pub(crate) struct Exchange {
    pub(crate) stream: TcpStream,
    pub(crate) requests: Requests,
    pub(crate) answers: Answers,
    buffer: Vec<u8>,
}

impl Exchange {
    /// `answer` is about how many bytes come at once.
    pub(crate) fn new(
        stream: TcpStream,
        requests: Requests,
        answers: Answers,
        answer: usize,
    ) -> Exchange {
        Exchange {
            stream,
            requests,
            answers,
            buffer: vec![0; answer.clamp(LEAST, MOST)],
        }
    }

    /// Closed loop: half of the `window` at least is always under way, as far as the socket takes it.
    /// Half of it is asked for at once, as clients with much to ask do. Returns when the stream ends.
    pub(crate) fn closed_loop(&mut self, window: usize, tally: &Tally) -> io::Result<()> {
        let mut under_way = VecDeque::with_capacity(window);
        let mut room = window;
        loop {
            if room >= window.div_ceil(2) {
                under_way.push_back((Instant::now(), room));
                self.requests.send(&self.stream, room)?;
                room = 0;
            } else {
                self.requests.send(&self.stream, 0)?;
            }
            if self.requests.unsent() >= window {
                // Nothing is there to be answered; so nobody else waits either.
                self.requests.finish(&self.stream)?;
            }
            let Some(answers) = self.receive()? else {
                return Ok(());
            };
            settle(&mut under_way, answers, tally);
            room += answers;
        }
    }

    /// Open loop: a request is due every `interval`, beginning at `start`. One that cannot go because the
    /// one before has no answer goes later, and its latency counts from when it was due: what a server
    /// does while it is not asked is not forgotten (coordinated omission).
    pub(crate) fn open_loop(
        &mut self,
        start: Instant,
        interval: Duration,
        tally: &Tally,
    ) -> io::Result<()> {
        let mut due = start;
        loop {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if tally.is_stopping() {
                return Ok(());
            }
            match self.ask() {
                Ok(true) => tally.answered(due.elapsed(), 1),
                ended => {
                    if tally.is_stopping() {
                        self.missed(due, interval, tally);
                    }
                    return ended.map(drop);
                }
            }
            due += interval;
        }
    }

    /// One request and its answer; `false` if the stream ended.
    pub(crate) fn ask(&mut self) -> io::Result<bool> {
        self.requests.send(&self.stream, 1)?;
        self.requests.finish(&self.stream)?;
        loop {
            match self.receive()? {
                None => return Ok(false),
                Some(0) => {}
                Some(_) => return Ok(true),
            }
        }
    }

    /// All that were due have waited until now, the end.
    fn missed(&self, mut due: Instant, interval: Duration, tally: &Tally) {
        let now = Instant::now();
        while due < now {
            tally.unanswered(now - due);
            due += interval;
        }
    }

    /// Reads once: how many answers ended; `None` at the end of the stream.
    fn receive(&mut self) -> io::Result<Option<usize>> {
        match self.stream.read(&mut self.buffer)? {
            0 => Ok(None),
            read => self.answers.accept(&self.buffer[..read]).map(Some),
        }
    }
}

/// Answers come in the order of the requests.
fn settle(under_way: &mut VecDeque<(Instant, usize)>, mut answers: usize, tally: &Tally) {
    let now = Instant::now();
    while answers > 0
        && let Some((sent, waiting)) = under_way.front_mut()
    {
        let count = answers.min(*waiting);
        tally.answered(now - *sent, count);
        answers -= count;
        *waiting -= count;
        if *waiting == 0 {
            under_way.pop_front();
        }
    }
}
