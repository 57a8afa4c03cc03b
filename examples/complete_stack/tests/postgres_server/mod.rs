//! A real PostgreSQL server for a story, on a port and in a folder of its own.

use postgres::{Client, NoTls};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio, id};
use std::{env, fs};

/// The server; ended with all that it knows on drop.
pub(crate) struct PostgresServer {
    folder: PathBuf,
    process: Child,
    port: u16,
}

impl PostgresServer {
    /// Starts one, or says that it is not to be had.
    pub(crate) fn start() -> Option<PostgresServer> {
        let Some(programs) = programs() else {
            super::support::skip("initdb, of PostgreSQL");
            return None;
        };
        let folder = env::temp_dir().join(format!("greenwire-postgres-{}", id()));
        fs::create_dir(&folder).unwrap();
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(&folder).status();
            assert!(owned.unwrap().success());
        }
        let data = folder.join("data");
        let made = as_user(&programs.join("initdb"))
            .args(["-U", "postgres", "-A", "trust", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = as_user(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-h", "127.0.0.1", "-k", "", "-F", "-p", &port.to_string()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = PostgresServer {
            folder,
            process,
            port,
        };
        super::until("PostgreSQL answers", || {
            Client::connect(&server.url(), NoTls).is_ok()
        });
        Some(server)
    }

    /// The address as a URL.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // At once, but with all of its processes.
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &pid]).status();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder of PostgreSQL's programs; Debian's is not in the path.
fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = debian.flatten().map(|version| version.path().join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(debian);
    folders.find(|folder| folder.join("initdb").exists())
}

/// PostgreSQL refuses to run as root.
fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    command.arg(program).current_dir(env::temp_dir());
    command.stdout(Stdio::null());
    command
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}
