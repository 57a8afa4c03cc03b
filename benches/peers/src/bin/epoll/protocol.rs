//! What a connection speaks: bytes in, bytes out, without I/O.

use crate::date::Date;
use crate::{http, websocket};

/// The state of a connection's protocol.
#[derive(Clone, Copy)]
pub enum Protocol {
    TcpEcho,
    Http,
    /// A websocket before its opening handshake.
    Handshake,
    Websocket,
}

/// How far the input was understood, and what is to happen then.
pub struct Progress {
    pub consumed: usize,
    pub next: Next,
}

pub enum Next {
    /// More input is needed.
    Read,
    /// A while is to pass before the next answer.
    Wait,
    /// Nothing more is to come, once the output is sent.
    Close,
}

impl Protocol {
    /// Understands as much of `input` as is complete, and appends the answers to `output`.
    pub fn advance(&mut self, input: &[u8], output: &mut Vec<u8>, date: &Date) -> Progress {
        match self {
            Protocol::TcpEcho => {
                output.extend_from_slice(input);
                Progress {
                    consumed: input.len(),
                    next: Next::Read,
                }
            }
            Protocol::Http => http::answer(input, output, date),
            Protocol::Handshake => {
                let progress = websocket::shake_hands(input, output);
                if progress.consumed == 0 || matches!(progress.next, Next::Close) {
                    return progress;
                }
                *self = Protocol::Websocket;
                let frames = websocket::echo(&input[progress.consumed..], output);
                Progress {
                    consumed: progress.consumed + frames.consumed,
                    next: frames.next,
                }
            }
            Protocol::Websocket => websocket::echo(input, output),
        }
    }
}
