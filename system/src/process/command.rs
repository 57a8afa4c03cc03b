//! `Command`: std's, whose children are ours.

use super::child::Child;
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, CommandArgs, CommandEnvs, ExitStatus, Output, Stdio};

/// A process to be started, as [`std::process::Command`].
///
/// # Differences from std
///
/// The methods of std's `CommandExt`, which only std can implement, are methods of the type, but for
/// `pre_exec`: that is `unsafe`, and set through [`as_std_mut`](Command::as_std_mut).
#[derive(Debug)]
pub struct Command {
    inner: process::Command,
    /// Which of the streams the program has decided on: the others depend on how it starts.
    decided: Streams,
    kill_on_drop: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Streams {
    stdin: bool,
    stdout: bool,
    stderr: bool,
}

impl Command {
    /// A process that runs `program`, found as std finds it, with this one's environment.
    pub fn new<S: AsRef<OsStr>>(program: S) -> Command {
        Command {
            inner: process::Command::new(program),
            decided: Streams::default(),
            kill_on_drop: false,
        }
    }

    /// Adds an argument.
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.inner.arg(arg);
        self
    }

    /// Adds several arguments.
    pub fn args<I, S>(&mut self, args: I) -> &mut Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.inner.args(args);
        self
    }

    /// Sets a variable of the environment.
    pub fn env<K, V>(&mut self, key: K, val: V) -> &mut Command
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.inner.env(key, val);
        self
    }

    /// Sets several variables of the environment.
    pub fn envs<I, K, V>(&mut self, vars: I) -> &mut Command
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.inner.envs(vars);
        self
    }

    /// Removes a variable of the environment.
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Command {
        self.inner.env_remove(key);
        self
    }

    /// Begins with an empty environment.
    pub fn env_clear(&mut self) -> &mut Command {
        self.inner.env_clear();
        self
    }

    /// Sets the working directory.
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Command {
        self.inner.current_dir(dir);
        self
    }

    /// Sets standard input. By default inherited, but empty for [`output`](Command::output).
    pub fn stdin<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.inner.stdin(cfg);
        self.decided.stdin = true;
        self
    }

    /// Sets standard output. By default inherited, but a pipe for [`output`](Command::output).
    pub fn stdout<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.inner.stdout(cfg);
        self.decided.stdout = true;
        self
    }

    /// Sets standard error. By default inherited, but a pipe for [`output`](Command::output).
    pub fn stderr<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.inner.stderr(cfg);
        self.decided.stderr = true;
        self
    }

    /// Kills the child when its [`Child`] is dropped, also by a cancellation that unwinds through it.
    /// By default off: the child then goes on alone, as std's.
    pub fn kill_on_drop(&mut self, on: bool) -> &mut Command {
        self.kill_on_drop = on;
        self
    }

    /// Sets the user that the process runs as. As std's `CommandExt::uid`.
    pub fn uid(&mut self, id: u32) -> &mut Command {
        self.inner.uid(id);
        self
    }

    /// Sets the group that the process runs as. As std's `CommandExt::gid`.
    pub fn gid(&mut self, id: u32) -> &mut Command {
        self.inner.gid(id);
        self
    }

    /// Sets the name that the program gets as its own. As std's `CommandExt::arg0`.
    pub fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.inner.arg0(arg);
        self
    }

    /// Puts the process into this process group, or into a new one of its own (0), so that a signal can
    /// reach it with all processes that it starts. As std's `CommandExt::process_group`.
    pub fn process_group(&mut self, pgroup: i32) -> &mut Command {
        self.inner.process_group(pgroup);
        self
    }

    /// Replaces this process by the program, with all its threads, green or not; see std's
    /// `CommandExt::exec`. Returns only the error if it cannot.
    #[must_use]
    pub fn exec(&mut self) -> io::Error {
        self.inner.exec()
    }

    /// Starts the process.
    ///
    /// Never parks: starting takes the calling OS thread a millisecond or so, until the child has left
    /// this one's memory. It is done here and not on another OS thread, because what the system ties
    /// to the parent's thread (`PR_SET_PDEATHSIG`) would end with that.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such program; the system's.
    pub fn spawn(&mut self) -> io::Result<Child> {
        self.start(Stdio::inherit, Stdio::inherit)
    }

    /// Runs the process, and gathers what it writes.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Command::spawn) and of [`Child::wait_with_output`].
    ///
    /// # Cancellation
    ///
    /// Parks here.
    pub fn output(&mut self) -> io::Result<Output> {
        self.start(Stdio::null, Stdio::piped)?.wait_with_output()
    }

    /// Runs the process to its end.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Command::spawn) and of [`Child::wait`].
    ///
    /// # Cancellation
    ///
    /// Parks here.
    pub fn status(&mut self) -> io::Result<ExitStatus> {
        self.spawn()?.wait()
    }

    /// The program.
    pub fn get_program(&self) -> &OsStr {
        self.inner.get_program()
    }

    /// The arguments, without the program.
    pub fn get_args(&self) -> CommandArgs<'_> {
        self.inner.get_args()
    }

    /// What was set of the environment; `None` for what was removed.
    pub fn get_envs(&self) -> CommandEnvs<'_> {
        self.inner.get_envs()
    }

    /// The working directory, if it was set.
    pub fn get_current_dir(&self) -> Option<&Path> {
        self.inner.get_current_dir()
    }

    /// Std's command, for what else can be set there. Streams are to be set here.
    pub fn as_std_mut(&mut self) -> &mut process::Command {
        &mut self.inner
    }

    /// Starts it with these for the streams that nothing was decided on.
    fn start(&mut self, stdin: fn() -> Stdio, outputs: fn() -> Stdio) -> io::Result<Child> {
        if !self.decided.stdin {
            self.inner.stdin(stdin());
        }
        if !self.decided.stdout {
            self.inner.stdout(outputs());
        }
        if !self.decided.stderr {
            self.inner.stderr(outputs());
        }
        Child::adopt(self.inner.spawn()?, self.kill_on_drop)
    }
}
