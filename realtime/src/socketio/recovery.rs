//! Clients that come back: who they were, and what they have missed.
//!
//! Every event is kept for a while under a number, which goes with it as its last argument. A client that has lost its
//! connection shows its secret and the last number that it got. No I/O, no waiting, no clock.

use super::socket::Identity;
use super::wire::Outgoing;
use super::{Args, Data, Reason, Room, Socket, Targets};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a client that is back is kept waiting for its own end.
pub(crate) const HANDOVER: Duration = Duration::from_secs(5);

/// Whether and how clients may come back as who they were: with their ids, rooms and data, and all that was emitted
/// to them meanwhile. See [`Config::recovery`](super::Config::recovery).
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing until a config has it"]
pub struct Recovery {
    pub(crate) max_disconnection: Duration,
    pub(crate) max_bytes: usize,
    pub(crate) skip_checks: bool,
}

impl Default for Recovery {
    fn default() -> Recovery {
        Recovery {
            max_disconnection: Duration::from_secs(120),
            max_bytes: 64 << 20,
            skip_checks: true,
        }
    }
}

impl Recovery {
    /// How long a client may be away. Default 2 minutes.
    pub fn max_disconnection(mut self, time: Duration) -> Recovery {
        self.max_disconnection = time;
        self
    }

    /// How many bytes of events are kept in each namespace. Default 64 MiB. When there are more, clients that need
    /// the oldest come as new ones.
    pub fn max_bytes(mut self, bytes: usize) -> Recovery {
        self.max_bytes = bytes;
        self
    }

    /// Whether a client that is back is let in without [`before_connect`](super::Namespace::before_connect). Default
    /// true, as in Node.
    pub fn skip_checks(mut self, skip: bool) -> Recovery {
        self.skip_checks = skip;
        self
    }
}

/// What is kept for a namespace.
pub(crate) struct Journal {
    settings: Recovery,
    /// The number of the oldest event.
    first: u64,
    events: VecDeque<Kept>,
    bytes: usize,
    /// Those who are here, by their secrets.
    present: HashMap<Arc<str>, Socket>,
    /// Those who were.
    absent: HashMap<Arc<str>, Absent>,
    leavings: VecDeque<(Instant, Arc<str>)>,
}

struct Kept {
    event: Arc<Outgoing>,
    to: Targets,
    at: Instant,
    size: usize,
}

struct Absent {
    id: Arc<str>,
    rooms: Vec<Room>,
    data: Data,
    since: Instant,
}

/// A client that is back.
pub(crate) struct Journaled {
    identity: Identity,
    rejoin: Rejoin,
}

/// Where it goes on.
pub(crate) struct Rejoin {
    pub(crate) rooms: Vec<Room>,
    /// The number of the first event that it may have missed.
    pub(crate) next: u64,
}

/// What a client has missed.
pub(crate) struct Missed {
    pub(crate) events: Vec<Arc<Outgoing>>,
    pub(crate) bytes: usize,
    /// The number of the event after them.
    pub(crate) next: u64,
}

impl Journaled {
    pub(crate) fn split(self) -> (Identity, Option<Rejoin>) {
        (self.identity, Some(self.rejoin))
    }
}

impl Journal {
    pub(crate) fn new(settings: Recovery) -> Journal {
        Journal {
            settings,
            first: 1,
            events: VecDeque::new(),
            bytes: 0,
            present: HashMap::new(),
            absent: HashMap::new(),
            leavings: VecDeque::new(),
        }
    }

    fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// The arguments of the next event, with its number.
    pub(crate) fn stamp(&self, args: &Args) -> Args {
        args.with_last(&format!("{:x}", self.next()))
    }

    /// Keeps the event that was stamped last.
    pub(crate) fn keep(&mut self, event: Arc<Outgoing>, to: Targets, now: Instant) {
        let size = 128 + event.size();
        self.bytes += size;
        self.events.push_back(Kept {
            event,
            to,
            at: now,
            size,
        });
        self.forget_old(now);
    }

    fn forget_old(&mut self, now: Instant) {
        let limit = self.settings.max_disconnection;
        while let Some(oldest) = self.events.front() {
            let is_old = now.saturating_duration_since(oldest.at) > limit;
            if !is_old && self.bytes <= self.settings.max_bytes {
                break;
            }
            self.bytes -= oldest.size;
            self.events.pop_front();
            self.first += 1;
        }
        while let Some((since, pid)) = self.leavings.front() {
            if now.saturating_duration_since(*since) <= limit {
                break;
            }
            // It may have come and gone again since.
            if self
                .absent
                .get(pid)
                .is_some_and(|absent| absent.since <= *since)
            {
                self.absent.remove(pid);
            }
            self.leavings.pop_front();
        }
    }

    /// The client with this secret, if it is here.
    pub(crate) fn present(&self, pid: &str) -> Option<Socket> {
        self.present.get(pid).cloned()
    }

    pub(crate) fn note_present(&mut self, socket: &Socket) {
        if let Some(pid) = socket.pid() {
            self.present.insert(pid.clone(), socket.clone());
        }
    }

    /// A client has gone.
    pub(crate) fn part(&mut self, socket: &Socket, rooms: Vec<Room>, reason: Reason, now: Instant) {
        self.forget_old(now);
        let Some(pid) = socket.pid() else { return };
        self.present.remove(pid);
        if reason.is_recoverable() {
            let absent = Absent {
                id: socket.shared_id().clone(),
                rooms,
                data: Data::from_json(socket.data().to_json()),
                since: now,
            };
            self.absent.insert(pid.clone(), absent);
            self.leavings.push_back((now, pid.clone()));
        }
    }

    /// The client that went with this secret, if it has all events up to `offset`, and those after it are here.
    pub(crate) fn take(&mut self, pid: &str, offset: &str, now: Instant) -> Option<Journaled> {
        self.forget_old(now);
        let next = u64::from_str_radix(offset, 16).ok()?.checked_add(1)?;
        if next < self.first || next > self.next() {
            return None;
        }
        let (pid, absent) = self.absent.remove_entry(pid)?;
        let away = now.saturating_duration_since(absent.since);
        (away <= self.settings.max_disconnection).then_some(Journaled {
            identity: Identity {
                id: absent.id,
                pid: Some(pid),
                recovered: true,
                data: absent.data,
            },
            rejoin: Rejoin {
                rooms: absent.rooms,
                next,
            },
        })
    }

    /// What a client has missed. `None` if some of it is gone by now.
    pub(crate) fn missed(&self, rejoin: &Rejoin) -> Option<Missed> {
        let skip = usize::try_from(rejoin.next.checked_sub(self.first)?).ok()?;
        let is_in = |room: &Room| rejoin.rooms.contains(room);
        let concerns = |to: &Targets| {
            (to.rooms.is_empty() || to.rooms.iter().any(is_in)) && !to.except.iter().any(is_in)
        };
        let later = self.events.iter().skip(skip);
        let missed = later.filter(|kept| concerns(&kept.to));
        Some(Missed {
            bytes: missed.clone().map(|kept| kept.size).sum(),
            events: missed.map(|kept| kept.event.clone()).collect(),
            next: self.next(),
        })
    }
}
