//! The measured server: one process, or several that share a port.

use crate::children::{Children, Process};
use crate::process;
use greenwire_bench_peers::{Peer, Service};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(20);

/// What a server prints when it listens.
const LISTENING: &str = "listening on ";

/// A server that runs; dropping it ends it.
#[derive(Debug)]
pub struct Servers {
    processes: Vec<Process>,
    address: SocketAddr,
}

impl Servers {
    /// Starts `count` processes of a peer on these CPUs, with a worker for each CPU.
    ///
    /// # Errors
    /// What the peer lacks, or why it did not listen.
    pub fn start(
        children: &Children,
        peer: &Peer,
        service: Service,
        cpus: &[usize],
        count: usize,
    ) -> io::Result<Servers> {
        let mut processes = Vec::new();
        let mut address = None;
        for _ in 0..count {
            let port = address.map_or(0, |address: SocketAddr| address.port());
            let mut command = peer.command(service)?;
            command.args(["--port", &port.to_string()]);
            command.args(["--workers", &cpus.len().to_string()]);
            if count > 1 {
                command.arg("--reuse-port");
            }
            let mut process = children.start(command, cpus)?;
            let line = process.line(START)?;
            let printed = line
                .strip_prefix(LISTENING)
                .and_then(|text| text.trim().parse().ok());
            let printed =
                printed.ok_or_else(|| io::Error::other(format!("it printed {line:?}")))?;
            address = Some(printed);
            processes.push(process);
        }
        let address = address.ok_or_else(|| io::Error::other("no process was asked for"))?;
        Ok(Servers { processes, address })
    }

    /// Where they listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The numbers of the processes.
    pub fn ids(&self) -> Vec<u32> {
        self.processes.iter().map(Process::id).collect()
    }

    /// The memory of all, page tables included, in bytes.
    ///
    /// # Errors
    /// One that has ended.
    pub fn memory(&self) -> io::Result<u64> {
        let memory = |id| Ok(process::Process::new(id).memory()?.total());
        self.ids().into_iter().map(memory).sum()
    }

    /// How the first has ended that has; `None` if all run.
    pub fn ended(&mut self) -> Option<String> {
        self.processes.iter_mut().find_map(Process::ended)
    }
}

/// How a server is started, for a reader.
pub fn command_line(peer: &Peer, service: Service, workers: usize, count: usize) -> String {
    let switches: String = peer
        .switches
        .iter()
        .map(|switch| format!(" {switch}"))
        .collect();
    let share = if count > 1 { " --reuse-port" } else { "" };
    let program = match peer.program {
        greenwire_bench_peers::Program::Rust(name, _) => format!("benches/target/release/{name}"),
        greenwire_bench_peers::Program::Python(script) => {
            format!("python benches/peers/python/{script}")
        }
        greenwire_bench_peers::Program::Node(script) => format!("node benches/peers/node/{script}"),
        greenwire_bench_peers::Program::Go => "benches/target/peers/go".to_owned(),
    };
    let times = if count > 1 {
        format!(" ({count} processes)")
    } else {
        String::new()
    };
    format!(
        "{program} {}{switches} --port 8080 --workers {workers}{share}{times}",
        service.name()
    )
}
