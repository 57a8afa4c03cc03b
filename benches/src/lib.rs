//! What the benchmarks share: reading what the kernel knows about a process.
//!
//! The programs are in `src/bin`. Each is one command, says what it does in its `main.rs`, and needs
//! Linux, for `/proc`.

pub mod process;
