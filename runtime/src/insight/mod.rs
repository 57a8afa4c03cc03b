//! What the runtime tells about itself to whoever looks for a fault.
//!
//! * [`dump`]: all green threads, what they are doing, what they wait for, and where they stand. Also at a
//!   signal, with [`Builder::dump_on_sigusr1`](crate::Builder::dump_on_sigusr1).
//! * The watchdog, with [`Builder::watchdog`](crate::Builder::watchdog): which green thread keeps its worker from
//!   all others.
//! * The report of a deadlock: that every thread of the process waits for another one, for ever. It is always
//!   on, and logged once, as an error, with a dump. It never ends the process.
//!
//! A deadlock is reported only where there can be no doubt: on Linux; if every OS thread of the process is the
//! runtime's, or waits in greenwire without a deadline; and if no timer is armed and no descriptor registered. So it
//! can be missed, but there is no false alarm.
//!
//! Everything is said through the `log` crate: set up a logger to see it.

pub(crate) mod deadlock;
mod dump;
mod frames;
mod on_signal;
mod print;
mod reason;
mod watchdog;

pub use dump::{Dump, GreenThread, OsThread, Stack, State, dump, dump_up_to};
pub use frames::Frame;
pub(crate) use on_signal::dump_on_sigusr1;
pub use reason::Reason;
pub(crate) use reason::number_of;
pub(crate) use watchdog::Watchdog;
