//! Writing to a closed connection is an error, never a signal. Alone in its process: it changes what
//! the signal does.

mod support;

use greenwire_net::Shutdown;
use std::io::{ErrorKind, IoSlice, Write};
use support::{on_both, pair};

#[test]
fn a_broken_pipe_raises_no_signal() {
    // SAFETY: SIG_DFL is a valid action, and no other thread of this test depends on the old one.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    on_both(|| {
        let (mut stream, _peer) = pair();
        stream.shutdown(Shutdown::Write).unwrap();
        let kinds = [
            stream.write(b"x").unwrap_err().kind(),
            stream.try_write(b"x").unwrap_err().kind(),
            stream
                .try_write_vectored(&[IoSlice::new(b"x")])
                .unwrap_err()
                .kind(),
        ];
        assert_eq!(kinds, [ErrorKind::BrokenPipe; 3]);
    });
}
