//! What the tries share: green threads with a deadline, and foreign servers.

use std::any::Any;
use std::io::{self, BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Once, mpsc};
use std::time::{Duration, Instant};

use greenwire_runtime::{Builder, thread};
use socket2::SockRef;

/// How long anything may take.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Patches the process, in which there is one worker.
pub fn patch() {
    static PATCH: Once = Once::new();
    PATCH.call_once(|| {
        greenwire_monkey::patch_all().expect("this program is linked as it must be");
        Builder::new()
            .workers(1)
            .start()
            .expect("the runtime starts");
    });
}

/// A green thread. `join` is for OS threads, as tests are, and has a deadline.
pub struct Green<T>(mpsc::Receiver<Result<T, Box<dyn Any + Send>>>);

pub fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Green<T> {
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || drop(sender.send(catch_unwind(AssertUnwindSafe(f)))));
    Green(ended)
}

impl<T> Green<T> {
    #[track_caller]
    pub fn join(self) -> T {
        let result = self.0.recv_timeout(DEADLINE).expect("it ends in time");
        result.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

/// Runs as many green threads side by side, and tells how long they took together.
#[track_caller]
pub fn side_by_side(count: usize, f: impl Fn(usize) + Clone + Send + 'static) -> Duration {
    let begin = Instant::now();
    let each = |n| {
        let f = f.clone();
        spawn(move || f(n))
    };
    let threads: Vec<_> = (0..count).map(each).collect();
    threads.into_iter().for_each(Green::join);
    begin.elapsed()
}

/// A command for a program, or nothing, after saying so, if it is not there. With `CI=true` it must be.
#[must_use]
pub fn program(name: &str) -> Option<Command> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let more = [PathBuf::from("/usr/sbin")];
    let found = std::env::split_paths(&folders)
        .chain(more)
        .map(|folder| folder.join(name))
        .find(|path| path.exists());
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "{name} not found"
        );
        println!("skipped: {name} not found");
    }
    found.map(Command::new)
}

/// A folder that is gone when this is dropped.
pub struct Folder(PathBuf);

impl Folder {
    #[must_use]
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("greenwire-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("there is room for a folder");
        Folder(path)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it is the system's to clean up.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A foreign server, which ends when this is dropped.
pub struct Server(Child);

impl Server {
    /// Starts it, and waits until `is_up`.
    #[must_use]
    pub fn start(command: &mut Command, is_up: impl Fn() -> bool) -> Server {
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = Server(quiet.spawn().expect("the server starts"));
        let begin = Instant::now();
        while !is_up() {
            assert!(begin.elapsed() < DEADLINE, "the server does not come up");
            let ended = server.0.try_wait().expect("it is our child");
            assert!(ended.is_none(), "the server has ended: {ended:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// Starts one that says on which port it is as soon as it is up.
    #[must_use]
    pub fn announced(command: &mut Command) -> (Server, u16) {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut server = Server(command.spawn().expect("the server starts"));
        let mut said = String::new();
        let output = server.0.stdout.take().expect("it is a pipe");
        BufReader::new(output)
            .read_line(&mut said)
            .expect("the server says something");
        (server, said.trim().parse().expect("it is a port"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A listener whose queue has room for everybody: std's holds 128, and whoever comes too many tries again
/// after a second, or several.
#[must_use]
pub fn listener() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    SockRef::from(&listener)
        .listen(4096)
        .expect("it listens already");
    listener
}

/// A port that nobody has at the moment.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

#[must_use]
pub fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
