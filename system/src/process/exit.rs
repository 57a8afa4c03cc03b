//! Waiting for the end of a child, without taking its status: that is std's to do.

use greenwire_runtime::io::{Direction, Source};
use greenwire_runtime::sync::mpsc;
use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::io;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::Duration;

/// The end of a child to come.
#[derive(Debug)]
pub(super) enum Exit {
    /// A descriptor that becomes readable then.
    Descriptor(Source<OwnedFd>),
    /// An OS thread that ends then, and with it the channel.
    Thread(mpsc::Receiver<()>),
}

impl Exit {
    /// Of a child whose status nobody has taken.
    pub(super) fn of(pid: Pid) -> io::Result<Exit> {
        match descriptor(pid) {
            Some(descriptor) => Ok(Exit::Descriptor(Source::new(descriptor))),
            None => Exit::by_thread(pid),
        }
    }

    /// A thread of its own: in the pool of `unblock`, children that live long would stand in the
    /// way of files and names.
    fn by_thread(pid: Pid) -> io::Result<Exit> {
        let (ending, ended) = mpsc::channel();
        let name = "greenwire-child".to_owned();
        thread::Builder::new().name(name).spawn(move || {
            let _ending = ending;
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
        })?;
        Ok(Exit::Thread(ended))
    }

    /// Parks until the child has ended, for at most `limit`. It may turn out to live all the same.
    pub(super) fn wait(&self, limit: Option<Duration>) -> io::Result<()> {
        match self {
            Exit::Descriptor(source) => match source.wait(Direction::Read, limit) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
                result => result,
            },
            Exit::Thread(ended) => {
                let limit = limit.unwrap_or(Duration::MAX);
                let end = ended.recv_timeout(limit);
                debug_assert!(end.is_err(), "nothing is ever sent");
                Ok(())
            }
        }
    }
}

/// `None` where the system has none, or none left.
#[cfg(target_os = "linux")]
fn descriptor(pid: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn descriptor(_: Pid) -> Option<OwnedFd> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// The way of all systems but Linux.
    #[test]
    fn a_thread_waits_where_there_is_no_descriptor() {
        let story = || {
            let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
            let exit = Exit::by_thread(Pid::from_child(&child)).unwrap();
            exit.wait(Some(Duration::from_millis(10))).unwrap();
            assert!(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            exit.wait(None).unwrap();
            assert!(child.try_wait().unwrap().is_some());
        };
        story();
        greenwire_runtime::thread::spawn(story).join().unwrap();
    }
}
