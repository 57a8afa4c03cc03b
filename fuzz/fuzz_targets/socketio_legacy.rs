//! Any bytes, as the body of a request of Socket.IO 0.9: what is read can be written and read again.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| greenwire_realtime::socketio::fuzzing::legacy_packets(bytes)
);
