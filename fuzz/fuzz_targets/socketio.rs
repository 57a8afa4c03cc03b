//! Any bytes, as the body of a request to Engine.IO: what is read of Socket.IO can be written and read again.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| greenwire_realtime::socketio::fuzzing::packets(bytes));
