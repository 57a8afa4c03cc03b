//! A client of the comet server, as a browser is one: a poll, and when it is answered, the next one.

use greenwire::net::TcpStream;
use greenwire::sync::mpsc::Sender;
use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Write};
use std::time::Instant;

/// What all of them are subscribed to.
pub(crate) const CHANNEL: &str = "crowd";

/// How many calls are made at once.
const BATCH: usize = 500;

pub(crate) struct Client {
    address: String,
    /// The request of a poll.
    request: String,
}

impl Client {
    /// Makes so many clients, each of which is subscribed to the channel.
    pub(crate) fn create(address: &str, count: usize) -> io::Result<Vec<Client>> {
        let mut clients = Vec::with_capacity(count);
        while clients.len() < count {
            let numbers = clients.len()..count.min(clients.len() + BATCH);
            let calls = numbers.clone().flat_map(|number| {
                let create =
                    json!({"method": "create_client", "params": [number.to_string()], "id": 0});
                let params = json!([number.to_string(), CHANNEL]);
                [
                    create,
                    json!({"method": "subscribe", "params": params, "id": 0}),
                ]
            });
            let replies = post(address, &Value::from_iter(calls))?;
            for number in numbers.clone() {
                let key = &replies[2 * (number - numbers.start)]["result"];
                let key = key.as_str().ok_or_else(|| io::Error::other("no key"))?;
                clients.push(Client::new(address, number, key));
            }
        }
        Ok(clients)
    }

    fn new(address: &str, number: usize, key: &str) -> Client {
        Client {
            address: address.to_owned(),
            request: format!(
                "GET /comet/message_updates?callback=noop&client_id={number}_!!_{key} HTTP/1.1\r\n\
                 Host: {address}\r\n\r\n"
            ),
        }
    }

    /// Polls until the connection ends, and tells when answers with messages came.
    pub(crate) fn poll(self, arrivals: &Sender<io::Result<Instant>>) {
        let poll = || -> io::Result<()> {
            let mut connection =
                BufReader::with_capacity(1 << 10, TcpStream::connect(&*self.address)?);
            loop {
                connection.get_mut().write_all(self.request.as_bytes())?;
                let answer = read_answer(&mut connection)?;
                // An error is the end of the measurement.
                if answer != b"noop({});" && arrivals.send(Ok(Instant::now())).is_err() {
                    return Ok(());
                }
            }
        };
        if let Err(error) = poll() {
            let _ = arrivals.send(Err(error));
        }
    }
}

/// Calls a method of the JSON-RPC interface with parameters that are JSON.
pub(crate) fn call(address: &str, method: &str, params: &str) -> io::Result<Value> {
    let params: Value = serde_json::from_str(params)?;
    post(
        address,
        &json!({"method": method, "params": params, "id": 0}),
    )
}

fn post(address: &str, body: &Value) -> io::Result<Value> {
    let mut connection = BufReader::new(TcpStream::connect(address)?);
    let body = body.to_string();
    let length = body.len();
    let head =
        format!("POST /comet/ HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n");
    connection.get_mut().write_all((head + &body).as_bytes())?;
    Ok(serde_json::from_slice(&read_answer(&mut connection)?)?)
}

/// The body of an answer whose length is told, and which is 200.
fn read_answer(connection: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let (mut length, mut line) = (0, String::new());
    connection.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200 ") {
        return Err(io::Error::other(format!("answered with {line:?}")));
    }
    while line != "\r\n" {
        line.clear();
        connection.read_line(&mut line)?;
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok(body)
}
