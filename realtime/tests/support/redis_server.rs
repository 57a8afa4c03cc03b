//! A real Redis server for a story, on a port and in a folder of its own.

#![allow(dead_code, reason = "every story uses a part of it")]

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio, id};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, io};

/// The server; ended with all that it knows on drop.
pub(crate) struct RedisServer {
    addr: SocketAddr,
    folder: PathBuf,
    options: Vec<String>,
    process: Option<Child>,
}

impl RedisServer {
    /// Starts one, or says that it is not to be had.
    pub(crate) fn start(options: &[&str]) -> Option<RedisServer> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        if Command::new("redis-server")
            .arg("--version")
            .output()
            .is_err()
        {
            skip("redis-server");
            return None;
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("greenwire-redis-{}-{number}", id()));
        fs::create_dir(&folder).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut server = RedisServer {
            addr: free.local_addr().unwrap(),
            folder,
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            process: None,
        };
        drop(free);
        server.restart();
        Some(server)
    }

    /// The address as a URL.
    pub(crate) fn url(&self) -> String {
        format!("redis://{}/", self.addr)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A file of its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Ends it at once, without a farewell.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Keeps it from answering, or lets it go on.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.process.as_ref().expect("it runs");
        let status = Command::new("kill")
            .args([name, &process.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Starts it again, at the same address. It remembers nothing.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--port", &self.addr.port().to_string()]);
        command.arg("--dir").arg(&self.folder).args(&self.options);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
        super::until("the server accepts", || {
            TcpStream::connect(self.addr).is_ok()
        });
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Says that a program is absent; on CI that is a failure. Written past the test runner, which
/// swallows what `println!` says.
pub(crate) fn skip(missing: &str) {
    let note = format!("skipped: {missing} not found");
    let ci = env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(!ci, "{note}");
    let _ = writeln!(io::stderr(), "{note}");
}
