//! What the table of peers says about one, and how its program is found and started.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A server program, or one way to start it.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The name that tables and plots show.
    pub name: &'static str,
    /// What is started.
    pub program: Program,
    /// Further arguments, which make it this peer and not another.
    pub switches: &'static [&'static str],
    /// What it offers.
    pub services: &'static [Service],
    /// What it makes of `--workers`.
    pub parallelism: Parallelism,
}

/// What a server does for its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Sends back whatever bytes come.
    TcpEcho,
    /// `/plaintext`, `/json`, `/wait` (10 ms) and `/compute` (50 ms in the handler), over HTTP/1.1 with
    /// keep-alive and pipelining.
    Http,
    /// Sends back each text or binary message, up to 1 MiB at least; no compression.
    WebsocketEcho,
    /// Who connects to `/feed` gets every message that who connects to `/publish` sends.
    Broadcast,
    /// Socket.IO 5 at `/socket.io/`: who connects joins a room, and gets an event `ready` when it is heard. An event
    /// `echo` is answered with its argument, `say` is passed on to the room as `said`.
    SocketIo,
}

impl Service {
    /// All of them.
    pub const ALL: [Service; 5] = [
        Service::TcpEcho,
        Service::Http,
        Service::WebsocketEcho,
        Service::Broadcast,
        Service::SocketIo,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Service::TcpEcho => "tcp-echo",
            Service::Http => "http",
            Service::WebsocketEcho => "websocket-echo",
            Service::Broadcast => "broadcast",
            Service::SocketIo => "socket.io",
        }
    }
}

/// What a server makes of `--workers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parallelism {
    /// That many OS threads run the handlers.
    Workers,
    /// Nothing: one OS thread runs everything.
    SingleThread,
    /// Nothing: each connection has an OS thread of its own.
    ThreadPerConnection,
}

/// What is started, and how it comes into being.
#[derive(Clone, Copy, Debug)]
pub enum Program {
    /// A program of this package, by its name, and the versions of what it is made of.
    Rust(&'static str, &'static str),
    /// A script in `python/`, run in the environment that `setup` makes.
    Python(&'static str),
    /// A script in `node/`, with the packages that `setup` installs.
    Node(&'static str),
    /// The program that `setup` makes from `go/`.
    Go,
}

impl Peer {
    /// The command that starts it, up to and including the peer's own switches, with its standard output
    /// piped. Add `--port`, `--workers` and `--reuse-port`.
    ///
    /// # Errors
    /// `ErrorKind::NotFound` if the program, or what runs it, is not there, in words for the user.
    pub fn command(&self, service: Service) -> io::Result<Command> {
        let mut command = self.program.command()?;
        command.arg(service.name()).args(self.switches);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        Ok(command)
    }

    /// What it is made of, with versions, such as "tokio 1.54.1".
    ///
    /// # Errors
    /// As [`command`](Peer::command).
    pub fn version(&self) -> io::Result<String> {
        if let Program::Rust(_, version) = self.program {
            return Ok(version.to_owned());
        }
        let output = self.program.command()?.arg("--version").output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Program {
    fn command(self) -> io::Result<Command> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
        let installed = sources.join("../target/peers");
        match self {
            Program::Rust(name, _) => existing(programs_directory()?.join(name), "cargo build"),
            Program::Go => existing(installed.join("go"), "benches/peers/setup"),
            Program::Python(script) => {
                let python = installed.join("python/bin/python");
                let mut command = existing(python, "benches/peers/setup")?;
                command.arg(sources.join("python").join(script));
                Ok(command)
            }
            Program::Node(script) => {
                let folder = sources.join("node");
                existing(folder.join("node_modules/socket.io"), "benches/peers/setup")?;
                let mut command = Command::new("node");
                command.arg(folder.join(script));
                Ok(command)
            }
        }
    }
}

fn existing(path: PathBuf, maker: &str) -> io::Result<Command> {
    if path.exists() {
        return Ok(Command::new(path));
    }
    let text = format!("{} not found; {maker} makes it", path.display());
    Err(io::Error::new(io::ErrorKind::NotFound, text))
}

/// Where cargo puts the programs of this workspace: beside the one that asks, or above its tests.
///
/// # Errors
/// If the system does not tell which program this is.
pub fn programs_directory() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().unwrap_or(Path::new("."));
    let above = folder.parent().filter(|_| folder.ends_with("deps"));
    Ok(above.unwrap_or(folder).to_owned())
}
