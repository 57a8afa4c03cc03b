//! A dump in print: a tree of green threads, each with its backtrace.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt;

use super::dump::{Dump, GreenThread, OsThread, State};
use crate::thread::ThreadId;

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.ready() + self.parked() + self.running();
        writeln!(
            f,
            "{count} green thread{}: {} ready, {} parked, {} not started",
            if count == 1 { "" } else { "s" },
            self.ready(),
            self.parked(),
            self.not_started(),
        )?;
        for worker in self.busy_workers() {
            writeln!(f, "worker {worker} is busy, and has not answered in full")?;
        }
        for thread in self.os_threads() {
            writeln!(f, "{thread}")?;
        }
        Tree::of(self).print(f)?;
        match self.left_out() {
            0 => Ok(()),
            more => writeln!(f, "... and {more} more"),
        }
    }
}

/// The green threads, each below the one that spawned it.
struct Tree<'a> {
    roots: Vec<&'a GreenThread>,
    children: HashMap<ThreadId, Vec<&'a GreenThread>>,
}

impl<'a> Tree<'a> {
    fn of(dump: &'a Dump) -> Tree<'a> {
        let known: HashSet<ThreadId> = dump.threads().map(GreenThread::id).collect();
        let mut tree = Tree {
            roots: Vec::new(),
            children: HashMap::new(),
        };
        let mut oldest_last: Vec<&GreenThread> = dump.threads().collect();
        oldest_last.sort_by_key(|thread| Reverse(thread.id()));
        for thread in oldest_last {
            match thread.parent().filter(|parent| known.contains(parent)) {
                Some(parent) => tree.children.entry(parent).or_default().push(thread),
                None => tree.roots.push(thread),
            }
        }
        tree
    }

    fn print(mut self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not recursive: a chain of spawns may be long.
        let mut stack: Vec<_> = self.roots.drain(..).map(|root| (0, root)).collect();
        while let Some((level, thread)) = stack.pop() {
            thread.print(f, level)?;
            let children = self.children.remove(&thread.id()).unwrap_or_default();
            stack.extend(children.into_iter().map(|child| (level + 1, child)));
        }
        Ok(())
    }
}

impl GreenThread {
    fn print(&self, f: &mut fmt::Formatter<'_>, level: usize) -> fmt::Result {
        const DEEPEST: usize = 20;
        let indent = 4 * level.min(DEEPEST);
        writeln!(f, "{:indent$}{self}", "")?;
        for frame in self.backtrace() {
            writeln!(f, "{:indent$}        {frame}", "")?;
        }
        Ok(())
    }
}

/// One line, without the backtrace.
impl fmt::Display for GreenThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {}", self.id().number())?;
        if let Some(name) = self.name() {
            write!(f, " '{name}'")?;
        }
        write!(f, " on worker {}: {}", self.worker(), self.state())
    }
}

impl fmt::Display for OsThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "OS thread '{}': blocked for {:.1} s, waits for {}",
            self.name().unwrap_or("<unnamed>"),
            self.since().as_secs_f64(),
            self.reason()
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Ready => f.write_str("ready"),
            State::Running => f.write_str("running"),
            State::Parked {
                reason,
                since,
                left,
            } => {
                write!(
                    f,
                    "parked for {:.1} s, waits for {reason}",
                    since.as_secs_f64()
                )?;
                left.map_or(Ok(()), |left| {
                    write!(f, ", {:.1} s at most", left.as_secs_f64())
                })
            }
        }
    }
}
