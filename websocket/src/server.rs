//! The serving end: from an HTTP request to a handler that talks over a websocket.

use crate::connection::Connection;
use crate::protocol::{Role, close::code};
use crate::{Config, Error, WebSocket};
use greenwire_net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

impl Config {
    /// Runs `handler` on a stream whose opening handshake was done by other means, and ends the
    /// connection after it. `early` are the bytes that were read beyond the request's head.
    ///
    /// When the handler returns, the connection is closed with 1000, or 1011 if it returned an error
    /// or panicked, unless it is closing already. Its error is logged at debug level.
    ///
    /// # Panics
    /// If the handler does, after the connection was closed.
    pub fn serve_upgraded(
        &self,
        stream: TcpStream,
        early: Vec<u8>,
        handler: impl FnOnce(WebSocket) -> Result<(), Error>,
    ) {
        self.serve(stream, early, None, handler);
    }

    pub(crate) fn serve(
        &self,
        stream: TcpStream,
        early: Vec<u8>,
        protocol: Option<String>,
        handler: impl FnOnce(WebSocket) -> Result<(), Error>,
    ) {
        let websocket = match Connection::start(stream, early, Role::Server, protocol, self) {
            Ok(receiver) => WebSocket::new(receiver),
            Err(error) => return log::debug!("websocket: not started: {error}"),
        };
        let connection = websocket.connection();
        let outcome = catch_unwind(AssertUnwindSafe(|| handler(websocket)));
        match outcome {
            Ok(Ok(())) => connection.conclude(code::NORMAL),
            Ok(Err(error)) => {
                log::debug!("websocket: the handler ended with: {error}");
                connection.conclude(code::INTERNAL_ERROR);
            }
            Err(panic) => {
                connection.conclude(code::INTERNAL_ERROR);
                resume_unwind(panic);
            }
        }
    }
}
