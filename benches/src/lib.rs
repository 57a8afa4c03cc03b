//! The benchmarks: greenwire beside its peers, in one command, as a table and as pictures.
//!
//! ```text
//!   scenarios.rs      what is measured                  peers/   the measured servers
//!        │                                              load/    the load generator
//!   rounds.rs         A B C, A B C, ...                 micro/   measurements without a server
//!        │
//!   measure.rs        one server, one load ── servers.rs, loads.rs ── children.rs, cpus.rs
//!        │
//!   results.rs        what was measured, as JSON
//!        │
//!   table.rs, page/   what a reader sees ── statistics.rs
//! ```
//!
//! The programs in `src/bin` measure one thing each, and say what in their `main.rs`. All of it needs
//! Linux, for `/proc`.

pub mod check;
pub mod children;
pub mod cpus;
pub mod descriptors;
pub mod example;
pub mod flags;
pub mod loads;
pub mod machine;
pub mod measure;
pub mod metric;
pub mod micro;
pub mod page;
pub mod program;
pub mod results;
pub mod rounds;
pub mod scenarios;
pub mod servers;
pub mod statistics;
pub mod table;

pub use greenwire_bench_load::process;
