//! Sources: descriptors that threads wait on, green or not.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::readiness::{Look, Readiness};
use super::{Cells, Remote};
use crate::insight::Reason;
use crate::interrupt::Interrupts;
use crate::scheduler::{Slot, Worker, wake};
use crate::wait::{Outcome, earlier};

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Data, a connection, an end of stream, or an error to read.
    Read,
    /// Room to write, or a connection that is established.
    Write,
}

/// An open descriptor that threads can wait on.
///
/// The operations given to it must not wait themselves: the descriptor is non-blocking, or they pass
/// `MSG_DONTWAIT`. Any number of threads may use a source at the same time, on any worker.
///
/// The descriptor is registered with a reactor when a green thread first waits on it, and stays so
/// until the source is dropped or taken apart.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::io::{Direction, Source};
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// # fn main() -> std::io::Result<()> {
/// let (mut ours, theirs) = UnixStream::pair()?;
/// theirs.set_nonblocking(true)?;
/// let reader = greenwire_runtime::thread::spawn(move || {
///     let mut buf = [0; 5];
///     let source = Source::new(theirs);
///     let read = source.read(buf.len(), None, |mut stream| stream.read(&mut buf));
///     read.map(|_| buf)
/// });
/// ours.write_all(b"hello")?;
/// assert_eq!(&reader.join().unwrap()?, b"hello");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Source<T: AsFd> {
    /// Dropped before `io` closes the descriptor.
    registration: Registration,
    io: T,
}

impl<T: AsFd> Source<T> {
    /// Makes a source of a descriptor. Nothing is registered yet.
    pub const fn new(io: T) -> Source<T> {
        Source {
            registration: Registration(OnceLock::new()),
            io,
        }
    }

    /// The owner of the descriptor.
    pub fn get_ref(&self) -> &T {
        &self.io
    }

    /// Gives the descriptor back, not registered any more.
    pub fn into_inner(self) -> T {
        drop(self.registration);
        self.io
    }

    /// Runs `operation` until it gives something else than [`WouldBlock`](io::ErrorKind::WouldBlock),
    /// and waits for `direction` in between, up to `timeout`. A timeout of zero never waits. An
    /// [`Interrupted`](io::ErrorKind::Interrupted) operation is repeated at once.
    ///
    /// On a green thread this parks. On an OS thread it blocks in `poll(2)`. Both end with the
    /// [`timeout`](crate::time::timeout) block that they are in; a green thread can be cancelled here.
    ///
    /// # Errors
    ///
    /// What `operation` gives, `WouldBlock` if the time is up, or what the kernel says if it cannot
    /// watch the descriptor.
    pub fn perform<R>(
        &self,
        direction: Direction,
        timeout: Option<Duration>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.try_or_wait(direction, timeout, operation)
            .map(|(result, _)| result)
    }

    /// Like [`perform`](Source::perform), for an operation that reads up to `len` bytes. If it reads
    /// fewer, nothing is left, and the next read waits at once instead of trying in vain.
    ///
    /// # Errors
    ///
    /// Those of [`perform`](Source::perform).
    pub fn read(
        &self,
        len: usize,
        timeout: Option<Duration>,
        operation: impl FnMut(&T) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let (read, look) = self.try_or_wait(Direction::Read, timeout, operation)?;
        if 0 < read && read < len {
            self.registration.drained(look);
        }
        Ok(read)
    }

    /// Waits until an operation for `direction` is worth trying. It may turn out to wait all the same.
    ///
    /// # Errors
    ///
    /// Those of [`perform`](Source::perform).
    pub fn wait(&self, direction: Direction, timeout: Option<Duration>) -> io::Result<()> {
        // After a read that took all there was, the next event is news to a green thread. Otherwise ask
        // first: an OS thread would take that no event is needed for news.
        let look = self.registration.look(direction);
        let mut asked = Worker::running().is_some() && look.is_some_and(Look::is_drained);
        self.perform(direction, timeout, |io| {
            if asked || poll(io, direction, Some(Instant::now()))? {
                return Ok(());
            }
            asked = true;
            Err(io::ErrorKind::WouldBlock.into())
        })
    }

    /// Takes the descriptor out of the reactor, for ever, and wakes everybody who waits: for a descriptor of
    /// somebody else's who is about to close it. Operations must fail from now on, so that nobody waits again.
    #[doc(hidden)]
    pub fn give_up(&self) {
        if let Some(registered) = self.registration.0.get() {
            registered.end();
        }
        self.wake_all();
    }

    /// Wakes everybody who waits on the source: they try their operations again.
    pub fn wake_all(&self) {
        if let Some(registered) = self.registration.0.get() {
            registered.cells.read.event(false, wake);
            registered.cells.write.event(false, wake);
        }
    }

    /// The look belongs to the attempt that succeeded.
    fn try_or_wait<R>(
        &self,
        direction: Direction,
        timeout: Option<Duration>,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<(R, Option<Look>)> {
        let never_waits = timeout == Some(Duration::ZERO);
        let green = Worker::running();
        if let Some((worker, slot)) = green
            && !never_waits
        {
            worker.charge(slot);
        }
        // That nothing is left is known from the worker that has the registration. An OS thread does
        // not wait for it, and who asks again and again keeps it, perhaps, from taking in the news.
        let tries_anyway = || match green {
            Some((worker, _)) => never_waits && !worker.spend(),
            None => true,
        };
        // The clock is read only by who waits.
        let mut deadline = None;
        loop {
            let look = self.registration.look(direction);
            if look.is_none_or(|look| !look.is_drained()) || tries_anyway() {
                match operation(&self.io) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    result => return result.map(|result| (result, look)),
                }
            }
            if never_waits {
                if direction == Direction::Read {
                    self.registration.drained(look);
                }
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let until = || timeout.and_then(|timeout| Instant::now().checked_add(timeout));
            let deadline = *deadline.get_or_insert_with(until);
            match green {
                Some((worker, slot)) => self.park(worker, slot, direction, look, deadline)?,
                None => self.block(direction, deadline)?,
            }
        }
    }

    fn park(
        &self,
        worker: &'static Worker,
        slot: &'static Slot,
        direction: Direction,
        look: Option<Look>,
        deadline: Option<Instant>,
    ) -> io::Result<()> {
        let (registered, first_look) = self.registration.with(worker, &self.io, direction)?;
        let readiness = registered.readiness(direction);
        let ticket = worker.ticket_of(slot);
        let Some(look) = look.or(first_look) else {
            return Ok(());
        };
        if !readiness.publish(look, ticket) {
            return Ok(());
        }
        let reason = match direction {
            Direction::Read => Reason::Read(registered.descriptor),
            Direction::Write => Reason::Write(registered.descriptor),
        };
        match worker.park(slot, reason, deadline) {
            Outcome::Woken => Ok(()),
            Outcome::TimedOut => {
                readiness.retract(ticket);
                Err(io::ErrorKind::WouldBlock.into())
            }
            Outcome::Interrupted(interrupt) => {
                readiness.retract(ticket);
                interrupt.unwind()
            }
        }
    }

    fn block(&self, direction: Direction, deadline: Option<Instant>) -> io::Result<()> {
        let limit = Interrupts::with(|interrupts| {
            if let Some(interrupt) = interrupts.take(Instant::now) {
                interrupt.unwind()
            }
            interrupts.deadline()
        });
        let ready = poll(&self.io, direction, earlier(deadline, limit))?;
        if !ready && deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    }
}

/// Whether the calling thread's blocking calls may simply be the kernel's: on an ordinary OS thread,
/// outside of every [`timeout`](crate::time::timeout) block.
#[inline]
pub fn blocks_in_kernel() -> bool {
    Worker::running().is_none() && Interrupts::with(|interrupts| !interrupts.has_limit())
}

/// Asks the kernel whether an operation need not wait, until `deadline`.
fn poll(io: &impl AsFd, direction: Direction, deadline: Option<Instant>) -> io::Result<bool> {
    let flags = match direction {
        Direction::Read => PollFlags::IN,
        Direction::Write => PollFlags::OUT,
    };
    let timeout = deadline.map(|deadline| {
        let left = deadline.saturating_duration_since(Instant::now());
        let far = Timespec {
            tv_sec: i64::MAX,
            tv_nsec: 0,
        };
        Timespec::try_from(left).unwrap_or(far)
    });
    match rustix::event::poll(&mut [PollFd::new(io, flags)], timeout.as_ref()) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The place of a source in a reactor, once it has one.
#[derive(Debug)]
struct Registration(OnceLock<Registered>);

/// Deregisters when it is dropped.
struct Registered {
    reactor: &'static Remote,
    descriptor: RawFd,
    token: usize,
    cells: Arc<Cells>,
    ended: AtomicBool,
}

impl Registration {
    #[inline]
    fn look(&self, direction: Direction) -> Option<Look> {
        self.0
            .get()
            .map(|registered| registered.readiness(direction).look())
    }

    /// Notes that nothing is left to read, unless something has happened since the look.
    #[inline]
    fn drained(&self, look: Option<Look>) {
        if let (Some(look), Some(registered)) = (look, self.0.get()) {
            registered.cells.read.drained(look);
        }
    }

    /// The registration; made now if there was none, together with the look at it that makes a
    /// further attempt unnecessary: the kernel reports what happened since the last one, and only the
    /// calling worker takes in its report.
    fn with(
        &self,
        worker: &'static Worker,
        io: &impl AsFd,
        direction: Direction,
    ) -> io::Result<(&Registered, Option<Look>)> {
        if let Some(registered) = self.0.get() {
            return Ok((registered, None));
        }
        let registered = Registered::new(worker.reactor(), io.as_fd().as_raw_fd())?;
        let first_look = registered.readiness(direction).look();
        match self.0.set(registered) {
            Ok(()) => Ok((self.0.wait(), Some(first_look))),
            // Another worker was faster; ours is dropped.
            Err(_) => Ok((self.0.wait(), None)),
        }
    }
}

impl Registered {
    fn new(reactor: &'static Remote, descriptor: RawFd) -> io::Result<Registered> {
        let (token, cells) = reactor.register(descriptor)?;
        Ok(Registered {
            reactor,
            descriptor,
            token,
            cells,
            ended: AtomicBool::new(false),
        })
    }

    fn end(&self) {
        if !self.ended.swap(true, Ordering::AcqRel) {
            self.reactor.deregister(self.descriptor, self.token);
        }
    }

    #[inline]
    fn readiness(&self, direction: Direction) -> &Readiness {
        match direction {
            Direction::Read => &self.cells.read,
            Direction::Write => &self.cells.write,
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.end();
    }
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registered")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}
