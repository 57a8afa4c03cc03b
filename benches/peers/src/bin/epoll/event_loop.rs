//! Waits for events, accepts, and gives each connection its turn.

use crate::connection::{Connection, Ended, Want};
use crate::date::Date;
use crate::protocol::Protocol;
use greenwire_bench_peers::serve::WAIT;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::time::Timespec;
use slab::Slab;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// What epoll says of the listener; connections have their place in the table.
const LISTENER: u64 = u64::MAX;

const EVENTS_AT_ONCE: usize = 1024;
const READ_AT_ONCE: usize = 64 << 10;

pub struct EventLoop {
    epoll: OwnedFd,
    listener: TcpListener,
    protocol: Protocol,
    connections: Slab<Connection>,
    accepted: u64,
    /// Connections that have more to read, and gave way.
    turns: Vec<Id>,
    shared: Shared,
}

/// What all connections use in turn.
pub struct Shared {
    pub buffer: Vec<u8>,
    pub answers: Vec<u8>,
    pub date: Date,
    /// When waits end, soonest first: all last equally long.
    alarms: VecDeque<(Instant, Id)>,
}

/// Names a connection, also when it is gone and its place in the table taken by another.
#[derive(Clone, Copy, PartialEq)]
pub struct Id {
    place: usize,
    serial: u64,
}

impl Shared {
    /// The connection will be resumed after the wait.
    pub fn set_alarm(&mut self, id: Id) {
        self.alarms.push_back((Instant::now() + WAIT, id));
    }
}

impl EventLoop {
    pub fn new(listener: TcpListener, protocol: Protocol) -> io::Result<EventLoop> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        listener.set_nonblocking(true)?;
        epoll::add(
            &epoll,
            &listener,
            EventData::new_u64(LISTENER),
            EventFlags::IN,
        )?;
        Ok(EventLoop {
            epoll,
            listener,
            protocol,
            connections: Slab::new(),
            accepted: 0,
            turns: Vec::new(),
            shared: Shared {
                buffer: vec![0; READ_AT_ONCE],
                answers: Vec::new(),
                date: Date::now(),
                alarms: VecDeque::new(),
            },
        })
    }

    pub fn run(mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(EVENTS_AT_ONCE);
        loop {
            events.clear();
            let timeout = self.timeout().map(timespec);
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                timeout.as_ref(),
            ) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            self.shared.date.update();
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    place => self.handle(place as usize, event.flags),
                }
            }
            for id in std::mem::take(&mut self.turns) {
                self.step(id, Connection::drive);
            }
            self.ring_alarms();
        }
    }

    /// How long to sleep; `None` until an event comes.
    fn timeout(&self) -> Option<Duration> {
        if !self.turns.is_empty() {
            return Some(Duration::ZERO);
        }
        let (soonest, _) = self.shared.alarms.front()?;
        Some(soonest.saturating_duration_since(Instant::now()))
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let entry = self.connections.vacant_entry();
            let data = EventData::new_u64(entry.key() as u64);
            let interest = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            epoll::add(&self.epoll, &stream, data, interest)?;
            self.accepted += 1;
            let id = Id {
                place: entry.key(),
                serial: self.accepted,
            };
            entry.insert(Connection::new(stream, self.protocol, id));
        }
    }

    fn handle(&mut self, place: usize, flags: EventFlags) {
        let hung_up = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        let readable = hung_up || flags.contains(EventFlags::IN);
        let writable = flags.contains(EventFlags::OUT);
        let connection = &mut self.connections[place];
        connection.note(readable, writable, hung_up);
        let id = connection.id;
        self.step(id, Connection::drive);
    }

    /// Lets a connection go on, if it is still there.
    fn step(&mut self, id: Id, go_on: fn(&mut Connection, &mut Shared) -> Result<Want, Ended>) {
        let connection = self.connections.get_mut(id.place);
        let Some(connection) = connection.filter(|connection| connection.id == id) else {
            return;
        };
        match go_on(connection, &mut self.shared) {
            Ok(Want::Event) => {}
            Ok(Want::Turn) => self.turns.push(id),
            Err(Ended) => drop(self.connections.remove(id.place)),
        }
    }

    fn ring_alarms(&mut self) {
        let now = Instant::now();
        while let Some(&(time, id)) = self.shared.alarms.front()
            && time <= now
        {
            self.shared.alarms.pop_front();
            self.step(id, Connection::resume);
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: duration.as_secs() as i64,
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
