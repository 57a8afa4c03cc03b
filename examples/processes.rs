//! gevent's `examples/processes.py`: several child processes at the same time, with a limit.
//!
//! ```sh
//! cargo run --example processes
//! ```
//!
//! You should see what the quick commands say, in the order in which they end, and that the slow one is
//! killed after two seconds.

use greenwire::io::{self, ErrorKind};
use greenwire::process::{Command, Stdio};
use greenwire::sync::mpsc;
use greenwire::thread;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(2);

fn main() {
    let commands = ["uname -s", "ls /", "sort", "sleep 1000"];
    let (sender, ended) = mpsc::channel();
    for command in commands {
        let sender = sender.clone();
        thread::spawn(move || sender.send((command, run(command))));
    }
    drop(sender);
    for (command, said) in ended {
        match said {
            Ok(text) => println!("{command} says {:?}", text.trim()),
            Err(error) => println!("{command} was killed: {error}"),
        }
    }
}

/// What the command says to three lines of input, within the limit.
fn run(command: &str) -> io::Result<String> {
    let mut child = Command::new("sh")
        .args(["-c", &format!("exec {command}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.communicate("pear\napple\nfig\n", Some(LIMIT))?;
    String::from_utf8(output.stdout)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it does not say text"))
}
