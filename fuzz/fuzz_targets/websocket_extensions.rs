//! Any `Sec-WebSocket-Extensions` of a client or a server.
#![no_main]

libfuzzer_sys::fuzz_target!(|header: &str| greenwire_websocket::fuzzing::extensions(header));
