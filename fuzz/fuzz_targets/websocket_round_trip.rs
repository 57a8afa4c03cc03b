//! Any messages, fragmented, masked and compressed in any way: they decode to what they were.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| greenwire_websocket::fuzzing::round_trip(bytes));
