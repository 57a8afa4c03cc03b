//! The green thread that writes what the socket did not take at once.

use super::{Outbound, WRITE_AT_ONCE};
use crate::config::SlowReader;
use crate::spare;
use std::io::{self, Write as _};
use std::sync::Arc;

/// Lives for as long as something is left to write.
pub(super) struct Drainer {
    outbound: Arc<Outbound>,
    /// What is written first.
    batch: Vec<u8>,
    /// Nothing was left; another drainer may be at work already.
    done: bool,
}

impl Drainer {
    /// Writes `batch` and all that is queued until the queue is empty.
    pub(super) fn run(outbound: Arc<Outbound>, batch: Vec<u8>) {
        let mut drainer = Drainer {
            outbound,
            batch,
            done: false,
        };
        if let Err(error) = drainer.drain() {
            let error = match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                    io::Error::new(io::ErrorKind::TimedOut, "the peer takes nothing any more")
                }
                _ => error,
            };
            log::debug!("websocket: {error}");
            drainer.outbound.fail(&error);
        }
    }

    fn drain(&mut self) -> io::Result<()> {
        let handle = self.outbound.stream.try_clone()?;
        let mut stream = &handle;
        let limit = self.outbound.settings.stall_limit;
        stream.set_write_timeout(Some(limit))?;
        loop {
            let mut rest = self.batch.as_slice();
            while !rest.is_empty() {
                match stream.write(&rest[..rest.len().min(WRITE_AT_ONCE)]) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(n) => {
                        rest = &rest[n..];
                        self.progress(n);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            stream.flush()?;
            if !self.next_batch() {
                return Ok(());
            }
        }
    }

    /// Takes what was queued meanwhile; `false` ends the draining.
    fn next_batch(&mut self) -> bool {
        let outbound = &self.outbound;
        // Where the oldest messages are the first to be dropped, few of them leave the queue early.
        let least = match outbound.settings.slow_reader {
            SlowReader::DropOldest => Some(WRITE_AT_ONCE),
            _ => None,
        };
        let mut queue = outbound.lock();
        match queue.take_batch(least, outbound.rules()) {
            Some(batch) => spare::give(std::mem::replace(&mut self.batch, batch)),
            None => {
                self.done = true;
                queue.draining = false;
                queue.tell_waiting();
            }
        }
        !self.done
    }

    fn progress(&self, written: usize) {
        let mut queue = self.outbound.lock();
        queue.in_flight -= written;
        if queue.len() <= self.outbound.settings.max_queued / 2 {
            queue.tell_waiting();
        }
    }
}

impl Drop for Drainer {
    /// However it ends, nobody may be left waiting for it.
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let mut queue = self.outbound.lock();
        queue.draining = false;
        queue.in_flight = 0;
        let error = io::Error::new(io::ErrorKind::Interrupted, "the writer was cut short");
        self.outbound.fail_locked(&mut queue, &error);
    }
}
