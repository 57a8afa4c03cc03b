//! Connections on which nothing happens, from which nothing is read, or on which a request never ends.

use crate::connect::patiently;
use crate::exchange::Exchange;
use crate::tally::Tally;
use greenwire::net::TcpStream;
use greenwire::thread;
use std::io::{self, ErrorKind, Write};
use std::time::Duration;

/// Has one message echoed, as every real connection has; what is left does nothing.
pub(crate) fn settle(mut exchange: Exchange) -> io::Result<TcpStream> {
    let stream = exchange.stream.try_clone()?;
    let answered = patiently(&stream, |_| exchange.ask())?;
    answered
        .then_some(stream)
        .ok_or_else(|| ErrorKind::UnexpectedEof.into())
}

/// Sends messages for as long as the server takes them, and never reads an answer.
pub(crate) fn stall(exchange: &mut Exchange, tally: &Tally) -> io::Result<()> {
    while !tally.is_stopping() {
        exchange.requests.send(&exchange.stream, 1)?;
        exchange.requests.finish(&exchange.stream)?;
    }
    Ok(())
}

/// Sends the head of a request, a line a second, until the server has enough of it. `turn`, less than 1, has
/// many take their turns.
pub(crate) fn dawdle(mut stream: &TcpStream, turn: f64, tally: &Tally) -> io::Result<()> {
    const PAUSE: Duration = Duration::from_secs(1);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n")?;
    thread::sleep(PAUSE.mul_f64(turn));
    while !tally.is_stopping() && stream.write_all(b"X-Slow: a line\r\n").is_ok() {
        thread::sleep(PAUSE);
    }
    Ok(())
}
