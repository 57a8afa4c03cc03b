//! TLS with programs that know nothing of greenwire: openssl, curl, Python. Our end is on green threads, and
//! the story on an OS thread, which may block.

#![cfg(feature = "tls")]

#[path = "support/certificates.rs"]
mod certificates;
mod support;

use certificates::authority;
use greenwire_net::tls::{Error, TlsStream};
use greenwire_net::{TcpListener, TcpStream};
use greenwire_runtime::thread;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::{fs, io};
use support::{DEADLINE, Folder};

/// What a server learned of a connection.
type Served = Result<TlsStream, Error>;

/// A program that runs, and is killed on drop.
struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
}

impl Program {
    /// `None`, and a note, if it is not installed.
    fn start(name: &str, args: &[&str]) -> Option<Program> {
        let mut command = Command::new(name);
        command.args(args).stdin(Stdio::piped());
        let (output, end) = io::pipe().unwrap();
        command.stdout(end.try_clone().unwrap()).stderr(end);
        let mut child = match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                support::skip(name);
                return None;
            }
            child => child.unwrap(),
        };
        // It holds the other end of the pipe, too.
        drop(command);
        let output = BufReader::new(output);
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            output
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| send.send(line))
        });
        let stdin = child.stdin.take();
        Some(Program {
            child,
            stdin,
            lines,
        })
    }

    fn say(&mut self, text: &str) {
        self.stdin
            .as_mut()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    /// The next line with `text` in it.
    #[track_caller]
    fn hear(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(DEADLINE).expect(text);
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Ends its input, and waits for its end; whether it was content.
    fn end(mut self) -> bool {
        drop(self.stdin.take());
        while self.lines.recv_timeout(DEADLINE).is_ok() {}
        self.child.wait().unwrap().success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves `count` connections by lines, in capitals; the port, and how each one ended.
fn serve(count: usize) -> (String, thread::JoinHandle<Vec<Served>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let acceptor = authority().acceptor("localhost").alpn(["echo", "http/1.1"]);
    let server = thread::spawn(move || {
        let streams = listener.into_incoming().take(count);
        let served = streams.map(|stream| {
            let stream = acceptor.accept(stream.unwrap())?;
            for line in BufReader::new(&stream).lines() {
                let line = line? + "\n";
                (&stream).write_all(line.to_uppercase().as_bytes())?;
            }
            Ok(stream)
        });
        served.collect()
    });
    (addr, server)
}

fn authority_file(folder: &Folder) -> String {
    let path = folder.path("authority.pem");
    fs::write(&path, authority().pem()).unwrap();
    path.into_os_string().into_string().unwrap()
}

fn s_client<'a>(addr: &'a str, authority: &'a str, more: &[&'a str]) -> Option<Program> {
    let mut args = vec!["s_client", "-connect", addr, "-CAfile", authority];
    args.extend(["-servername", "localhost", "-verify_hostname", "localhost"]);
    args.extend(["-verify_return_error"]);
    args.extend(more);
    Program::start("openssl", &args)
}

#[test]
fn openssl_talks_and_changes_keys() {
    let folder = Folder::new();
    let ca = authority_file(&folder);
    let (addr, server) = serve(1);
    let Some(mut client) = s_client(&addr, &ca, &["-alpn", "echo"]) else {
        return;
    };
    client.hear("ALPN protocol: echo");
    client.hear("Verify return code: 0 (ok)");
    client.say("hello\n");
    client.hear("HELLO");
    // On this letter it sends a new key, and asks for one.
    client.say("K\n");
    client.hear("KEYUPDATE");
    client.say("again\n");
    client.hear("AGAIN");
    client.say("Q\n");
    assert!(client.end());
    let stream = server.join().unwrap().remove(0).unwrap();
    assert_eq!(stream.server_name().as_deref(), Some("localhost"));
    assert_eq!(stream.alpn_protocol().as_deref(), Some(&b"echo"[..]));
}

#[test]
fn openssl_resumes_its_session() {
    for version in ["-tls1_3", "-tls1_2"] {
        let folder = Folder::new();
        let ca = authority_file(&folder);
        let session = folder
            .path("session")
            .into_os_string()
            .into_string()
            .unwrap();
        let (addr, server) = serve(2);
        for (option, kind) in [("-sess_out", "New, "), ("-sess_in", "Reused, ")] {
            let options = [version, option, &session];
            let Some(mut client) = s_client(&addr, &ca, &options) else {
                return;
            };
            client.hear(kind);
            client.say("hello\n");
            client.hear("HELLO");
            client.say("Q\n");
            client.end();
        }
        let served = server.join().unwrap().into_iter().map(Result::unwrap);
        let resumed: Vec<bool> = served.map(|stream| stream.is_resumed()).collect();
        assert_eq!(resumed, [false, true], "{version}");
    }
}

#[test]
fn openssl_of_an_old_version_is_refused() {
    let folder = Folder::new();
    let ca = authority_file(&folder);
    let (addr, server) = serve(1);
    let old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
    let Some(client) = s_client(&addr, &ca, &old) else {
        return;
    };
    assert!(!client.end());
    let refused = server.join().unwrap().remove(0);
    assert!(matches!(refused, Err(Error::Tls(_))), "{refused:?}");
}

#[test]
fn openssl_serves_us() {
    let folder = Folder::new();
    let identity = authority().issue("localhost");
    let file = folder.path("identity.pem");
    fs::write(&file, identity.chain + &identity.key).unwrap();
    let file = file.to_str().unwrap();
    let args = [
        "s_server",
        "-accept",
        "127.0.0.1:0",
        "-rev",
        "-alpn",
        "echo",
    ];
    let args = [&args[..], &["-cert", file, "-key", file]].concat();
    let Some(server) = Program::start("openssl", &args) else {
        return;
    };
    let line = server.hear("ACCEPT 127.0.0.1:");
    let addr = line.strip_prefix("ACCEPT ").unwrap();
    let addr = addr.to_owned();
    let client = thread::spawn(move || {
        let connector = authority().connector().alpn(["echo"]);
        for resumed in [false, true] {
            let stream = TcpStream::connect(&addr).unwrap();
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            let mut stream = connector.connect("localhost", stream).unwrap();
            assert_eq!(stream.is_resumed(), resumed);
            assert_eq!(stream.alpn_protocol().as_deref(), Some(&b"echo"[..]));
            stream.write_all(b"hello\n").unwrap();
            let mut buf = [0; 6];
            stream.read_exact(&mut buf).unwrap();
            assert_eq!(&buf, b"olleh\n");
        }
    });
    client.join().unwrap();
}

#[test]
fn curl_gets_a_page() {
    let folder = Folder::new();
    let ca = authority_file(&folder);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = authority().acceptor("localhost").alpn(["http/1.1"]);
    let server = thread::spawn(move || -> Result<usize, Error> {
        let stream = acceptor.accept(listener.accept()?.0)?;
        let lines = BufReader::new(&stream).lines().map_while(Result::ok);
        let head = lines.take_while(|line| !line.is_empty()).count();
        (&stream).write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nthe page\n")?;
        Ok(head)
    });
    let (resolve, url) = (
        format!("localhost:{port}:127.0.0.1"),
        format!("https://localhost:{port}/"),
    );
    let args = [
        "-sS",
        "--max-time",
        "20",
        "--cacert",
        &ca,
        "--resolve",
        &resolve,
        &url,
    ];
    let Some(client) = Program::start("curl", &args) else {
        return;
    };
    client.hear("the page");
    // It would complain of a page that has no length and ends without close_notify.
    assert!(client.end());
    assert!(server.join().unwrap().unwrap() > 1);
}

#[test]
fn python_talks_and_says_goodbye() {
    const SCRIPT: &str = "
import socket, ssl, sys
host, port = sys.argv[1].split(':')
context = ssl.create_default_context(cafile=sys.argv[2])
with socket.create_connection((host, int(port)), timeout=20) as raw:
    stream = context.wrap_socket(raw, server_hostname='localhost')
    stream.sendall(b'x' * 100000 + b'\\n')
    received = b''
    while len(received) < 100001:
        received += stream.recv(65536)
    assert received == b'X' * 100000 + b'\\n'
    stream.unwrap()
    print('unwrapped', stream.version())
";
    let folder = Folder::new();
    let ca = authority_file(&folder);
    let (addr, server) = serve(1);
    // The server has to drop its stream for `unwrap`, which waits for both ends' close_notify.
    let server = thread::spawn(move || server.join().unwrap().remove(0).map(drop));
    let Some(client) = Program::start("python3", &["-c", SCRIPT, &addr, &ca]) else {
        return;
    };
    client.hear("unwrapped");
    assert!(client.end());
    server.join().unwrap().unwrap();
}
