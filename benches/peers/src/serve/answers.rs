//! What the HTTP servers answer.

use serde::Serialize;
use std::hint::spin_loop;
use std::time::{Duration, Instant};

/// The body of `/plaintext`.
pub const HELLO: &str = "Hello, World!";

/// How long `/wait` waits, each server in its own way.
pub const WAIT: Duration = Duration::from_millis(10);

/// What `/json` serialises for each request.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Greeting {
    /// The text.
    pub message: &'static str,
}

impl Greeting {
    /// `{"message":"Hello, World!"}`
    #[must_use]
    pub fn json() -> Vec<u8> {
        serde_json::to_vec(&Greeting { message: HELLO }).expect("a string is always valid JSON")
    }
}

/// What `/compute` does before it answers: keeps the CPU busy for 50 ms.
pub fn compute() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(50) {
        spin_loop();
    }
}
