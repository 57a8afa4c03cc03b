//! Websockets on which nothing happens, or from which nothing is read.

use crate::connect::patiently;
use crate::exchange::Exchange;
use crate::tally::Tally;
use greenwire::net::TcpStream;
use std::io::{self, ErrorKind};

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
