//! As much of HTTP/1.1 as the benchmark asks for: requests without bodies, answered in order.

use crate::date::Date;
use crate::protocol::{Next, Progress};
use greenwire_bench_peers::serve::{Greeting, HELLO, compute};

/// A longer request head closes the connection.
const LONGEST_HEAD: usize = 32 << 10;

/// Answers the complete requests in `input`.
pub fn answer(input: &[u8], output: &mut Vec<u8>, date: &Date) -> Progress {
    let mut consumed = 0;
    while let Some(length) = head_length(&input[consumed..]) {
        let head = &input[consumed..][..length];
        consumed += length;
        match path(head) {
            b"/plaintext" => ok(output, "text/plain", HELLO.as_bytes(), date),
            b"/json" => ok(output, "application/json", &Greeting::json(), date),
            b"/wait" => {
                return Progress {
                    consumed,
                    next: Next::Wait,
                };
            }
            b"/compute" => {
                compute();
                ok(output, "text/plain", HELLO.as_bytes(), date);
            }
            _ => respond(output, "404 Not Found", "text/plain", b"", date),
        }
    }
    let next = match input.len() - consumed > LONGEST_HEAD {
        true => Next::Close,
        false => Next::Read,
    };
    Progress { consumed, next }
}

/// What is answered when the wait of `/wait` is over.
pub fn answer_wait(output: &mut Vec<u8>, date: &Date) {
    ok(output, "text/plain", HELLO.as_bytes(), date);
}

/// The length of the first request head, with the empty line that ends it.
pub fn head_length(input: &[u8]) -> Option<usize> {
    let end = memchr::memmem::find(input, b"\r\n\r\n")?;
    Some(end + 4)
}

/// The path of `GET /path HTTP/1.1`; empty for anything else.
fn path(head: &[u8]) -> &[u8] {
    let target = head.strip_prefix(b"GET ").unwrap_or_default();
    let end = memchr::memchr(b' ', target).unwrap_or_default();
    &target[..end]
}

fn ok(output: &mut Vec<u8>, content_type: &str, body: &[u8], date: &Date) {
    respond(output, "200 OK", content_type, body, date);
}

/// The same headers in the same order as greenwire's.
fn respond(output: &mut Vec<u8>, status: &str, content_type: &str, body: &[u8], date: &Date) {
    let length = body.len().to_string();
    let parts = [
        "HTTP/1.1 ",
        status,
        "\r\ncontent-type: ",
        content_type,
        "\r\ndate: ",
        date.text(),
        "\r\ncontent-length: ",
        &length,
        "\r\n\r\n",
    ];
    for part in parts {
        output.extend_from_slice(part.as_bytes());
    }
    output.extend_from_slice(body);
}
