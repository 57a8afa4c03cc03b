//! The examples, used as their first lines say.

mod support;

use greenwire::process::{Child, ChildStdout, Command};
use greenwire::time::timeout;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// A running example; killed on drop.
struct Example {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Example {
    fn start(name: &str, args: &[&str]) -> Example {
        let mut command = Command::new(support::example(name).get_program());
        command.args(args).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Example { child, output }
    }

    /// What follows `prefix` in the next line that has it.
    fn after(&mut self, prefix: &str) -> String {
        let line = timeout(PATIENCE, || {
            loop {
                let mut line = String::new();
                assert!(self.output.read_line(&mut line).unwrap() > 0, "no {prefix}");
                if let Some((_, rest)) = line.split_once(prefix) {
                    return rest.trim_end().to_owned();
                }
            }
        });
        line.unwrap_or_else(|_| panic!("{prefix} does not come"))
    }

    /// All that it prints until it ends well.
    fn finish(mut self) -> String {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        let read = timeout(PATIENCE, || self.output.read_to_string(&mut rest).unwrap());
        read.expect("it ends");
        assert!(self.child.wait().unwrap().success(), "{rest}");
        rest
    }
}

fn connect(addr: &str) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn line_of(stream: &TcpStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") {
        assert_eq!({ stream }.read(&mut byte).unwrap(), 1, "closed");
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap()
}

#[test]
fn echoserver() {
    let mut server = Example::start("echoserver", &["0"]);
    let addr = server.after("echoing on ");
    let (first, mut second) = (connect(&addr), connect(&addr));
    for mut client in [&first, &second] {
        assert!(line_of(client).starts_with("Welcome"));
        client.write_all(b"hello\r\n").unwrap();
        assert_eq!(line_of(client), "hello\r\n");
    }
    second.write_all(b"QUIT\r\n").unwrap();
    assert_eq!(second.read(&mut [0]).unwrap(), 0);
    server.after("has left");
    server
        .child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"\n")
        .unwrap();
    let begin = Instant::now();
    while TcpStream::connect(&addr).is_ok() {
        assert!(begin.elapsed() < PATIENCE, "it does not stop");
    }
    // The other one may finish.
    (&first).write_all(b"still here\r\n").unwrap();
    assert_eq!(line_of(&first), "still here\r\n");
    drop(first);
    assert!(server.finish().contains("stopped; 0 connections"));
}

#[test]
fn portforwarder() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = target.local_addr().unwrap().to_string();
    let mut forwarder = Example::start("portforwarder", &["127.0.0.1:0", &to]);
    let addr = forwarder.after("forwarding ");
    let addr = addr.split(' ').next().unwrap();
    let mut client = connect(addr);
    let (mut server, _) = target.accept().unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();

    client.write_all(b"question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut question = String::new();
    server.read_to_string(&mut question).unwrap();
    assert_eq!(question, "question");
    let answer = vec![7; 3 << 20];
    let sending = std::thread::spawn(move || server.write_all(&answer).unwrap());
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert!(answer == vec![7; 3 << 20]);
    sending.join().unwrap();
    assert_eq!(forwarder.after("sent "), "8 and received 3145728 bytes");

    drop(target);
    assert_eq!(connect(addr).read(&mut [0]).unwrap(), 0);
    forwarder.after("refused");
}

#[test]
fn udp() {
    let mut server = Example::start("udp_server", &["0"]);
    let addr = server.after("datagrams on ");
    for text in ["hello", ""] {
        let said = Example::start("udp_client", &[text, &addr]).finish();
        assert!(
            said.contains(&format!("Received {} bytes", text.len())),
            "{said}"
        );
        server.after(&format!("got {text:?}"));
    }
}

#[test]
fn concurrent_download() {
    use greenwire::http::{Request, Server};
    use std::sync::{Arc, Barrier};

    // Nobody gets an answer before all three have asked.
    let server = Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    let all = Arc::new(Barrier::new(3));
    std::thread::spawn(move || {
        server.serve(move |request: Request| {
            let all = all.clone();
            greenwire::unblock(move || all.wait());
            "x".repeat(request.uri().path().len())
        })
    });
    let urls = ["/", "/two", "/three"].map(|path| format!("http://{addr}{path}"));
    let said = Example::start("concurrent_download", &urls.each_ref().map(|url| &**url)).finish();
    for (url, size) in urls.iter().zip([1, 4, 6]) {
        assert!(said.contains(&format!("{url}: {size} bytes")), "{said}");
    }
}

/// What a server answers to a GET.
fn get_bytes(stream: &mut (impl Read + Write), path: &str) -> Vec<u8> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

fn get(stream: &mut (impl Read + Write), path: &str) -> String {
    String::from_utf8(get_bytes(stream, path)).unwrap()
}

#[test]
fn wsgiserver() {
    let mut server = Example::start("wsgiserver", &["127.0.0.1:0"]);
    let addr = server.after("http://");
    let addr = addr.trim_end_matches('/');
    let answer = get(&mut connect(addr), "/");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("<b>hello world</b>"),
        "{answer}"
    );
    assert!(get(&mut connect(addr), "/x").starts_with("HTTP/1.1 404"));
}

#[test]
fn wsgiserver_over_tls() {
    use greenwire::net::tls::Connector;
    use greenwire::net::tls::rustls::pki_types::{CertificateDer, pem::PemObject};
    use greenwire::net::tls::rustls::{ClientConfig, RootCertStore, crypto::ring};

    let folder = std::env::temp_dir().join(format!("greenwire-wsgiserver-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let args = [
        "127.0.0.1:0",
        chain.to_str().unwrap(),
        key.to_str().unwrap(),
    ];
    let mut server = Example::start("wsgiserver", &args);
    let addr = server.after("https://");
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(&chain).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = greenwire::net::TcpStream::connect(addr.trim_end_matches('/')).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let connector = Connector::from_config(config.into());
    let mut stream = connector.connect("localhost", stream).unwrap();
    assert!(get(&mut stream, "/").ends_with("<b>hello world</b>"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn webproxy() {
    use greenwire::http::{IntoResponse, Request, Server, html};

    let origin = Server::bind("127.0.0.1:0").unwrap();
    let origin_addr = origin.local_addr().unwrap();
    std::thread::spawn(move || {
        origin.serve(|request: Request| match request.uri().path() {
            "/page" => html(r#"<a href="/x">1</a><a href="http://a.b/">2</a><a href="y">3</a>"#),
            "/data" => vec![7; 100_000].into_response(),
            _ => greenwire::http::StatusCode::NOT_FOUND.into_response(),
        })
    });
    let mut proxy = Example::start("webproxy", &["127.0.0.1:0"]);
    let addr = proxy.after("proxying at http://");
    let addr = addr.trim_end_matches('/');
    let ask = |path: &str| get(&mut connect(addr), path);
    assert!(ask("/").contains("A web proxy"));
    let page = ask(&format!("/http://{origin_addr}/page"));
    let links = format!(
        r#"<a href="/http://{origin_addr}/x">1</a><a href="/http://a.b/">2</a><a href="y">3</a>"#
    );
    assert!(page.ends_with(&links), "{page}");
    let data = get_bytes(&mut connect(addr), &format!("/http://{origin_addr}/data"));
    assert_eq!(data.iter().filter(|byte| **byte == 7).count(), 100_000);
    assert!(ask(&format!("/http://{origin_addr}/x")).starts_with("HTTP/1.1 404"));
    assert!(ask("/http://127.0.0.1:1/").starts_with("HTTP/1.1 502"));
}

#[test]
fn dns_mass_resolve() {
    let mut names = vec!["localhost"; 50];
    names.extend(["127.0.0.1", "name.invalid"]);
    let said = Example::start("dns_mass_resolve", &names).finish();
    assert_eq!(said.matches("localhost is [").count(), 50, "{said}");
    assert!(said.contains("127.0.0.1 is [127.0.0.1]"), "{said}");
    assert!(said.contains("name.invalid: "), "{said}");
    assert!(said.contains("52 names took"), "{said}");
}

#[test]
fn unixsocket() {
    let path = std::env::temp_dir().join(format!("greenwire-example-{}", std::process::id()));
    let path_text = path.to_str().unwrap();
    let mut server = Example::start("unixsocket", &["serve", path_text]);
    server.after("shouting at ");
    let said = Example::start("unixsocket", &["ask", path_text, "hello", "there"]).finish();
    assert_eq!(said, "HELLO THERE\n");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn processes() {
    let said = Example::start("processes", &[]).finish();
    assert!(said.contains(r#"sort says "apple\nfig\npear""#), "{said}");
    assert!(said.contains("uname -s says "), "{said}");
    assert!(said.contains("sleep 1000 was killed: timed out"), "{said}");
    assert!(said.lines().last().unwrap().starts_with("sleep"), "{said}");
}

/// Asks an HTTP server; the answer as a whole.
fn ask(addr: &str, method: &str, target: &str, json: &str) -> String {
    let mut stream = connect(addr);
    let head = format!("{method} {target} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n");
    let of_body = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n",
        json.len()
    );
    write!(stream, "{head}{of_body}\r\n{json}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn webchat() {
    let mut server = Example::start("webchat", &["0"]);
    let addr = server.after("open http://");
    let addr = addr.trim_end_matches('/').to_owned();
    let listen = |after: u32| {
        let addr = addr.clone();
        std::thread::spawn(move || ask(&addr, "GET", &format!("/news?after={after}"), ""))
    };
    let say = |text: &str| {
        ask(
            &addr,
            "POST",
            "/say",
            &format!(r#"{{"name":"Ann","text":"{text}"}}"#),
        )
    };
    let until_they_wait = |count: usize| {
        let begin = Instant::now();
        while ask(&addr, "GET", "/debug/green/text", "")
            .matches("waits for condition")
            .count()
            < count
        {
            assert!(begin.elapsed() < PATIENCE, "nobody waits");
        }
    };

    // Two wait, and hear the same.
    let listeners = [listen(0), listen(0)];
    until_they_wait(2);
    assert!(say("hello").starts_with("HTTP/1.1 201"));
    for listener in listeners {
        let heard = listener.join().unwrap();
        assert!(
            heard.ends_with(r#"[{"number":1,"name":"Ann","text":"hello"}]"#),
            "{heard}"
        );
    }
    // Who has heard it waits for the next one; a newcomer gets both.
    let listener = listen(1);
    until_they_wait(1);
    say("again");
    let heard = listener.join().unwrap();
    assert!(
        heard.ends_with(r#"[{"number":2,"name":"Ann","text":"again"}]"#),
        "{heard}"
    );
    let heard = listen(0).join().unwrap();
    assert!(
        heard.contains("hello") && heard.contains("again"),
        "{heard}"
    );

    assert!(say("").starts_with("HTTP/1.1 422"));
    assert!(ask(&addr, "POST", "/say", "{").starts_with("HTTP/1.1 400"));
    assert!(ask(&addr, "GET", "/news?after=x", "").starts_with("HTTP/1.1 400"));
    assert!(ask(&addr, "PUT", "/say", "").contains("allow: OPTIONS, POST"));
    assert!(ask(&addr, "GET", "/", "").contains("<title>greenwire webchat</title>"));
}

/// Reserved address space is no memory, but `ulimit -v` counts it.
#[test]
fn green_threads_live_within_a_limited_address_space() {
    let million = support::example("million");
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -v 500000; exec \"$0\" --count 500 --seconds 5",
        ])
        .arg(million.get_program())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("stacks with their guard: 500 of 500"),
        "{said}"
    );
}
