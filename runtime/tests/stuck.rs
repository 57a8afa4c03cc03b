//! Processes in which nothing can go on any more say so, and those in which something can do not.
//!
//! Each scenario is a process of its own, which logs to its standard error. This test has no harness, since
//! the harness's OS threads are unknown to the runtime: they could wake somebody.
//!
//! A scenario in which something can go on lets it do so, a while later, and logs "released". Only then may
//! the deadlock be reported.

#[cfg(target_os = "linux")]
fn main() {
    match std::env::var(linux::SCENARIO) {
        Ok(scenario) => linux::play(&scenario),
        Err(_) => linux::run_all(),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use greenwire_runtime::io::{Direction, Source};
    use greenwire_runtime::sync::mpsc;
    use greenwire_runtime::{Builder, thread, unblock};
    use std::io::{BufRead, BufReader};
    use std::os::unix::net::UnixStream;
    use std::process::{Child, Command, Stdio};
    use std::sync::mpsc as std_mpsc;
    use std::time::Duration;

    pub(super) const SCENARIO: &str = "GREENWIRE_TEST_SCENARIO";

    /// Long enough for a false alarm, which would come after about a second.
    const HELD_UP: Duration = Duration::from_millis(2500);

    /// How long a report may take.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Logs to the standard error.
    struct Stderr;

    impl log::Log for Stderr {
        fn enabled(&self, _: &log::Metadata) -> bool {
            true
        }

        fn log(&self, record: &log::Record) {
            eprintln!("{} {}", record.level(), record.args());
        }

        fn flush(&self) {}
    }

    pub(super) fn play(scenario: &str) {
        log::set_logger(&Stderr).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
        match scenario {
            "two wait for each other" => two_wait_for_each_other(),
            "main joins one that waits" => main_joins_one_that_waits(|| {}),
            "with all helpers" => with_all_helpers(),
            "a timer is armed" => main_joins_one_that_waits(|| {
                spawn_holdup(|| thread::sleep(HELD_UP));
            }),
            "a descriptor is watched" => main_joins_one_that_waits(a_descriptor_is_watched),
            "another thread may send" => another_thread_may_send(),
            "main has a deadline" => main_has_a_deadline(),
            "the pool works" => main_joins_one_that_waits(|| {
                spawn_holdup(|| unblock(|| std::thread::sleep(HELD_UP)));
            }),
            "one computes" => main_joins_one_that_waits(|| {
                spawn_holdup(|| std::thread::sleep(HELD_UP));
            }),
            other => panic!("unknown scenario {other:?}"),
        }
    }

    fn spawn<T: Send + 'static>(
        name: &str,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> thread::JoinHandle<T> {
        let builder = thread::Builder::new().name(name.to_owned());
        builder.spawn(f).unwrap()
    }

    /// A green thread that keeps the process from being stuck, for a while.
    fn spawn_holdup(f: impl FnOnce() + Send + 'static) {
        spawn("holdup", || {
            f();
            log::warn!("released");
        });
    }

    fn two_wait_for_each_other() {
        let (to_left, left) = mpsc::channel::<()>();
        let (to_right, right) = mpsc::channel::<()>();
        let a = spawn("left", move || left.recv().map(|()| to_right.send(())));
        let _b = spawn("right", move || right.recv().map(|()| to_left.send(())));
        let _ = a.join();
    }

    fn main_joins_one_that_waits(holdup: impl FnOnce()) {
        let (_sender, receiver) = mpsc::channel::<()>();
        let waiter = spawn("waits for a message", move || receiver.recv());
        holdup();
        let _ = waiter.join();
    }

    fn with_all_helpers() {
        let builder = Builder::new().watchdog(Duration::from_millis(100));
        builder.dump_on_sigusr1(true).start().unwrap();
        unblock(|| ());
        spawn("uses the pool", || unblock(|| ())).join().unwrap();
        main_joins_one_that_waits(|| {});
    }

    /// Its other end is closed by another process.
    fn a_descriptor_is_watched() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let seconds = HELD_UP.as_secs_f64().to_string();
        let mut closer = Command::new("sleep")
            .arg(seconds)
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
            .spawn()
            .unwrap();
        spawn_holdup(move || {
            Source::new(ours).wait(Direction::Read, None).unwrap();
            closer.wait().unwrap();
        });
    }

    fn another_thread_may_send() {
        let (sender, receiver) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            std::thread::sleep(HELD_UP);
            sender.send(()).unwrap();
        });
        let (_sender, nothing) = mpsc::channel::<()>();
        let waiter = spawn("waits for a message", move || {
            receiver.recv().unwrap();
            // The sender is still ending.
            thread::sleep(Duration::from_millis(500));
            log::warn!("released");
            nothing.recv()
        });
        let _ = waiter.join();
    }

    fn main_has_a_deadline() {
        let (_sender, receiver) = mpsc::channel::<()>();
        let waiter = spawn("waits for a message", move || receiver.recv());
        let (_other_sender, other) = mpsc::channel::<()>();
        assert!(other.recv_timeout(HELD_UP).is_err());
        log::warn!("released");
        let _ = waiter.join();
    }

    pub(super) fn run_all() {
        let stuck = [
            ("two wait for each other", ["'left'", "'right'"]),
            (
                "main joins one that waits",
                ["'main'", "'waits for a message'"],
            ),
            ("with all helpers", ["'main'", "'waits for a message'"]),
        ];
        let released = [
            "a timer is armed",
            "a descriptor is watched",
            "another thread may send",
            "main has a deadline",
            "the pool works",
            "one computes",
        ];
        std::thread::scope(|scope| {
            for (scenario, names) in stuck {
                scope.spawn(move || is_reported(scenario, &names));
            }
            for scenario in released {
                scope.spawn(move || is_reported_after_release(scenario));
            }
            scope.spawn(a_signal_brings_a_dump);
        });
    }

    /// The scenario's process, and what it logs.
    struct Running {
        scenario: &'static str,
        process: Child,
        lines: std_mpsc::Receiver<String>,
        log: Vec<String>,
    }

    impl Running {
        fn start(scenario: &'static str) -> Running {
            let mut process = Command::new(std::env::current_exe().unwrap())
                .env(SCENARIO, scenario)
                .env("GREENWIRE_WORKERS", "2")
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let errors = BufReader::new(process.stderr.take().unwrap());
            let (sender, lines) = std_mpsc::channel();
            std::thread::spawn(move || {
                for line in errors.lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
            Running {
                scenario,
                process,
                lines,
                log: Vec::new(),
            }
        }

        /// Reads on until a line contains `text`.
        #[track_caller]
        fn expect(&mut self, text: &str) {
            while !self.log.last().is_some_and(|line| line.contains(text)) {
                match self.lines.recv_timeout(PATIENCE) {
                    Ok(line) => self.log.push(line),
                    Err(_) => panic!("{}: no {text:?} in {:#?}", self.scenario, self.log),
                }
            }
        }

        fn has_said(&self, text: &str) -> bool {
            self.log.iter().any(|line| line.contains(text))
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    fn is_reported(scenario: &'static str, names: &[&str]) {
        let mut running = Running::start(scenario);
        running.expect("ERROR deadlock");
        for name in names {
            running.expect(name);
        }
    }

    fn is_reported_after_release(scenario: &'static str) {
        let mut running = Running::start(scenario);
        running.expect("released");
        assert!(
            !running.has_said("deadlock"),
            "{scenario}: {:#?}",
            running.log
        );
        running.expect("ERROR deadlock");
        running.expect("'waits for a message'");
    }

    fn a_signal_brings_a_dump() {
        let mut running = Running::start("with all helpers");
        running.expect("ERROR deadlock");
        running.expect("'waits for a message'");
        let id = running.process.id().to_string();
        let sent = Command::new("kill").args(["-USR1", &id]).status().unwrap();
        assert!(sent.success());
        running.expect("WARN SIGUSR1: 1 green thread");
        running.expect("'waits for a message'");
        assert!(
            running.process.try_wait().unwrap().is_none(),
            "it still runs"
        );
    }
}
