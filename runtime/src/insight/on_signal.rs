//! The dump that a signal asks for.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::thread;

use signal_hook::consts::SIGUSR1;
use signal_hook::low_level::pipe;

use super::dump::dump;

/// Starts an OS thread that logs a dump at each `SIGUSR1`. It is not a green thread, so that it still does
/// when all workers are held.
///
/// # Errors
/// What the system says.
pub(crate) fn dump_on_sigusr1() -> io::Result<()> {
    let (mut signals, handler) = UnixStream::pair()?;
    let builder = thread::Builder::new().name("greenwire-dump".into());
    builder.spawn(move || {
        // Signals that come in quick succession are one.
        while signals.read(&mut [0; 64]).is_ok_and(|count| count > 0) {
            report();
        }
    })?;
    pipe::register(SIGUSR1, handler)?;
    Ok(())
}

/// On a thread of its own: one that has ever waited in greenwire, and does something else now, might wake
/// others, so there would be no report of a deadlock any more.
fn report() {
    let builder = thread::Builder::new().name("greenwire-report".into());
    match builder.spawn(|| log::warn!("SIGUSR1: {}", dump())) {
        Ok(thread) => drop(thread.join()),
        Err(error) => log::error!("SIGUSR1: no thread for a dump: {error}"),
    }
}
