//! One connection publishes, the others follow the feed.

use crate::frames::{self, TEXT};
use crate::tally::Tally;
use greenwire::net::TcpStream;
use greenwire::thread::{self, Thread};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Error, ErrorKind, Read, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A message begins with its number, in this many digits.
const DIGITS: usize = 16;

/// The first message goes again and again: who has the answer to its handshake need not be on the
/// server's list yet.
const UNTIL_AGAIN: Duration = Duration::from_millis(50);

/// The feed reads this much at once.
const CHUNK: usize = 4096;

/// What publisher and feed know of each other.
///
/// The publisher sends a message when the one before has reached everybody.
pub(crate) struct Broadcast {
    size: usize,
    begin: Instant,
    /// When the message was sent that is on its way, in nanoseconds after `begin`.
    sent: AtomicU64,
    /// How many have yet to receive it.
    missing: AtomicUsize,
    followers: usize,
    publisher: OnceLock<Thread>,
}

impl Broadcast {
    /// Messages of `size` bytes to `followers`.
    pub(crate) fn new(size: usize, followers: usize) -> Broadcast {
        Broadcast {
            size: size.max(DIGITS),
            begin: Instant::now(),
            sent: AtomicU64::new(0),
            missing: AtomicUsize::new(0),
            followers,
            publisher: OnceLock::new(),
        }
    }

    /// Sends one message after the other until all are to stop.
    pub(crate) fn publish(&self, mut stream: &TcpStream, tally: &Tally) -> io::Result<()> {
        self.publisher.get_or_init(thread::current);
        let random = RandomState::new();
        let mut frame = Vec::new();
        for number in 0.. {
            let mask = (random.hash_one(number) as u32).to_be_bytes();
            frame.clear();
            frames::push_masked(&mut frame, TEXT, &self.message(number), mask);
            self.missing.store(self.followers, Relaxed);
            self.sent
                .store(self.begin.elapsed().as_nanos() as u64, Relaxed);
            stream.write_all(&frame)?;
            while self.missing.load(Relaxed) > 0 {
                if number > 0 {
                    thread::park();
                } else {
                    thread::park_timeout(UNTIL_AGAIN);
                    stream.write_all(&frame)?;
                }
                if tally.is_stopping() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Ends a publisher that waits for its followers; the tally says that it is to end.
    pub(crate) fn wake(&self) {
        if let Some(publisher) = self.publisher.get() {
            publisher.unpark();
        }
    }

    /// Receives all messages, and checks them.
    pub(crate) fn follow(
        &self,
        mut stream: &TcpStream,
        early: Vec<u8>,
        tally: &Tally,
    ) -> io::Result<()> {
        let mut bytes = early;
        let repeated = self.frame(0);
        let mut number = 0;
        loop {
            let wanted = self.frame(number);
            while bytes.len() < wanted.len() {
                let mut chunk = [0; CHUNK];
                match stream.read(&mut chunk)? {
                    0 => return Ok(()),
                    read => bytes.extend_from_slice(&chunk[..read]),
                }
            }
            if bytes.starts_with(&wanted) {
                number += 1;
                self.received(tally);
            } else if !bytes.starts_with(&repeated) {
                return Err(Error::new(
                    ErrorKind::InvalidData,
                    "not the message that was published",
                ));
            }
            bytes.drain(..wanted.len());
        }
    }

    /// A message as followers get it.
    fn frame(&self, number: u64) -> Vec<u8> {
        let mut frame = Vec::new();
        frames::push_header(&mut frame, TEXT, self.size, 0);
        frame.extend(self.message(number));
        frame
    }

    fn received(&self, tally: &Tally) {
        let sent = Duration::from_nanos(self.sent.load(Relaxed));
        tally.answered(self.begin.elapsed().saturating_sub(sent), 1);
        if self.missing.fetch_sub(1, Relaxed) == 1 {
            self.wake();
        }
    }

    fn message(&self, number: u64) -> Vec<u8> {
        let mut message = format!("{number:0DIGITS$}").into_bytes();
        message.resize(self.size, b'.');
        message
    }
}
