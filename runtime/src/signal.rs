//! Waiting for Unix signals.
//!
//! A signal that greenwire waits for once does no longer do by itself what it did by default, even when
//! nobody waits for it any more: Ctrl-C does not end the process then. Signals of one kind that come
//! faster than they are handled count as one, as everywhere on Unix.
//!
//! # Examples
//!
//! ```no_run
//! use greenwire_runtime::signal::{self, Signal};
//!
//! # fn main() -> std::io::Result<()> {
//! let _reloads = signal::on(Signal::Hangup, || println!("reading the settings again"))?;
//! signal::wait(Signal::Terminate)?;
//! println!("good bye");
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::{SigId, consts, flag, low_level};

use crate::reactor::{Direction, Source};
use crate::scheduler::Excused;
use crate::thread::{Builder, JoinHandle};

/// A signal that can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// `SIGHUP`: the terminal is gone; for a server, read the settings again.
    Hangup,
    /// `SIGINT`: Ctrl-C.
    Interrupt,
    /// `SIGQUIT`: Ctrl-\.
    Quit,
    /// `SIGTERM`: end, please.
    Terminate,
    /// `SIGCHLD`: a child process has changed its state.
    Child,
    /// `SIGUSR1`.
    User1,
    /// `SIGUSR2`.
    User2,
}

impl Signal {
    fn number(self) -> i32 {
        match self {
            Signal::Hangup => consts::SIGHUP,
            Signal::Interrupt => consts::SIGINT,
            Signal::Quit => consts::SIGQUIT,
            Signal::Terminate => consts::SIGTERM,
            Signal::Child => consts::SIGCHLD,
            Signal::User1 => consts::SIGUSR1,
            Signal::User2 => consts::SIGUSR2,
        }
    }
}

/// Parks until the process gets `signal`. Any number of threads may wait for the same one, and all of
/// them are woken.
///
/// One that comes between two calls is missed; [`Signals`] misses none.
///
/// # Errors
///
/// What the system says if it gives no descriptors.
pub fn wait(signal: Signal) -> io::Result<()> {
    Signals::new([signal])?.wait().map(drop)
}

/// Calls `f` each time the process gets `signal`, on a new green thread for each. This is gevent's
/// `signal_handler`.
///
/// It goes on until the [`Handler`] is dropped. It does not keep
/// [`run_until_idle`](crate::run_until_idle) waiting, but `f` does.
///
/// # Errors
///
/// What the system says if it gives no descriptors, and those of [`Builder::spawn`].
pub fn on<F>(signal: Signal, f: F) -> io::Result<Handler>
where
    F: Fn() + Send + Sync + 'static,
{
    let signals = Signals::new([signal])?;
    let builder = Builder::new().name(format!("awaits {signal:?}"));
    let watcher = builder.spawn(move || {
        let _excused = Excused::new();
        if let Err(error) = watch(signals.inbox, Arc::new(f)) {
            log::error!("{signal:?} is not handled any more: {error}");
        }
    })?;
    Ok(Handler {
        watcher,
        _registration: signals.registration,
    })
}

fn watch<F>(mut inbox: Inbox, f: Arc<F>) -> io::Result<()>
where
    F: Fn() + Send + Sync + 'static,
{
    while let Some(signal) = inbox.next()? {
        let f = f.clone();
        let builder = Builder::new().name(format!("handles {signal:?}"));
        builder.spawn(move || f())?;
    }
    Ok(())
}

/// What [`on`] has set up. Signals are handled until this is dropped.
#[must_use = "signals are handled until this is dropped"]
pub struct Handler {
    watcher: JoinHandle<()>,
    /// Without it the watcher's inbox comes to its end.
    _registration: Registration,
}

/// Receives signals, and misses none from its making on.
///
/// # Examples
///
/// ```no_run
/// use greenwire_runtime::signal::{Signal, Signals};
///
/// # fn main() -> std::io::Result<()> {
/// let mut signals = Signals::new([Signal::Hangup, Signal::Terminate])?;
/// while signals.wait()? != Signal::Terminate {
///     println!("reading the settings again");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Signals {
    inbox: Inbox,
    registration: Registration,
}

impl Signals {
    /// Begins to receive these signals.
    ///
    /// # Errors
    ///
    /// What the system says if it gives no descriptors.
    pub fn new(signals: impl IntoIterator<Item = Signal>) -> io::Result<Signals> {
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        let mut registration = Registration(Vec::new());
        let mut flags = Vec::new();
        for signal in signals {
            let came = Arc::new(AtomicBool::new(false));
            // What is registered first is done first: the flag is up when the byte comes.
            let note = flag::register(signal.number(), came.clone())?;
            registration.0.push(note);
            let ring = low_level::pipe::register(signal.number(), writer.try_clone()?)?;
            registration.0.push(ring);
            flags.push((signal, came));
        }
        let inbox = Inbox {
            bell: Source::new(reader),
            flags,
        };
        Ok(Signals {
            inbox,
            registration,
        })
    }

    /// Parks until one of the signals comes, or takes one that came since the last call.
    ///
    /// # Errors
    ///
    /// What the kernel says if it cannot watch the descriptor.
    pub fn wait(&mut self) -> io::Result<Signal> {
        let signal = self.inbox.next()?;
        signal.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "there is no signal to wait for",
            )
        })
    }
}

/// Where the signal handler leaves its notes.
#[derive(Debug)]
struct Inbox {
    /// A byte for each signal, or fewer, if nobody reads them.
    bell: Source<UnixStream>,
    flags: Vec<(Signal, Arc<AtomicBool>)>,
}

impl Inbox {
    /// Waits for the next signal. `None` once they are not registered any more.
    fn next(&mut self) -> io::Result<Option<Signal>> {
        loop {
            let came = self
                .flags
                .iter()
                .find(|(_, came)| came.swap(false, Ordering::SeqCst));
            if let Some((signal, _)) = came {
                return Ok(Some(*signal));
            }
            let mut bytes = [0; 64];
            let read = |mut bell: &UnixStream| bell.read(&mut bytes);
            if self.bell.perform(Direction::Read, None, read)? == 0 {
                return Ok(None);
            }
        }
    }
}

/// What the signal handler does. Undone when this is dropped, which closes the other end of the bell.
#[derive(Debug)]
struct Registration(Vec<SigId>);

impl Drop for Registration {
    fn drop(&mut self) {
        for id in &self.0 {
            low_level::unregister(*id);
        }
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler")
            .field("watcher", self.watcher.thread())
            .finish_non_exhaustive()
    }
}
