//! One connection: reads until the socket has nothing, writes until it takes nothing.

use crate::event_loop::{Id, Shared};
use crate::http;
use crate::protocol::{Next, Protocol};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::net::TcpStream;

/// How often one connection reads before the others get their turn.
const READS_IN_A_ROW: usize = 16;

pub struct Connection {
    pub id: Id,
    stream: TcpStream,
    protocol: Protocol,
    /// What has come of a request that is not complete.
    input: Vec<u8>,
    output: Backlog,
    readable: bool,
    writable: bool,
    hung_up: bool,
    /// The next answer is due later, and nothing is to be understood before.
    waiting: bool,
    closing: bool,
}

/// What a connection needs next.
pub enum Want {
    Event,
    /// Another turn, once the others had theirs.
    Turn,
}

/// Answers that the socket did not take yet.
#[derive(Default)]
struct Backlog {
    bytes: Vec<u8>,
    sent: usize,
}

/// The connection is at its end, one way or the other.
pub struct Ended;

impl Connection {
    pub fn new(stream: TcpStream, protocol: Protocol, id: Id) -> Connection {
        Connection {
            id,
            stream,
            protocol,
            input: Vec::new(),
            output: Backlog::default(),
            readable: false,
            writable: true,
            hung_up: false,
            waiting: false,
            closing: false,
        }
    }

    pub fn note(&mut self, readable: bool, writable: bool, hung_up: bool) {
        self.readable |= readable;
        self.writable |= writable;
        self.hung_up |= hung_up;
    }

    /// Goes on after the wait of a request.
    pub fn resume(&mut self, shared: &mut Shared) -> Result<Want, Ended> {
        self.waiting = false;
        shared.answers.clear();
        http::answer_wait(&mut shared.answers, &shared.date);
        let mut input = std::mem::take(&mut self.input);
        let consumed = self.process(&input, shared)?;
        input.drain(..consumed);
        self.input = input;
        self.drive(shared)
    }

    /// Does all that can be done now.
    pub fn drive(&mut self, shared: &mut Shared) -> Result<Want, Ended> {
        for _ in 0..READS_IN_A_ROW {
            self.send_backlog()?;
            if !self.output.is_empty() || self.waiting {
                return Ok(Want::Event);
            }
            if self.closing {
                return Err(Ended);
            }
            if !self.readable {
                return Ok(Want::Event);
            }
            self.receive(shared)?;
        }
        Ok(Want::Turn)
    }

    fn receive(&mut self, shared: &mut Shared) -> Result<(), Ended> {
        let mut buffer = std::mem::take(&mut shared.buffer);
        let received = retry_on_intr(|| recv(&self.stream, &mut buffer[..], RecvFlags::DONTWAIT));
        let done = match received {
            Ok((0, _)) => Err(Ended),
            Ok((count, _)) => {
                // A short read has emptied the socket: what comes later is another event.
                self.readable = count == buffer.len() || self.hung_up;
                shared.answers.clear();
                self.understand(&buffer[..count], shared)
            }
            Err(Errno::WOULDBLOCK) => {
                self.readable = false;
                Ok(())
            }
            Err(_) => Err(Ended),
        };
        shared.buffer = buffer;
        done
    }

    fn understand(&mut self, received: &[u8], shared: &mut Shared) -> Result<(), Ended> {
        if self.input.is_empty() {
            let consumed = self.process(received, shared)?;
            self.input.extend_from_slice(&received[consumed..]);
            return Ok(());
        }
        let mut input = std::mem::take(&mut self.input);
        input.extend_from_slice(received);
        let consumed = self.process(&input, shared)?;
        if consumed < input.len() {
            input.drain(..consumed);
            self.input = input;
        }
        Ok(())
    }

    /// Answers what is complete in `input`, and tells how much that was.
    fn process(&mut self, input: &[u8], shared: &mut Shared) -> Result<usize, Ended> {
        let progress = self
            .protocol
            .advance(input, &mut shared.answers, &shared.date);
        match progress.next {
            Next::Read => {}
            Next::Wait => {
                self.waiting = true;
                shared.set_alarm(self.id);
            }
            Next::Close => self.closing = true,
        }
        let answers = &shared.answers;
        let sent = match self.output.is_empty() {
            true => self.send(answers)?,
            false => 0,
        };
        self.output.bytes.extend_from_slice(&answers[sent..]);
        Ok(progress.consumed)
    }

    fn send_backlog(&mut self) -> Result<(), Ended> {
        if self.output.is_empty() {
            return Ok(());
        }
        self.output.sent += self.send(&self.output.bytes[self.output.sent..])?;
        if self.output.is_empty() {
            self.output = Backlog::default();
        } else {
            self.writable = false;
        }
        Ok(())
    }

    /// How much of `bytes` the socket takes.
    fn send(&self, bytes: &[u8]) -> Result<usize, Ended> {
        if bytes.is_empty() || !self.writable {
            return Ok(0);
        }
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        match retry_on_intr(|| send(&self.stream, bytes, flags)) {
            Ok(count) => Ok(count),
            Err(Errno::WOULDBLOCK) => Ok(0),
            Err(_) => Err(Ended),
        }
    }
}

impl Backlog {
    fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }
}
