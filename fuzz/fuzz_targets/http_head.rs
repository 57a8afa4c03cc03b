//! Any bytes, as a client may begin a request: however they are cut, the same head comes out, or none, and
//! nothing that two servers could read differently.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| greenwire_http::fuzzing::head(bytes));
