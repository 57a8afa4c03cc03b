//! Bodies and their answers.

use super::*;

/// Asks a server with a client `ann`, whose key is written `KEY`.
#[track_caller]
fn check(body: &str, expected: &str) {
    let comet = Comet::new();
    let key = comet.create_client("ann").unwrap();
    let (status, answer) = answer_text(&comet, body.as_bytes(), 3);
    let answer = answer.replace(&key, "KEY");
    assert_eq!(format!("{} {answer}", status.as_u16()), expected);
}

#[test]
fn calls_as_shaveets_clients_make_them() {
    let ok = |call: &str, result: &str| {
        check(
            &format!(r#"{{"version": "1.1", "method": {call}, "id": 1}}"#),
            &format!("200 {{\"result\": {result}, \"id\": 1}}\n"),
        );
    };
    ok(r#""create_client", "params": ["ann"]"#, "\"KEY\"");
    ok(
        r#""create_client", "params": {"client_id": "ann"}"#,
        "\"KEY\"",
    );
    ok(r#""subscribe", "params": ["ann", "room"]"#, "1");
    ok(
        r#""subscribe_many", "params": [{"room": ["ann"], "hall": []}]"#,
        "200",
    );
    ok(
        r#""subscribe_many", "params": {"channels": {"room": ["ann"]}}"#,
        "200",
    );
    ok(r#""unsubscribe", "params": ["ann", "room"]"#, "1");
    ok(
        r#""unsubscribe_many", "params": [{"room": ["ann"]}]"#,
        "200",
    );
    ok(
        r#""unsubscribe_all_channel", "params": ["room", ["ann"]]"#,
        "200",
    );
    ok(
        r#""new_message", "params": ["x", "hi", "room", false]"#,
        "1",
    );
    ok(r#""new_message", "params": ["x", {"y": 1}, "room"]"#, "1");
    ok(r#""get_channel_clients", "params": ["room"]"#, "[]");
    ok(r#""get_client_channels", "params": ["ann"]"#, "[]");
    ok(r#""kill_client", "params": ["ann"]"#, "200");
}

#[test]
fn a_call_without_an_id_is_answered_without_one() {
    check(
        r#"{"version": "1.1", "method": "kill_client", "params": ["ann"]}"#,
        "200 {\"result\": 200}\n",
    );
}

#[test]
fn version_1_0_wants_an_error_beside_a_result() {
    check(
        r#"{"method": "create_client", "params": ["ann"], "id": "a"}"#,
        "200 {\"result\": \"KEY\", \"error\": null, \"id\": \"a\"}\n",
    );
    check(
        r#"{"method": "subscribe", "params": ["ben", "room"], "id": 4}"#,
        "200 {\"result\": null, \"error\": {\"message\": \"unknown client, or not its key\", \
         \"type\": \"UnknownClient\"}, \"id\": 4}\n",
    );
    check(
        r#"{"method": "fly", "params": [], "id": 4}"#,
        "200 {\"result\": null, \"error\": {\"message\": \"no such method\", \
         \"type\": \"JSONRPCError\"}, \"id\": 4}\n",
    );
}

/// The answer of version 2.0 to a call with this member and these parameters.
#[track_caller]
fn check_2(call: &str, expected: &str) {
    check(
        &format!(r#"{{"jsonrpc": "2.0", {call}, "id": 7}}"#),
        &format!("200 {{\"jsonrpc\": \"2.0\", {expected}, \"id\": 7}}\n"),
    );
}

#[test]
fn version_2_numbers_its_errors() {
    check_2(
        r#""method": "subscribe", "params": ["ann", "room"]"#,
        r#""result": 1"#,
    );
    for (call, code, text) in [
        (r#""method": "fly""#, -32601, "no such method"),
        (
            r#""method": 1"#,
            -32600,
            "a call is an object with a method",
        ),
        (
            r#""method": "create_client""#,
            -32602,
            "client_id is missing",
        ),
        (
            r#""method": "create_client", "params": 1"#,
            -32602,
            "params are a list or an object",
        ),
        (
            r#""method": "create_client", "params": [1]"#,
            -32602,
            "client_id is not a string",
        ),
        (
            r#""method": "create_client", "params": ["a", "b"]"#,
            -32602,
            "there are 1 parameters",
        ),
        (
            r#""method": "create_client", "params": {"id": 1}"#,
            -32602,
            "there is no parameter id",
        ),
        (
            r#""method": "new_message", "params": ["x", "hi"]"#,
            -32602,
            "channel_name is missing",
        ),
        (
            r#""method": "subscribe_many", "params": [{"room": [1]}]"#,
            -32602,
            "channels is not an object {channel: [client, \\u2026]}",
        ),
        (
            r#""method": "create_client", "params": [""]"#,
            -32002,
            "a name has 1 to 512 bytes",
        ),
    ] {
        check_2(
            call,
            &format!(r#""error": {{"code": {code}, "message": "{text}"}}"#),
        );
    }
}

#[test]
fn notifications_are_not_answered() {
    check(
        r#"{"jsonrpc": "2.0", "method": "subscribe", "params": ["ann", "room"]}"#,
        "204 ",
    );
    check(
        r#"[{"jsonrpc": "2.0", "method": "fly"}, {"jsonrpc": "2.0", "method": "fly"}]"#,
        "204 ",
    );
}

#[test]
fn batches_are_answered_in_order() {
    check(
        r#"[{"jsonrpc": "2.0", "method": "subscribe", "params": ["ann", "a"], "id": 1},
            {"jsonrpc": "2.0", "method": "subscribe", "params": ["ann", "b"]},
            {"method": "get_client_channels", "params": ["ann"], "id": 2}]"#,
        "200 [{\"jsonrpc\": \"2.0\", \"result\": 1, \"id\": 1}, \
         {\"result\": [\"a\", \"b\"], \"error\": null, \"id\": 2}]\n",
    );
    let no_call = r#"{"jsonrpc": "2.0", "error": {"code": -32600, "message": "a call is an object with a method"}, "id": null}"#;
    check(
        "[1, {}]",
        &format!(
            "200 [{no_call}, {{\"result\": null, \"error\": {{\"message\": \"a call is an object with a method\", \"type\": \"JSONRPCError\"}}}}]\n"
        ),
    );
    for body in ["[]", "[1, 1, 1, 1]"] {
        check(
            body,
            "200 {\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \
             \"message\": \"a batch has 1 to 3 calls\"}, \"id\": null}\n",
        );
    }
}

#[test]
fn what_is_no_json_is_refused() {
    check(
        "{",
        "400 {\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32700, \
         \"message\": \"the body is no JSON\"}, \"id\": null}\n",
    );
}

#[test]
fn there_is_a_list_of_methods() {
    let comet = Comet::new();
    let list = methods::call(&comet, "system.list_methods", &Value::Null).unwrap();
    let names: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|method| &method["name"])
        .collect();
    assert_eq!(names.len(), 12);
    assert!(names.is_sorted_by_key(|name| name.as_str()));
    let description = methods::call(&comet, "system.describe", &Value::Null).unwrap();
    assert_eq!(description["procs"], list);
}
