//! Packets as the parsers of the first server, the first client and gevent-socketio are tested with.

use super::*;
use serde_json::json;

fn args(array: &Value) -> Args {
    Args::from_json(&array.to_string(), Vec::new()).unwrap()
}

fn event(name: &str, array: Value, wanted: Option<Wanted>) -> Body {
    Body::Event {
        name: name.to_owned(),
        args: args(&array),
        wanted,
    }
}

fn ack(id: u64, array: Value) -> Body {
    let args = args(&array);
    Body::Ack { id, args }
}

/// Both directions.
#[test]
fn each_packet_and_its_text() {
    use Advice::Reconnect;
    use Wanted::{Answer, Receipt};
    let message = |text: &str, wanted| Body::Message(text.to_owned(), wanted);
    let connect = |query: &str| Body::Connect(query.to_owned());
    let unauthorized = Some(Reason::Unauthorized);
    let rows = [
        ("0::", "", Body::Disconnect),
        ("0::/woot", "/woot", Body::Disconnect),
        ("1::", "", connect("")),
        ("1::/tobi", "/tobi", connect("")),
        ("1::/test:?test=1", "/test", connect("?test=1")),
        ("2::", "", Body::Heartbeat),
        ("3:::woot", "", message("woot", None)),
        ("3:::a:b:c", "", message("a:b:c", None)),
        ("3:5:/tobi", "/tobi", message("", Some(Receipt(5)))),
        ("3:5+:/tobi:€", "/tobi", message("€", Some(Answer(5)))),
        ("3:::\n", "", message("\n", None)),
        (r#"4:::"2""#, "", Body::Json(args(&json!(["2"])), None)),
        (
            r#"4:1+::{"a":"b"}"#,
            "",
            Body::Json(args(&json!([{"a": "b"}])), Some(Answer(1))),
        ),
        (r#"5:::{"name":"woot"}"#, "", event("woot", json!([]), None)),
        (
            r#"5:1::{"name":"tobi"}"#,
            "",
            event("tobi", json!([]), Some(Receipt(1))),
        ),
        (
            r#"5:1+::{"name":"tobi"}"#,
            "",
            event("tobi", json!([]), Some(Answer(1))),
        ),
        (
            r#"5::/x:{"name":"edwald","args":[{"a":"b"},2,"3"]}"#,
            "/x",
            event("edwald", json!([{"a": "b"}, 2, "3"]), None),
        ),
        ("6:::140", "", ack(140, json!([]))),
        (
            r#"6:::12+["woot","wa"]"#,
            "",
            ack(12, json!(["woot", "wa"])),
        ),
        (r#"6::/chat:12+["woot"]"#, "/chat", ack(12, json!(["woot"]))),
        ("7::", "", Body::Error(None, None)),
        ("7::/woot", "/woot", Body::Error(None, None)),
        (
            "7:::0",
            "",
            Body::Error(Some(Reason::TransportNotSupported), None),
        ),
        ("7:::2+0", "", Body::Error(unauthorized, Some(Reconnect))),
        (
            "7:::1+0",
            "",
            Body::Error(Some(Reason::NotHandshaken), Some(Reconnect)),
        ),
        ("7:::+0", "", Body::Error(None, Some(Reconnect))),
        ("8::", "", Body::Noop),
    ];
    for (text, endpoint, body) in rows {
        let packet = Packet::new(endpoint, body);
        assert_eq!(packet.encode(), text);
        assert_eq!(Packet::decode(text), Ok(packet), "{text}");
    }
}

/// What clients may write in more than one way.
#[test]
fn other_ways_to_say_the_same() {
    let rows = [
        ("0", "0::"),
        ("2:", "2::"),
        ("1::/x:", "1::/x"),
        ("7:::", "7::"),
        ("3:+::a", "3:::a"),
        (
            r#"5:::{"args":[1],"name":"x"}"#,
            r#"5:::{"name":"x","args":[1]}"#,
        ),
        (r#"5:::{"name":"\u0041","more":0}"#, r#"5:::{"name":"A"}"#),
        ("6:::7+", "6:::7"),
        ("6:::7+[]", "6:::7"),
    ];
    for (text, same) in rows {
        assert_eq!(Packet::decode(text).unwrap().encode(), same, "{text}");
    }
}

#[test]
fn what_is_no_packet() {
    let deep = format!("4:::{}{}", "[".repeat(65), "]".repeat(65));
    let rows = [
        "",
        "x",
        ":",
        "9::",
        "99::",
        "-1::",
        "3:x::a",
        "3:-1::a",
        "3:+1::a",
        "3:99999999999999999999::a",
        "4:::",
        "4:::{",
        "5:::",
        "5:::{}",
        "5:::[]",
        r#"5:::{"name":1}"#,
        r#"5:::{"name":"a","args":{}}"#,
        "6::",
        "6:::",
        "6:::x",
        "6:::1+{}",
        "6:::1+x",
        "7:::x",
        "7:::9",
        "7:::0+1",
        &deep,
    ];
    for text in rows {
        assert_eq!(Packet::decode(text), Err(Malformed), "{text:?}");
    }
}
