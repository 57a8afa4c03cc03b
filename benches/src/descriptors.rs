//! Enough descriptors for thousands of connections.

use rustix::process::{Resource, getrlimit, setrlimit};
use std::io;

/// What a process has open beside its connections.
const OTHERS: u64 = 100;

/// Lets this process, and those that it starts, have so many connections each.
///
/// # Errors
/// The system's; one that tells the limit, if it does not allow so many.
pub fn allow(connections: u64) -> io::Result<()> {
    let needed = connections + OTHERS;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(maximum) = limit.maximum.filter(|maximum| *maximum < needed) {
        return Err(io::Error::other(format!(
            "{needed} descriptors are needed, {maximum} allowed (`ulimit -Hn`)"
        )));
    }
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    Ok(())
}
