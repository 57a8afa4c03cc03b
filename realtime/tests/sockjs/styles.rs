//! The ways to write a service: a loop, two loops, objects; and one message for all.

use super::client::{ask, fresh, post};
use super::{PATIENCE, serve, start, steady};
use greenwire_http::{Peer, Request, RequestExt, Router};
use greenwire_realtime::sockjs::{Application, Error, Prepared, Sender, Session, broadcast};
use greenwire_runtime::thread;
use greenwire_runtime::time::timeout;
use std::net::SocketAddr;
use std::sync::mpsc::{self, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Polls until `count` messages have come.
fn messages(addr: SocketAddr, path: &str, count: usize) -> Vec<String> {
    let mut got = Vec::new();
    while got.len() < count {
        let body = post(addr, &format!("{path}/xhr"), "").body;
        let array = body.strip_prefix('a').unwrap_or_else(|| panic!("{body}"));
        got.extend(serde_json::from_str::<Vec<String>>(array).unwrap());
    }
    got
}

#[test]
fn two_loops() {
    let addr = serve(steady().service(|session: Session| {
        let (sender, mut receiver) = session.split();
        let (ask, asked) = greenwire_runtime::sync::mpsc::channel::<String>();
        let answers = thread::spawn(move || {
            for question in asked {
                if sender.send(format!("{question}!")).is_err() {
                    break;
                }
            }
        });
        while let Some(message) = receiver.receive()? {
            let _ = ask.send(message);
        }
        drop(ask);
        answers.join().unwrap();
        Ok(())
    }));
    let path = fresh("/x");
    post(addr, &format!("{path}/xhr"), "").check(200, "o\n");
    post(addr, &format!("{path}/xhr_send"), r#"["a","b"]"#).check(204, "");
    assert_eq!(messages(addr, &path, 2), ["a!", "b!"]);
}

/// As a game does that has something to do in between.
#[test]
fn a_handler_may_wait_with_a_limit() {
    let addr = serve(steady().service(|mut session: Session| {
        let mut idle = 0_u32;
        loop {
            match timeout(Duration::from_micros(10), || session.receive()) {
                Err(_) => idle += 1,
                Ok(message) => match message? {
                    Some(message) => session.send(format!("{message} {}", idle >= 100))?,
                    None => return Ok(()),
                },
            }
        }
    }));
    let path = fresh("/x");
    post(addr, &format!("{path}/xhr"), "").check(200, "o\n");
    let begin = Instant::now();
    let mut number = 0;
    loop {
        number += 1;
        let body = format!("[\"{number}\"]");
        post(addr, &format!("{path}/xhr_send"), &body).check(204, "");
        let got = messages(addr, &path, 1);
        if got == [format!("{number} true")] {
            break;
        }
        assert_eq!(got, [format!("{number} false")]);
        assert!(begin.elapsed() < PATIENCE);
    }
}

/// Tells what it is told.
struct Witness {
    sender: Sender,
    told: mpsc::Sender<String>,
}

impl Application for Witness {
    fn on_open(&mut self, request: &Request) -> Result<(), Error> {
        let ip = Peer::of(request).and_then(Peer::ip).unwrap();
        let cookie = request.cookie("who").unwrap_or_default();
        self.sender.send(format!("{} {ip} {cookie}", request.uri()))
    }

    fn on_message(&mut self, message: String) -> Result<(), Error> {
        match message.as_str() {
            "fail" => Err(Error::Malformed),
            _ => self.sender.send(message),
        }
    }

    fn on_close(&mut self) {
        let _ = self
            .told
            .send(format!("closed: {}", self.sender.is_closed()));
    }
}

#[test]
fn objects_that_are_told_what_happens() {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let service = steady().application(move |sender| Witness {
        sender,
        told: tell.lock().unwrap().clone(),
    });
    let addr = start(Router::new().mount("/deep/in/x", service));
    let path = fresh("/deep/in/x");
    let open = format!("POST {path}/xhr?room=7\nCookie: who=ann");
    ask(addr, &open, "").check(200, "o\n");
    post(addr, &format!("{path}/xhr_send"), r#"["hello"]"#).check(204, "");
    // The path of the service, and not the name of the session.
    assert_eq!(
        messages(addr, &path, 2),
        ["/deep/in/x?room=7 127.0.0.1 ann", "hello"]
    );
    post(addr, &format!("{path}/xhr_send"), r#"["fail"]"#).check(204, "");
    post(addr, &format!("{path}/xhr"), "").check(200, "c[1011,\"Internal error\"]\n");
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "closed: true");
}

#[test]
fn one_message_for_all_whatever_their_transport() {
    let list = Arc::new(Mutex::new(Vec::<Sender>::new()));
    let members = list.clone();
    let addr = serve(steady().service(move |mut session: Session| {
        members.lock().unwrap().push(session.sender());
        session.receive().map(drop)
    }));
    let polled = fresh("/x");
    post(addr, &format!("{polled}/xhr"), "").check(200, "o\n");
    let connect =
        |path: &str| greenwire_websocket::connect(&format!("ws://{addr}{path}/websocket")).unwrap();
    let (mut framed, mut raw) = (connect(&fresh("/x")), connect("/x"));
    assert_eq!(framed.receive().unwrap(), Some("o".into()));
    let begin = Instant::now();
    while list.lock().unwrap().len() < 3 {
        assert!(begin.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    }

    let news = Prepared::new("\"news\"");
    assert_eq!(broadcast(&*list.lock().unwrap(), &news), 3);
    assert_eq!(messages(addr, &polled, 1), ["\"news\""]);
    assert_eq!(framed.receive().unwrap(), Some(r#"a["\"news\""]"#.into()));
    assert_eq!(raw.receive().unwrap(), Some("\"news\"".into()));

    // Who is closed takes nothing.
    list.lock().unwrap()[0].close(3000, "enough").unwrap();
    assert_eq!(broadcast(&*list.lock().unwrap(), &news), 2);
}
