//! Every way to break the protocol: the good message before it is echoed, then the right close code
//! arrives, then the stream ends.

mod common;

use common::{Raw, frame, serve_echo};
use greenwire_websocket::Config;
use std::net::SocketAddr;

#[track_caller]
fn check(addr: SocketAddr, bad: &[u8], code: u16) {
    let mut raw = Raw::connect(addr);
    // A message after the bad frame must be neither echoed nor in the way of the close frame.
    raw.write(&[&frame(0x81, b"good"), bad, &frame(0x81, b"late")].concat());
    assert_eq!(raw.read_frame(), (1, b"good".to_vec()));
    assert_eq!(raw.read_close(), code);
}

#[test]
fn bad_frames() {
    let addr = serve_echo(Config::default());
    check(addr, &frame(0xc1, b"rsv1"), 1002);
    check(addr, &frame(0xa1, b"rsv2"), 1002);
    check(addr, &frame(0x91, b"rsv3"), 1002);
    check(addr, &frame(0x83, b"opcode"), 1002);
    check(addr, &frame(0x8b, b"opcode"), 1002);
    check(addr, &frame(0x09, b"fragmented ping"), 1002);
    check(addr, &frame(0x89, &[0; 126]), 1002);
    check(addr, &frame(0x80, b"continues nothing"), 1002);
    check(addr, &[frame(0x01, b"a"), frame(0x81, b"b")].concat(), 1002);
    check(addr, b"\x81\x05naked", 1002);
    check(addr, b"\x82\xfe\x00\x01\0\0\0\0a", 1002);
    check(addr, b"\x82\xff\x80\0\0\0\0\x01\0\0\0\0\0\0", 1002);
}

#[test]
fn bad_closes() {
    let addr = serve_echo(Config::default());
    check(addr, &frame(0x88, b"x"), 1002);
    check(addr, &frame(0x88, &1005u16.to_be_bytes()), 1002);
    check(addr, &frame(0x88, b"\x03\xe8\xff\xfe"), 1007);
}

#[test]
fn bad_text() {
    let addr = serve_echo(Config::default());
    check(addr, &frame(0x81, b"\xce\xba\xff"), 1007);
    check(
        addr,
        &[frame(0x01, b"\xce"), frame(0x80, b"a")].concat(),
        1007,
    );
    check(addr, &frame(0x81, b"cut short \xe2\x82"), 1007);
}

#[test]
fn bad_text_is_refused_while_its_frame_is_incomplete() {
    let mut raw = Raw::connect(serve_echo(Config::default()));
    let whole = frame(0x81, b"\xf4\x90\x80\x80 and more to come");
    raw.write(&whole[..6 + 2]);
    assert_eq!(raw.read_close(), 1007);
}

#[test]
fn too_big() {
    let addr = serve_echo(Config::default().max_message_size(1000).max_frame_size(600));
    check(addr, &frame(0x82, &[0; 601]), 1009);
    check(
        addr,
        &[frame(0x02, &[0; 600]), frame(0x80, &[0; 401])].concat(),
        1009,
    );
    let mut raw = Raw::connect(addr);
    raw.write(&[frame(0x02, &[0; 600]), frame(0x80, &[0; 400])].concat());
    assert_eq!(raw.read_frame().1.len(), 1000);
}

#[test]
fn the_close_frame_outlives_a_flood_behind_the_bad_frame() {
    let mut raw = Raw::connect(serve_echo(Config::default()));
    raw.write(&[frame(0x83, b""), vec![0x55; 1 << 20]].concat());
    assert_eq!(raw.read_close(), 1002);
}
