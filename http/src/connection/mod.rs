//! One connection from its first byte to its last: read a head, call the handler, send the
//! response, again. Strictly one request at a time.

pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod response;

use crate::body::incoming::{self, Lender, Rest};
use crate::body::{self, Body, Kind};
use crate::config::Config;
use crate::error::Refusal;
use crate::handler::Handler;
use crate::peer::Peer;
use crate::protocol::head::{self, Framing, Head};
use crate::protocol::scanner::Scanner;
use crate::upgrade::{Upgrade, Upgraded};
use crate::{Request, Response};
use greenwire_net::server::Slot;
use greenwire_net::{Shutdown, Stream};
use greenwire_runtime::thread::{self, catch_panic};
use greenwire_runtime::time::{Duration, Instant};
use http::{StatusCode, Version};
use input::{Input, is_timeout};
use output::Output;
use response::Context;
use std::any::Any;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::{io, mem};

/// How much, and for how long, is read from a client that may still be sending when its connection
/// ends: closing at once would reset the connection and lose the response.
const LINGER_BYTES: usize = 256 << 10;
const LINGER: Duration = Duration::from_secs(2);

/// So many requests that came together are answered before other green threads get their turn.
const TURN: u32 = 128;

/// Serves a connection to its end, upgrades included. Errors end it, which is all there is to do.
pub(crate) fn serve(
    stream: Stream,
    peer: Option<SocketAddr>,
    handler: &dyn Handler,
    config: &Config,
    slot: &Slot,
) {
    match serve_http(stream, peer, handler, config, slot) {
        Ok(None) => {}
        Ok(Some(handover)) => handover.run(),
        Err(error) => report_failure(peer, &error),
    }
}

/// Serves a connection for as long as it speaks HTTP. Never inlined: its large frames would stay on the
/// stack for as long as an upgrade runs.
#[inline(never)]
fn serve_http(
    stream: Stream,
    peer: Option<SocketAddr>,
    handler: &dyn Handler,
    config: &Config,
    slot: &Slot,
) -> io::Result<Option<Box<Handover>>> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(config.write_timeout))?;
    let output = Output::new(stream.try_clone()?);
    let mut connection = Connection {
        peer: Peer::of_connection(&output, peer),
        input: Input::new(stream),
        output,
        handler,
        config,
        slot,
        left: config.max_requests,
        at_once: 0,
    };
    let end = connection.serve_requests();
    if end.is_err() {
        // Whoever still holds the body of a request holds the connection open otherwise.
        connection.output.stream().cut();
    }
    end
}

#[cold]
fn report_failure(peer: Option<SocketAddr>, error: &io::Error) {
    match peer {
        Some(peer) => log::debug!("connection of {peer} failed: {error}"),
        None => log::debug!("connection of a local peer failed: {error}"),
    }
}

struct Connection<'a> {
    input: Input,
    output: Arc<Output>,
    peer: Arc<Peer>,
    handler: &'a dyn Handler,
    config: &'a Config,
    slot: &'a Slot,
    /// How many requests may still come.
    left: u64,
    /// How many were answered since the last wait for more.
    at_once: u32,
}

/// A connection that is HTTP's no longer.
struct Handover {
    upgrade: Upgrade,
    upgraded: Upgraded,
}

impl Handover {
    #[inline(never)]
    #[expect(
        clippy::boxed_local,
        reason = "unboxed it would lie in the caller's frame"
    )]
    fn run(self: Box<Handover>) {
        let Handover { upgrade, upgraded } = *self;
        upgrade.run(upgraded);
    }
}

/// How it goes on after a request.
enum Next {
    Request,
    /// Close; the client may still be sending.
    Linger,
    /// Close; the client is not.
    Close,
    Upgrade(Upgrade),
}

impl Connection<'_> {
    fn serve_requests(&mut self) -> io::Result<Option<Box<Handover>>> {
        loop {
            let head = match self.next_head()? {
                Ok(Some(head)) => head,
                Ok(None) => return Ok(None),
                Err(refusal) => return self.refuse(refusal).map(|()| None),
            };
            match self.exchange(head)? {
                Next::Request => self.give_way(),
                Next::Linger => return self.linger().map(|()| None),
                Next::Close => return self.output.flush().map(|()| None),
                Next::Upgrade(upgrade) => return self.hand_over(upgrade).map(Some),
            }
        }
    }

    #[inline(never)]
    fn refuse(&mut self, refusal: Refusal) -> io::Result<()> {
        self.send(&mut refusal.into_response(), REFUSED)?;
        self.linger()
    }

    /// Requests that came together wait for nothing; so others get their turn now and then.
    fn give_way(&mut self) {
        self.at_once += 1;
        if self.at_once.is_multiple_of(TURN) && thread::is_green() {
            thread::yield_now();
        }
    }

    /// The next request's head. `None` at the end of the connection, or of the patience with an
    /// idle one. While it waits, what is gathered has been sent and there is no buffer.
    fn next_head(&mut self) -> io::Result<Result<Option<Head>, Refusal>> {
        let mut scanner = Scanner::default();
        let mut deadline = None;
        loop {
            match self.take_head(&mut scanner) {
                Ok(None) => {}
                done => return Ok(done),
            }
            self.output.flush()?;
            let idle = self.input.carry.is_empty();
            let limit = match idle {
                true => self.config.idle_timeout,
                false => {
                    let now = Instant::now();
                    let end = *deadline.get_or_insert_with(|| now + self.config.head_timeout);
                    match end.checked_duration_since(now) {
                        Some(left) => left.max(Duration::from_millis(1)),
                        None => return Ok(Err(HEAD_TIMED_OUT)),
                    }
                }
            };
            self.at_once = 0;
            let filled = match idle {
                true => self.slot.while_idle(|| self.input.fill(limit)),
                false => self.input.fill(limit),
            };
            match filled {
                Ok(0) => return Ok(Ok(None)),
                Ok(_) => {}
                Err(error) if is_timeout(&error) && idle => return Ok(Ok(None)),
                Err(error) if is_timeout(&error) => return Ok(Err(HEAD_TIMED_OUT)),
                Err(error) => return Err(error),
            }
        }
    }

    /// The next head, if all of it is in the carry. Never inlined, as [`exchange`](Connection::exchange).
    #[inline(never)]
    fn take_head(&mut self, scanner: &mut Scanner) -> Result<Option<Head>, Refusal> {
        let unread = self.input.carry.unread();
        if unread.is_empty() {
            return Ok(None);
        }
        // Most heads come whole.
        if !scanner.has_begun()
            && let Some((head, end)) = head::parse_at_once(unread, self.config)
        {
            self.input.carry.consume(end);
            return head.map(Some);
        }
        self.scan_head(scanner)
    }

    #[inline(never)]
    fn scan_head(&mut self, scanner: &mut Scanner) -> Result<Option<Head>, Refusal> {
        let unread = self.input.carry.unread();
        let Some(extent) = scanner.scan(unread, self.config)? else {
            return Ok(None);
        };
        let head = head::parse(&unread[extent.start..extent.end], extent.headers);
        self.input.carry.consume(extent.end);
        head.map(Some)
    }

    /// Never inlined, so that its frame lies where others lay before: less of a stack is in use for a request.
    #[inline(never)]
    fn exchange(&mut self, head: Head) -> io::Result<Next> {
        let Head {
            asked,
            framing,
            keep_alive,
            expects_continue,
        } = head;
        self.left -= 1;
        let keep_alive = keep_alive && self.left > 0;
        let context = Context::new(&asked.method, asked.version, keep_alive);
        let mut request = Request::received(asked);
        let proxies = self.config.proxies.as_ref();
        request.set_peer(Peer::asking(&self.peer, &request, proxies));
        if self.at_once > 0 {
            self.output.flush_at_park();
        }
        let lender = match framing {
            Framing::Empty => None,
            _ => Some(self.lend(&mut request, framing, expects_continue)?),
        };
        let mut response = None;
        self.call(request, &mut response);
        self.answer(&mut response, context, lender)
    }

    /// Leaves the response of the handler, or none if it panicked. It is put where it stays: it is large.
    fn call(&self, request: Request, response: &mut Option<Response>) {
        // What a closure only borrows is not moved along with it.
        let mut request = Some(request);
        let call = || *response = request.take().map(|request| self.handler.call(request));
        if let Err(payload) = catch_panic(AssertUnwindSafe(call)) {
            self.report_panic(payload);
        }
    }

    fn answer(
        &mut self,
        response: &mut Option<Response>,
        context: Context,
        lender: Option<Lender>,
    ) -> io::Result<Next> {
        let mut failed = response.is_none();
        let response = response.get_or_insert_with(|| PANICKED.into_response());
        let complete = lender.as_ref().is_none_or(Lender::is_complete);
        if response.status() == StatusCode::SWITCHING_PROTOCOLS
            && let Kind::Upgrade(upgrade) = body::take(response.body_mut())
        {
            if complete && context.version == Version::HTTP_11 {
                response::send_upgrade(&self.output, response)?;
                self.reclaim(lender, false);
                return Ok(Next::Upgrade(upgrade));
            }
            *response = UPGRADE_REFUSED.into_response();
            failed = true;
        }
        let usable = match &lender {
            Some(lender) => lender.settle()? == Rest::Usable,
            None => true,
        };
        let keep_alive = context.keep_alive && usable && !failed && !self.slot.is_stopping();
        let keep_alive = self.send(
            response,
            Context {
                keep_alive,
                ..context
            },
        )?;
        let ready = self.reclaim(lender, keep_alive);
        Ok(
            match (keep_alive && ready, ready && self.input.carry.is_empty()) {
                (true, _) => Next::Request,
                (false, true) => Next::Close,
                (false, false) => Next::Linger,
            },
        )
    }

    /// Sends a response, whose body may be the handler's code too.
    fn send(&self, response: &mut Response, context: Context) -> io::Result<bool> {
        let sent = match response.body().runs_code() {
            true => self.run_body(response, context),
            false => response::send(&self.output, response, context),
        };
        if sent.is_err() {
            // What was gathered may go; the end that would make it whole does not.
            self.output.flush()?;
        }
        sent
    }

    #[inline(never)]
    fn run_body(&self, response: &mut Response, context: Context) -> io::Result<bool> {
        let send = || {
            let sent = response::send(&self.output, response, context);
            drop(body::take(response.body_mut()));
            sent
        };
        catch_panic(AssertUnwindSafe(send)).unwrap_or_else(|payload| {
            self.report_panic(payload);
            Err(io::Error::other("the response's body panicked"))
        })
    }

    /// A panic stays with its connection.
    #[cold]
    fn report_panic(&self, payload: Box<dyn Any + Send>) {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        log::error!(
            "handler panicked for {}: {}",
            self.peer,
            text.unwrap_or("no message")
        );
    }

    /// Lends the input to the body of a request; until it is back there is none to read from.
    #[inline(never)]
    fn lend(
        &mut self,
        request: &mut Request,
        framing: Framing,
        expects_continue: bool,
    ) -> io::Result<Lender> {
        let empty = Input::new(self.output.stream().try_clone()?);
        let input = mem::replace(&mut self.input, empty);
        let output = self.output.clone();
        let (body, lender) = incoming::lend(input, output, framing, expects_continue, self.config);
        *request.body_mut() = Body::incoming(body);
        Ok(lender)
    }

    /// Takes the input back, if it was lent. False if it does not stand at the next request.
    fn reclaim(&mut self, lender: Option<Lender>, drain: bool) -> bool {
        lender.is_none_or(|lender| self.reclaim_from(lender, drain))
    }

    #[inline(never)]
    fn reclaim_from(&mut self, lender: Lender, drain: bool) -> bool {
        match lender.reclaim(drain) {
            Some((input, ready)) => {
                self.input = input;
                ready
            }
            None => false,
        }
    }

    #[inline(never)]
    fn hand_over(&mut self, upgrade: Upgrade) -> io::Result<Box<Handover>> {
        let stream = self.input.stream.try_clone()?;
        stream.set_read_timeout(None)?;
        stream.set_write_timeout(None)?;
        let early = mem::take(&mut self.input.carry).into_vec();
        let upgraded = Upgraded::new(stream, early, Peer::clone(&self.peer));
        Ok(Box::new(Handover { upgrade, upgraded }))
    }

    /// Ends the connection so that the client gets all that was sent.
    #[inline(never)]
    fn linger(&mut self) -> io::Result<()> {
        self.output.flush()?;
        self.input.stream.shutdown(Shutdown::Write)?;
        let deadline = Instant::now() + LINGER;
        let mut scrap = [0; 4096];
        let mut count = 0;
        while count < LINGER_BYTES {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                break;
            };
            self.input.limit_waits(left.max(Duration::from_millis(1)))?;
            match self.input.read_socket(&mut scrap)? {
                0 => break,
                more => count += more,
            }
        }
        self.input.stream.cut();
        Ok(())
    }
}

const REFUSED: Context = Context {
    is_head: false,
    version: Version::HTTP_11,
    keep_alive: false,
};
const HEAD_TIMED_OUT: Refusal = Refusal::new(
    StatusCode::REQUEST_TIMEOUT,
    "the request head took too long",
);
const PANICKED: Refusal = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal server error");
const UPGRADE_REFUSED: Refusal =
    Refusal::bad_request("an upgrade needs HTTP/1.1 and no unread body");
