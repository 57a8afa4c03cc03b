//! What the runtime tells of itself to whoever looks for a fault: which green threads there are and what
//! they wait for ([`dump`]), who keeps a worker from all others (the watchdog), and that nothing can ever
//! go on (the report of a deadlock).

pub(crate) mod deadlock;
mod dump;
mod frames;
mod on_signal;
mod reason;
mod watchdog;

pub use dump::{Dump, GreenThread, State, dump, dump_up_to};
pub use frames::Frame;
pub(crate) use on_signal::dump_on_sigusr1;
pub use reason::Reason;
pub(crate) use reason::number_of;
pub(crate) use watchdog::Watchdog;
