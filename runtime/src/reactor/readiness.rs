//! Readiness: one atomic word for each direction of a descriptor, between the reactor that learns of
//! events and the green thread that waits for one.
//!
//! ```text
//!   bit 63   62    61..48      47..46  45..0
//!   crowd    hung  generation  tag     ticket
//!
//!   tag: OPEN     nobody waits; an operation is worth trying
//!        DRAINED  nobody waits; the last read took all there was: no use in trying
//!        WAITING  the ticket waits
//! ```
//!
//! The wait is: look ([`Readiness::look`]), try the operation, and if it would block, publish the
//! ticket *on the condition that nothing has changed since the look*. An event always changes the
//! generation, so one that comes in between makes `publish` fail and the operation is tried again.
//!
//! `hung` is set by the first hang-up or error and stays: the kernel reports an end of stream once,
//! possibly together with the last data, so a short read must not skip the next read any more. The
//! same goes for a stream that has carried urgent data, at which reads end early.
//! `crowd` says that more waiters stand in a list behind the word (two readers on one stream).

use crate::primitive::{AtomicU64, Mutex, Ordering};
use crate::scheduler::Ticket;

const TICKET: u64 = (1 << Ticket::BITS) - 1;
const TAG: u64 = 0b11 << Ticket::BITS;
const OPEN: u64 = 0b00 << Ticket::BITS;
const DRAINED: u64 = 0b01 << Ticket::BITS;
const WAITING: u64 = 0b10 << Ticket::BITS;
const GENERATION_UNIT: u64 = 1 << (Ticket::BITS + 2);
const GENERATION: u64 = !(TICKET | TAG | HUNG | CROWD);
const HUNG: u64 = 1 << 62;
const CROWD: u64 = 1 << 63;

/// The readiness of a descriptor for reading, or for writing.
pub(crate) struct Readiness {
    word: AtomicU64,
    crowd: Mutex<Vec<Ticket>>,
}

/// What [`Readiness::look`] saw, to be given back to `publish` and `drained`.
#[derive(Clone, Copy)]
pub(crate) struct Look(u64);

impl Look {
    /// Whether trying the operation would be in vain.
    pub(crate) fn is_drained(self) -> bool {
        self.0 & TAG == DRAINED
    }
}

impl Readiness {
    pub(crate) fn new() -> Readiness {
        Readiness {
            word: AtomicU64::new(OPEN),
            crowd: Mutex::new(Vec::new()),
        }
    }

    /// To be called before an operation is tried.
    #[inline]
    pub(crate) fn look(&self) -> Look {
        Look(self.word.load(Ordering::Acquire))
    }

    /// Makes `ticket` be woken by the next event. Returns false, and does nothing, if something has
    /// changed since `look`: the operation may succeed now.
    #[must_use]
    #[inline]
    pub(crate) fn publish(&self, look: Look, ticket: Ticket) -> bool {
        if look.0 & (TAG | TICKET) == WAITING | ticket.to_bits() {
            // Published before, by a wait that was woken for another reason.
            return self.word.load(Ordering::Acquire) == look.0;
        }
        if look.0 & TAG == WAITING {
            return self.join_crowd(look, ticket);
        }
        let waiting = look.0 & !(TAG | TICKET) | WAITING | ticket.to_bits();
        self.exchange(look.0, waiting)
    }

    /// Takes a published ticket back, after a wait that ended for another reason.
    pub(crate) fn retract(&self, ticket: Ticket) {
        let waiting = WAITING | ticket.to_bits();
        let mut word = self.word.load(Ordering::Relaxed);
        while word & (TAG | TICKET) == waiting {
            match self.word.compare_exchange_weak(
                word,
                word & !(TAG | TICKET) | OPEN,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        if word & CROWD != 0 {
            self.crowd.lock().unwrap().retain(|other| *other != ticket);
        }
    }

    /// Notes that a read took all there was, so that the next one need not try, unless something has
    /// changed since `look`, or the stream has ever hung up.
    #[inline]
    pub(crate) fn drained(&self, look: Look) {
        if look.0 & HUNG == 0 && look.0 & TAG == OPEN {
            self.exchange(look.0, look.0 | DRAINED);
        }
    }

    /// The reactor's side: something happened. Calls `wake` for everybody who waits.
    #[inline]
    pub(crate) fn event(&self, hung: bool, mut wake: impl FnMut(Ticket)) {
        let hung = if hung { HUNG } else { 0 };
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let generation = word.wrapping_add(GENERATION_UNIT) & GENERATION;
            let open = word & HUNG | hung | generation | OPEN;
            // Release: whoever looks afterwards also sees what the event is about.
            match self
                .word
                .compare_exchange_weak(word, open, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        if word & TAG == WAITING {
            wake(Ticket::from_bits(word & TICKET));
        }
        if word & CROWD != 0 {
            let crowd = std::mem::take(&mut *self.crowd.lock().unwrap());
            crowd.into_iter().for_each(wake);
        }
    }

    /// The list is extended under its lock before the bit is set, and emptied under it after the bit
    /// was cleared, so that an event either sees the ticket or makes `exchange` fail.
    fn join_crowd(&self, look: Look, ticket: Ticket) -> bool {
        let mut crowd = self.crowd.lock().unwrap();
        if !crowd.contains(&ticket) {
            crowd.push(ticket);
        }
        let joined = self.exchange(look.0, look.0 | CROWD);
        if !joined {
            crowd.retain(|other| *other != ticket);
        }
        joined
    }

    #[inline]
    fn exchange(&self, from: u64, to: u64) -> bool {
        self.word
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_crowd_who_comes_again_is_woken_once() {
        let (readiness, mut woken) = (Readiness::new(), Vec::new());
        assert!(readiness.publish(readiness.look(), Ticket::from_bits(1)));
        for _ in 0..3 {
            assert!(readiness.publish(readiness.look(), Ticket::from_bits(2)));
        }
        readiness.event(false, |ticket| woken.push(ticket.to_bits()));
        assert_eq!(woken, [1, 2]);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use loom::sync::{Arc, Condvar, Mutex};

    /// A stream as the kernel keeps it: bytes to read, and one bell for each waiting ticket.
    struct Stream {
        readiness: Readiness,
        bytes: Mutex<usize>,
        bells: [(Mutex<bool>, Condvar); 2],
    }

    impl Stream {
        fn new() -> Arc<Stream> {
            Arc::new(Stream {
                readiness: Readiness::new(),
                bytes: Mutex::new(0),
                bells: Default::default(),
            })
        }

        fn arrive(&self, bytes: usize) {
            *self.bytes.lock().unwrap() += bytes;
            self.readiness.event(false, |ticket| {
                let bell = &self.bells[ticket.to_bits() as usize];
                *bell.0.lock().unwrap() = true;
                bell.1.notify_one();
            });
        }

        /// Reads up to `most` bytes, waiting for the first one.
        fn read(&self, reader: usize, most: usize) -> usize {
            loop {
                let look = self.readiness.look();
                if !look.is_drained() {
                    let mut bytes = self.bytes.lock().unwrap();
                    let taken = most.min(*bytes);
                    *bytes -= taken;
                    drop(bytes);
                    if taken > 0 {
                        if taken < most {
                            self.readiness.drained(look);
                        }
                        return taken;
                    }
                }
                if self
                    .readiness
                    .publish(look, Ticket::from_bits(reader as u64))
                {
                    let (rung, changed) = &self.bells[reader];
                    let mut rung = rung.lock().unwrap();
                    while !*rung {
                        rung = changed.wait(rung).unwrap();
                    }
                    *rung = false;
                }
            }
        }
    }

    #[test]
    fn loom_bytes_that_arrive_at_any_time_are_read() {
        loom::model(|| {
            let stream = Stream::new();
            let writer = {
                let stream = stream.clone();
                loom::thread::spawn(move || {
                    stream.arrive(1);
                    stream.arrive(1);
                })
            };
            let mut read = 0;
            while read < 2 {
                read += stream.read(0, 2);
            }
            writer.join().unwrap();
        });
    }

    #[test]
    fn loom_two_readers_both_get_their_byte() {
        loom::model(|| {
            let stream = Stream::new();
            let reader = {
                let stream = stream.clone();
                loom::thread::spawn(move || stream.read(1, 1))
            };
            stream.arrive(2);
            assert_eq!(stream.read(0, 1), 1);
            assert_eq!(reader.join().unwrap(), 1);
        });
    }

    #[test]
    fn loom_a_retracted_ticket_loses_no_event() {
        loom::model(|| {
            let stream = Stream::new();
            let writer = {
                let stream = stream.clone();
                loom::thread::spawn(move || stream.arrive(1))
            };
            let ticket = Ticket::from_bits(1);
            if stream.readiness.publish(stream.readiness.look(), ticket) {
                stream.readiness.retract(ticket);
            }
            assert_eq!(stream.read(0, 1), 1);
            writer.join().unwrap();
        });
    }
}
