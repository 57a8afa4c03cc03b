//! What the halves of one connection share, and how a connection ends.

use crate::config::Settings;
use crate::inbound::Inbound;
use crate::outbound::Outbound;
use crate::protocol::decoder::Decoder;
use crate::protocol::extension::Agreement;
use crate::protocol::violation::Violation;
use crate::protocol::{Role, close};
use crate::{Compression, Error, Receiver};
use greenwire_net::Stream;
use greenwire_net::{Buffer, Shutdown};
use greenwire_runtime::thread;
use std::io::{self, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is read and thrown away after the last close frame, at most.
const LINGER_BYTES: usize = 8 << 20;

/// One connection: its sending side and what both halves must agree on.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) role: Role,
    pub(crate) protocol: Option<String>,
    /// The receiver waits for bytes without a limit in time.
    reading: AtomicBool,
    /// The receiving side, after its `Receiver` was dropped.
    returned: Mutex<Option<Box<Inbound>>>,
}

/// What the opening handshake has settled.
#[derive(Debug, Default)]
pub(crate) struct Agreed {
    pub(crate) protocol: Option<String>,
    pub(crate) compression: Option<(Agreement, Compression)>,
}

impl Connection {
    /// Takes over `stream` after the opening handshake; `early` are bytes read beyond it. Never inlined: what it builds
    /// would leave room on the stack of an idle connection, for as long as that lives.
    #[inline(never)]
    pub(crate) fn start(
        stream: Stream,
        early: Vec<u8>,
        role: Role,
        agreed: Agreed,
        settings: Arc<Settings>,
    ) -> io::Result<Receiver> {
        stream.set_nodelay(true)?;
        let Agreed {
            protocol,
            compression,
        } = agreed;
        let inflate = compression.map(|(agreement, _)| agreement.receive);
        let deflate = compression.map(|(agreement, ours)| (agreement.send, ours));
        let inbound = Inbound::new(Decoder::new(role, settings.limits, inflate), early);
        let connection = Arc::new(Connection {
            outbound: Outbound::new(stream, role, settings, deflate),
            role,
            protocol,
            reading: AtomicBool::new(false),
            returned: Mutex::new(None),
        });
        Ok(Receiver::new(connection, inbound))
    }

    /// Begins the closing handshake, once.
    pub(crate) fn close(self: &Arc<Self>, code: u16, reason: &str) -> Result<(), Error> {
        if !close::may_send(code) {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "not a code to close with");
            return Err(error.into());
        }
        if self.outbound.close(&close::payload(code, reason))? {
            self.limit_running_read();
        }
        Ok(())
    }

    /// Closes because the peer reads too slowly to be sent what it should get.
    pub(crate) fn part_with_slow_reader(self: &Arc<Self>) {
        let payload = close::payload(close::code::TRY_AGAIN_LATER, "reads too slowly");
        // An error means that the connection is gone.
        if let Ok(true) = self.outbound.close_at_once(&payload) {
            self.limit_running_read();
        }
    }

    /// Ends the connection without waiting for the peer's part of it.
    pub(crate) fn give_up(&self, code: u16, reason: &str) {
        self.answer_close(&close::payload(code, reason));
        self.outbound.flush();
        self.shutdown();
    }

    /// Called before the receiver waits. The time it may wait, if the connection is closing.
    pub(crate) fn begin_read(&self) -> Option<Duration> {
        // Set before the state is looked at, as `close` does it the other way round: one of the two
        // sees the other, so that a read that began before the close is limited as well.
        self.reading.store(true, Ordering::SeqCst);
        if !thread::is_green() {
            self.outbound.flush();
        }
        let since = self.outbound.closing_since()?;
        Some(self.close_timeout().saturating_sub(since.elapsed()))
    }

    fn close_timeout(&self) -> Duration {
        self.outbound.settings.close_timeout
    }

    pub(crate) fn end_read(&self) {
        self.reading.store(false, Ordering::SeqCst);
    }

    /// Cuts the connection after the close timeout. Needed only when a close is sent while another
    /// thread waits in `receive`, whose wait has no limit yet.
    fn limit_running_read(self: &Arc<Self>) {
        if !self.reading.load(Ordering::SeqCst) {
            return;
        }
        let (connection, limit) = (Arc::downgrade(self), self.close_timeout());
        let watch = move || {
            thread::sleep(limit);
            if let Some(connection) = connection.upgrade() {
                connection.shutdown();
            }
        };
        if let Err(error) = thread::Builder::new().spawn(watch) {
            log::debug!("websocket: no thread to limit the close: {error}");
        }
    }

    /// Answers the peer's close frame, or fails the connection, with `payload`.
    pub(crate) fn answer_close(&self, payload: &[u8]) {
        // If this fails, so does all that follows, and the caller has a better error.
        let _ = self.outbound.close(payload);
    }

    /// Tells a peer that it broke the rules, and ends the connection.
    pub(crate) fn refuse(&self, violation: Violation) -> Error {
        log::debug!("websocket: {violation}");
        self.answer_close(&close::payload(
            violation.close_code(),
            &violation.to_string(),
        ));
        self.finish(true);
        violation.into()
    }

    /// After the last close frame was queued: lets it and all before it arrive, then hangs up.
    ///
    /// Closing a socket that has unread bytes destroys what is still on its way to the peer, so
    /// bytes are read and thrown away until the peer hangs up, within bounds. `hang_up_first` is for
    /// servers, and for whoever fails the connection (RFC 6455 §7.1.1).
    pub(crate) fn finish(&self, hang_up_first: bool) {
        let deadline = Instant::now() + self.close_timeout();
        if self.outbound.wait_flushed(deadline) {
            if hang_up_first {
                let _ = self.outbound.stream().shutdown(Shutdown::Write);
            }
            self.discard(deadline);
        }
        self.shutdown();
    }

    /// Reads until the end of the stream, `deadline` or too many bytes.
    fn discard(&self, deadline: Instant) {
        let mut stream = self.outbound.stream();
        let mut left = LINGER_BYTES;
        while left > 0 {
            let limit = deadline.saturating_duration_since(Instant::now());
            if limit.is_zero() || stream.set_read_timeout(Some(limit)).is_err() {
                return;
            }
            match stream.read(&mut Buffer::borrow()) {
                Ok(0) | Err(_) => return,
                Ok(n) => left = left.saturating_sub(n),
            }
        }
    }

    /// Cuts the connection.
    pub(crate) fn shutdown(&self) {
        self.outbound.stream().cut();
    }

    /// Keeps the receiving side of a dropped `Receiver`, for [`conclude`](Self::conclude).
    pub(crate) fn give_back(&self, inbound: Box<Inbound>) {
        if self.role == Role::Server {
            *self.returned.lock().unwrap_or_else(PoisonError::into_inner) = Some(inbound);
        }
    }

    /// Ends the connection whatever state it is in; `code` is for the peer if it is still open. Never inlined, as
    /// [`start`](Self::start).
    #[inline(never)]
    pub(crate) fn conclude(self: &Arc<Self>, code: u16) {
        self.answer_close(&close::payload(code, ""));
        let returned = self
            .returned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match returned {
            Some(inbound) if !inbound.is_finished() => {
                let mut receiver = Receiver::new(self.clone(), *inbound);
                while let Ok(Some(_)) = receiver.receive_ref() {}
            }
            Some(_) => {}
            // The receiver lives elsewhere and reads what the peer answers, if anybody does.
            None => self.finish(true),
        }
        self.shutdown();
    }
}
