//! Any bytes, as a chunked body: however they are cut, the same data and trailers come out.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| greenwire_http::fuzzing::chunked(bytes));
