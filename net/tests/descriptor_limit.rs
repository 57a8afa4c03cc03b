//! More clients than the server has descriptors: all are served in the end, and waiting costs nothing.

#![cfg(target_os = "linux")]

mod support;

use greenwire_net::{Server, TcpStream};
use greenwire_runtime::{sync::mpsc, thread};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

const CLIENTS: usize = 5000;
const DESCRIPTORS: u64 = 1000;
const PATIENCE: Duration = Duration::from_secs(90);

/// Prints what the library logs: the parent counts the lines.
struct Printer;

impl log::Log for Printer {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.level() <= log::Level::Warn {
            println!("log: {}", record.args());
        }
    }

    fn flush(&self) {}
}

#[test]
#[ignore = "the child process of the test below"]
fn server() {
    allow(DESCRIPTORS);
    log::set_logger(&Printer).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let server = Server::bind("127.0.0.1:0").unwrap();
    println!("port: {}", server.local_addr().unwrap().port());
    server
        .serve(|mut stream, _| {
            let mut buf = [0; 8];
            while stream.read_exact(&mut buf).is_ok() && stream.write_all(&buf).is_ok() {}
        })
        .unwrap();
}

#[test]
fn five_thousand_clients_and_a_thousand_descriptors() {
    if !allow(CLIENTS as u64 + 500) {
        eprintln!("skipped: the limit of descriptors cannot be raised to {CLIENTS}");
        return;
    }
    let mut child = start_server();
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let mut line_after = |prefix: &str| {
        let mut lines = lines.by_ref().map(Result::unwrap);
        lines.find_map(|line| Some(line.split_once(prefix)?.1.to_owned()))
    };
    let port: u16 = line_after("port: ").unwrap().parse().unwrap();

    let served = Arc::new(AtomicUsize::new(0));
    let (leave, may_leave): (Vec<_>, Vec<_>) = (0..CLIENTS).map(|_| mpsc::channel::<()>()).unzip();
    let clients: Vec<_> = may_leave
        .into_iter()
        .enumerate()
        .map(|(id, may_leave)| {
            let served = served.clone();
            thread::spawn(move || {
                let id = (id as u64).to_be_bytes();
                let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.write_all(&id).unwrap();
                let mut answer = [0; 8];
                stream.read_exact(&mut answer).unwrap();
                assert_eq!(answer, id);
                served.fetch_add(1, Ordering::SeqCst);
                let _ = may_leave.recv();
            })
        })
        .collect();

    let complaint = line_after("log: ").unwrap();
    assert!(complaint.contains("cannot accept"), "{complaint}");
    until(|| served.load(Ordering::SeqCst) > DESCRIPTORS as usize * 9 / 10);
    until(|| {
        let before = served.load(Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(500));
        served.load(Ordering::SeqCst) == before
    });
    let before = cpu_time(&child);
    std::thread::sleep(Duration::from_secs(3));
    let spent = cpu_time(&child) - before;
    assert!(spent < Duration::from_millis(300), "it spins: {spent:?}");
    let after = served.load(Ordering::SeqCst);
    assert!(after < DESCRIPTORS as usize, "{after} clients are served");

    drop(leave);
    for client in clients {
        client.join().unwrap();
    }
    assert_eq!(served.load(Ordering::SeqCst), CLIENTS);
    child.0.kill().unwrap();
    assert_eq!(line_after("log: "), None, "one line is enough");
}

/// Sets how many descriptors this process may have.
fn allow(count: u64) -> bool {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: Some(count),
        maximum,
    };
    setrlimit(Resource::Nofile, limit).is_ok()
}

struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_server() -> KillOnDrop {
    let mut server = Command::new(env::current_exe().unwrap());
    server.args(["--ignored", "--exact", "server", "--nocapture"]);
    KillOnDrop(server.stdout(Stdio::piped()).spawn().unwrap())
}

/// Of the whole process, as the system counts it: in hundredths of a second.
fn cpu_time(child: &KillOnDrop) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.0.id())).unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split(' ').collect();
    let ticks: u64 = fields[12].parse::<u64>().unwrap() + fields[13].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

#[track_caller]
fn until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "it never comes true");
        std::thread::sleep(Duration::from_millis(5));
    }
}
