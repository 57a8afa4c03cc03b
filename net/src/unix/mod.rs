//! Unix-domain sockets with the names, signatures and meanings of [`std::os::unix::net`].
//!
//! ```
//! use greenwire_net::unix::UnixStream;
//! use greenwire_runtime::thread;
//! use std::io::{Read, Write};
//!
//! # fn main() -> std::io::Result<()> {
//! let (mut near, mut far) = UnixStream::pair()?;
//! let asks = thread::spawn(move || far.write_all(b"hello"));
//! let mut text = String::new();
//! near.read_to_string(&mut text)?;
//! assert_eq!(text, "hello");
//! # asks.join().unwrap()
//! # }
//! ```
//!
//! # Waits that no event ends
//!
//! The kernel says nothing to a non-blocking socket when a full listener has room again
//! ([`UnixStream::connect`]) or when a full receiver that it is not connected with has
//! ([`UnixDatagram::send_to`]). There a green thread tries again, at first after a millisecond and at
//! last every 64 ms.

mod address;
mod datagram;
mod listener;
mod stream;

pub use datagram::UnixDatagram;
pub use listener::{Incoming, UnixListener};
#[doc(no_inline)]
pub use std::os::unix::net::SocketAddr;
pub use stream::UnixStream;

use greenwire_runtime::thread;
use std::io;
use std::time::{Duration, Instant};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// Repeats `attempt` while it gives nothing, up to `timeout`, with pauses in between.
fn retry<R>(
    timeout: Option<Duration>,
    mut attempt: impl FnMut() -> io::Result<Option<R>>,
) -> io::Result<R> {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(done) = attempt()? {
            return Ok(done);
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        thread::sleep(left.map_or(pause, |left| left.min(pause)));
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// For an attempt that a `Source` makes, and must not wait for: nothing, in place of `WouldBlock`.
fn unless_full<R>(result: io::Result<R>) -> io::Result<Option<R>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        result => result.map(Some),
    }
}
