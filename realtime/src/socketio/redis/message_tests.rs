//! Messages as `@socket.io/redis-adapter` 8.3.0 and `@socket.io/redis-emitter` 5.1.0 publish them.

use super::*;
use bytes::Bytes;
use serde_json::json;

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len()).step_by(2);
    let bytes = digits.map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
    bytes.collect::<Result<_, _>>().unwrap()
}

fn args(json: Value, attachments: &[&'static [u8]]) -> Args {
    let attachments = attachments.iter().copied().map(Bytes::from_static);
    Args::from_json(&json.to_string(), attachments.collect()).unwrap()
}

fn targets(rooms: &[&str], except: &[&str], flags: Flags) -> Targets {
    let rooms_of = |names: &[&str]| names.iter().map(|&name| Room::from(name)).collect();
    Targets {
        rooms: rooms_of(rooms),
        except: rooms_of(except),
        flags,
    }
}

fn to(rooms: &[&str], except: &[&str]) -> Targets {
    targets(rooms, except, Flags::default())
}

const VOLATILE: Flags = Flags {
    volatile: true,
    local: false,
    timeout: None,
};

#[track_caller]
fn check_broadcast(hex: &str, uid: &str, namespace: &str, name: &str, args: Args, to: Targets) {
    let broadcast = Broadcast {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        args,
        to,
    };
    let decoded = Broadcast::decode(&bytes_of(hex)).unwrap();
    assert_eq!(decoded, (uid.to_owned(), broadcast.clone()));
    let again = Broadcast::decode(&broadcast.encode(uid)).unwrap();
    assert_eq!(again, decoded);
}

#[test]
fn broadcasts_of_the_adapter() {
    let everybody = "93a674695a6f436683a47479706502a46461746194a46e6577730181a161a2c3a9c403010203a36e7370a12f\
                     83a5726f6f6d7390a665786365707490a5666c61677380";
    let picture = json!([1, {"a": "é"}, {"_placeholder": true, "num": 0}]);
    let news = args(picture, &[&[1, 2, 3]]);
    check_broadcast(everybody, "tiZoCf", "/", "news", news.clone(), to(&[], &[]));
    let ours = Broadcast {
        namespace: "/".to_owned(),
        name: "news".to_owned(),
        args: news,
        to: to(&[], &[]),
    };
    assert_eq!(ours.encode("tiZoCf"), bytes_of(everybody), "byte by byte");
    check_broadcast(
        "93a674695a6f436683a47479706502a46461746191a178a36e7370a12f83a5726f6f6d7391a27231a665786365707490a5666c61677380",
        "tiZoCf",
        "/",
        "x",
        args(json!([]), &[]),
        to(&["r1"], &[]),
    );
    // The second room is the number 42.
    check_broadcast(
        "93a674695a6f436683a47479706502a46461746192a178c0a36e7370a12f83a5726f6f6d7392a272312aa665786365707491a27233\
         a5666c61677382a8766f6c6174696c65c3a8636f6d7072657373c2",
        "tiZoCf",
        "/",
        "x",
        args(json!([null]), &[]),
        targets(&["r1", "42"], &["r3"], VOLATILE),
    );
}

#[test]
fn broadcasts_of_the_emitter() {
    check_broadcast(
        "93a7656d697474657283a47479706502a46461746192a26531c40109a36e7370a12f83a5726f6f6d7390a5666c61677380a665786365707490",
        "emitter",
        "/",
        "e1",
        args(json!([{"_placeholder": true, "num": 0}]), &[&[9]]),
        to(&[], &[]),
    );
    check_broadcast(
        "93a7656d697474657283a47479706502a46461746191a26533a36e7370a22f7883a5726f6f6d7390a5666c61677380a665786365707491a179",
        "emitter",
        "/x",
        "e3",
        args(json!([]), &[]),
        to(&[], &["y"]),
    );
}

#[track_caller]
fn check_request(text: &str, uid: &str, id: Option<&str>, what: What) {
    let request = Request {
        uid: uid.to_owned(),
        id: id.map(str::to_owned),
        what,
    };
    assert_eq!(Request::decode(text.as_bytes()), Ok(request.clone()));
    assert_eq!(String::from_utf8(request.encode()).unwrap(), text);
}

#[test]
fn requests_in_json() {
    let id = Some("A0aQpf");
    let names = |names: &[&str]| names.iter().map(|&name| Room::from(name)).collect();
    check_request(
        r#"{"uid":"tiZoCf","requestId":"A0aQpf","type":0,"rooms":["r1"]}"#,
        "tiZoCf",
        id,
        What::Sockets {
            rooms: names(&["r1"]),
        },
    );
    check_request(
        r#"{"uid":"tiZoCf","requestId":"A0aQpf","type":1}"#,
        "tiZoCf",
        id,
        What::AllRooms,
    );
    check_request(
        r#"{"uid":"tiZoCf","type":2,"opts":{"rooms":["r1"],"except":[]},"rooms":["r2","r3"]}"#,
        "tiZoCf",
        None,
        What::Join {
            who: to(&["r1"], &[]),
            rooms: names(&["r2", "r3"]),
        },
    );
    check_request(
        r#"{"uid":"tiZoCf","type":3,"opts":{"rooms":[],"except":["r1"]},"rooms":["r2"]}"#,
        "tiZoCf",
        None,
        What::Leave {
            who: to(&[], &["r1"]),
            rooms: names(&["r2"]),
        },
    );
    // An emitter's.
    check_request(
        r#"{"type":4,"opts":{"rooms":["q"],"except":[]},"close":true}"#,
        "",
        None,
        What::Disconnect {
            who: to(&["q"], &[]),
            close: true,
        },
    );
    check_request(
        r#"{"uid":"tiZoCf","requestId":"6wu-Po","type":5,"opts":{"rooms":["r1"],"except":["r9"]}}"#,
        "tiZoCf",
        Some("6wu-Po"),
        What::Fetch {
            who: to(&["r1"], &["r9"]),
        },
    );
    check_request(
        r#"{"uid":"tiZoCf","requestId":"A0aQpf","type":6,"data":["hello",{"z":1,"a":2}]}"#,
        "tiZoCf",
        id,
        What::ServerSideEmit {
            name: "hello".to_owned(),
            args: Args::from_json(r#"[{"z":1,"a":2}]"#, Vec::new()).unwrap(),
        },
    );
}

#[test]
fn a_request_about_one_socket() {
    let text = br#"{"uid":"u","requestId":"i","type":2,"sid":"s1","room":"r1"}"#;
    let expected = What::Join {
        who: to(&["s1"], &[]),
        rooms: vec!["r1".into()],
    };
    assert_eq!(Request::decode(text).unwrap().what, expected);
}

#[test]
fn a_broadcast_that_is_acknowledged() {
    let hex = "85a3756964a674695a6f4366a9726571756573744964a66e7236367648a47479706507a67061636b6574\
               83a47479706502a46461746192a361736b05a36e7370a12fa46f70747383a5726f6f6d7390a665786365707490\
               a5666c61677381a774696d656f7574cd03e8";
    let flags = Flags {
        timeout: Some(Duration::from_secs(1)),
        ..Flags::default()
    };
    let request = Request {
        uid: "tiZoCf".to_owned(),
        id: Some("nr66vH".to_owned()),
        what: What::Broadcast(Broadcast {
            namespace: "/".to_owned(),
            name: "ask".to_owned(),
            args: args(json!([5]), &[]),
            to: targets(&[], &[], flags),
        }),
    };
    assert_eq!(Request::decode(&bytes_of(hex)), Ok(request.clone()));
    assert_eq!(request.encode(), bytes_of(hex), "byte by byte");
}

#[track_caller]
fn check_response(text: &str, id: &str, answer: Answer) {
    let id = id.to_owned();
    let response = Response { id, answer };
    assert_eq!(Response::decode(text.as_bytes()), Ok(response.clone()));
    assert_eq!(String::from_utf8(response.encode()).unwrap(), text);
}

#[test]
fn responses_in_json() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let rooms = |names: &[&str]| names.iter().map(|&name| Room::from(name)).collect();
    check_response(
        r#"{"type":8,"requestId":"nr66vH","clientCount":1}"#,
        "nr66vH",
        Answer::ClientCount(1),
    );
    check_response(
        r#"{"type":6,"requestId":"joMK4Q","data":"pong"}"#,
        "joMK4Q",
        Answer::Emitted(args(json!(["pong"]), &[])),
    );
    check_response(
        r#"{"requestId":"A0aQpf","rooms":["YwMh","r1"]}"#,
        "A0aQpf",
        Answer::Rooms(rooms(&["YwMh", "r1"])),
    );
    check_response(
        r#"{"requestId":"A0aQpf","sockets":["YwMh"]}"#,
        "A0aQpf",
        Answer::Ids(names(&["YwMh"])),
    );
    check_response(r#"{"requestId":"A0aQpf"}"#, "A0aQpf", Answer::Done);
    check_response(
        r#"{"requestId":"-5djCn","sockets":[{"id":"YwMh","handshake":{"auth":{"t":1}},"rooms":["YwMh","r1"],"data":{"user":"ann"}}]}"#,
        "-5djCn",
        Answer::Sockets(vec![SocketInfo {
            id: "YwMh".to_owned(),
            handshake: json!({"auth": {"t": 1}}),
            rooms: names(&["YwMh", "r1"]),
            data: json!({"user": "ann"}),
        }]),
    );
}

#[test]
fn a_socket_in_a_room_that_is_a_number() {
    let text =
        br#"{"requestId":"i","sockets":[{"id":"s","handshake":{},"rooms":["s",42],"data":{}},7]}"#;
    let Answer::Sockets(sockets) = Response::decode(text).unwrap().answer else {
        panic!("these are sockets");
    };
    assert_eq!(sockets[0].rooms, ["s", "42"]);
    assert_eq!(sockets.len(), 1);
}

#[test]
fn an_acknowledgement_of_a_client() {
    let hex =
        "83a47479706509a9726571756573744964a66e7236367648a67061636b657482a3676f7405a362696ec40107";
    let answer = json!([{"got": 5, "bin": {"_placeholder": true, "num": 0}}]);
    let response = Response::decode(&bytes_of(hex)).unwrap();
    let Answer::Acknowledgement(answered) = &response.answer else {
        panic!("{response:?}");
    };
    assert_eq!(answered.to_values(), *answer.as_array().unwrap());
    assert_eq!(*answered.attachments(), [Bytes::from_static(&[7])]);
    assert_eq!(response.encode(), bytes_of(hex), "byte by byte");
}

#[test]
fn what_is_no_message() {
    let packed = |value: Value| msgpack::encode(&serde_json::from_value(value).unwrap());
    let broadcasts = [
        json!(1),
        json!(["u", {}]),
        json!(["u", {"type": 2}, {}]),
        json!(["u", {"type": 2, "data": []}, {}]),
        json!(["u", {"type": 3, "data": ["x"]}, {}]),
        json!(["u", {"type": 2, "data": ["x"]}, null]),
    ];
    for message in broadcasts {
        let decoded = Broadcast::decode(&packed(message.clone()));
        assert_eq!(decoded, Err(Malformed), "{message}");
    }
    let requests = [
        r#"{"#,
        r#"{}"#,
        r#"{"type":9}"#,
        r#"{"type":2}"#,
        r#"{"type":6}"#,
        r#"{"type":6,"data":{}}"#,
        r#"{"type":6,"data":[]}"#,
        r#"{"type":5,"opts":1}"#,
        r#"{"type":7,"opts":{}}"#,
        "",
        "x",
    ];
    for text in requests {
        let decoded = Request::decode(text.as_bytes());
        assert!(!matches!(
            decoded,
            Ok(Request {
                what: What::Broadcast(_),
                ..
            })
        ));
        // Without a type it is 0: the ids of all sockets.
        assert_eq!(decoded.is_err(), text != "{}", "{text:?}");
        assert!(Response::decode(text.as_bytes()).is_err() || text.starts_with("{"));
    }
    assert!(Request::decode(&packed(json!({"type": 7}))).is_err());
    assert!(Response::decode(&packed(json!({"type": 9}))).is_err());
}
