//! The load generator of the benchmarks, on greenwire: what to do ([`Plan`]), and what came of it
//! ([`Outcome`]).
//!
//! The harness starts the program `load` as processes of their own, with the words of a plan as its
//! arguments, and reads one line of JSON from each. It can be used alone as well:
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p greenwire-bench-load --bin load -- \
//!     http --address 127.0.0.1:8080 --path / --connections 64 --seconds 5
//! ```
//!
//! Every connection is a green thread that writes requests, reads what comes, and compares every
//! byte of it with what has to come. It does so at the least cost that can be had, so that the server
//! is what is measured: requests are prepared and written many at a time, and an answer is compared
//! and not decoded.

mod broadcast;
mod churn;
mod connect;
mod echo;
mod exchange;
mod frames;
mod http;
mod idle;
mod outcome;
mod plan;
pub mod process;
mod requests;
mod run;
mod tally;

pub use outcome::{Latencies, Outcome, ready_line};
pub use plan::{Kind, Plan};
pub use run::run;
