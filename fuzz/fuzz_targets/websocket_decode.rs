//! Any bytes, as a peer may send them: however they are cut, the same comes out of the decoder, and
//! nothing beyond its limits.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| greenwire_websocket::fuzzing::decode(bytes));
