//! One server, from its start to its end.

use crate::Flags;
use crate::client::Client;
use greenwire::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use greenwire::thread;
use greenwire_bench::children::Children;
use greenwire_bench::metric::Metric;
use greenwire_bench::process::Process;
use greenwire_bench::servers::Servers;
use greenwire_bench_peers::{Peer, Service};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The CPU that the server has for itself, but for what this program does before it measures.
const SERVER: usize = 1;

/// How long a message may take to all of them.
const PATIENCE: Duration = Duration::from_secs(30);

/// After this a runtime has given back what it needed only to begin.
const SETTLE: Duration = Duration::from_secs(3);

/// What is measured, in this order, and how it is shown.
pub(crate) const FIGURES: [(&str, Metric); 6] = [
    ("memory of an idle client", Metric::MemoryPerConnection),
    ("page tables of an idle client", Metric::MemoryPerConnection),
    ("events with answers a second", Metric::Throughput),
    ("CPU time of the server for each", Metric::CpuPerOperation),
    ("message to a room: last has it after", Metric::Latency50),
    (
        "CPU time of the server for each copy",
        Metric::CpuPerOperation,
    ),
];

/// Bytes, operations a second, microseconds.
pub(crate) type Values = [f64; FIGURES.len()];

pub(crate) fn measure(children: &Children, peer: &Peer, flags: &Flags) -> io::Result<Values> {
    let server = Servers::start(children, peer, Service::SocketIo, &[SERVER], 1)?;
    let address = server.address();
    let process = Process::new(server.ids()[0]);
    // What it needs only once, it has now.
    let mut speaker = Client::connect(address)?;
    thread::sleep(SETTLE);

    let before = process.memory()?;
    let arrivals = gather(address, flags.clients)?;
    thread::sleep(SETTLE);
    let now = process.memory()?;
    let each = |now: u64, before: u64| now.saturating_sub(before) as f64 / flags.clients as f64;

    let cpu_time = process.cpu_time()?;
    let mut times = Vec::with_capacity(flags.messages);
    for number in 0..flags.messages {
        let begin = Instant::now();
        speaker.send(&format!(r#"42["say","message {number}"]"#))?;
        wait_for(&arrivals, flags.clients)?;
        times.push(micros(begin.elapsed()));
    }
    times.sort_unstable_by(f64::total_cmp);
    let copies = flags.messages * flags.clients;
    let copy = micros(process.cpu_time()? - cpu_time) / copies as f64;

    let askers: io::Result<Vec<_>> = (0..flags.askers)
        .map(|_| Client::connect(address))
        .collect();
    let askers = askers?;
    let cpu_time = process.cpu_time()?;
    let begin = Instant::now();
    let events = ask(askers, flags.time)?;
    let took = begin.elapsed();
    let event = micros(process.cpu_time()? - cpu_time) / events as f64;
    Ok([
        each(now.pages, before.pages),
        each(now.tables, before.tables),
        events as f64 / took.as_secs_f64(),
        event,
        times[times.len() / 2],
        copy,
    ])
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Connects those who only listen. All messages that they get arrive at one place.
fn gather(address: SocketAddr, count: usize) -> io::Result<Receiver<io::Result<()>>> {
    let (sender, arrivals) = channel();
    for _ in 0..count {
        let (client, sender) = (Client::connect(address)?, sender.clone());
        thread::spawn(move || listen(client, &sender));
    }
    Ok(arrivals)
}

fn listen(mut client: Client, arrivals: &Sender<io::Result<()>>) {
    loop {
        let heard = client.wait_for(r#"42["said","#);
        let ended = heard.is_err();
        // Nobody asks any more once it is measured.
        if arrivals.send(heard).is_err() || ended {
            return;
        }
    }
}

fn wait_for(arrivals: &Receiver<io::Result<()>>, count: usize) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    for arrived in 0..count {
        let left = deadline.saturating_duration_since(Instant::now());
        arrivals.recv_timeout(left).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                io::Error::other(format!("only {arrived} of {count} have a message"))
            }
            RecvTimeoutError::Disconnected => io::Error::other("nobody listens any more"),
        })??;
    }
    Ok(())
}

/// Lets clients ask one thing after the other; how many answers they got.
fn ask(clients: Vec<Client>, time: Duration) -> io::Result<usize> {
    let end = Instant::now() + time;
    let ask = |mut client: Client| {
        thread::spawn(move || {
            let mut answers = 0;
            while Instant::now() < end {
                client.send(&format!(r#"42{answers}["echo","hello"]"#))?;
                client.wait_for(&format!("43{answers}["))?;
                answers += 1;
            }
            Ok::<usize, io::Error>(answers)
        })
    };
    let threads: Vec<_> = clients.into_iter().map(ask).collect();
    let counts = threads
        .into_iter()
        .map(|thread| thread.join().expect("it does not panic"));
    counts.sum()
}
