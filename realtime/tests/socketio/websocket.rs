//! Messages over a websocket.

use super::client::Ws;
use super::{echo, steady};

fn open() -> Ws {
    Ws::open(echo(steady()), "/engine.io/")
}

#[test]
fn messages_come_back() {
    let mut ws = open();
    ws.send("4hello").expect("4hello");
    ws.send_bytes(&[1, 2, 3]).expect_bytes(&[1, 2, 3]);
    ws.send("4").expect("4");
    // Out of place, and borne.
    ws.send("6").send("5").send("4é").expect("4é");
}

#[test]
fn what_is_no_packet_ends_the_session() {
    for text in ["abc", "", "2", "0{}"] {
        open().send(text).expect_close();
    }
    assert_eq!(open().send("1").expect_close(), Some(1000));
}

#[test]
fn a_message_that_is_too_long_ends_the_session() {
    let mut ws = open();
    let longest = format!("4{}", "x".repeat(999_999));
    ws.send(&longest).expect(&longest);
    assert_eq!(ws.send(&(longest + "x")).expect_close(), Some(1009));
}
