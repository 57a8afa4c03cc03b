//! Who may call the JSON-RPC interface, and what else is there.

use crate::client::{Answer, Client};
use crate::serve;
use greenwire_realtime::comet::Config;
use std::net::{IpAddr, SocketAddr};

const CALL: &str = r#"{"method": "get_channel_clients", "params": ["room"], "id": 1}"#;

fn post(addr: SocketAddr, headers: &str) -> Answer {
    let mut client = Client::new(addr);
    client.send("POST", "/", headers, CALL);
    client.answer()
}

#[test]
fn a_call_is_answered() {
    let (_, addr) = serve(Config::default());
    let answer = post(addr, "");
    assert_eq!(answer.status(), "200");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert_eq!(
        answer.body,
        "{\"result\": [], \"error\": null, \"id\": 1}\n"
    );

    let answer = Client::new(addr).get("/");
    assert_eq!(answer.status(), "405");
    assert_eq!(
        answer.body,
        "405 Method Not Allowed. This JSONRPC interface only supports POST. Method used was \"GET\""
    );
}

#[test]
fn a_call_takes_only_so_much_of_a_stack() {
    let (_, addr) = serve(Config::default());
    for (depth, status) in [(50, "200"), (127, "400"), (100_000, "400")] {
        let message = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        let call = format!(
            r#"{{"method": "new_message", "params": ["ann", {message}, "room"], "id": 1}}"#
        );
        let mut client = Client::new(addr);
        client.send("POST", "/", "", &call);
        assert_eq!(client.answer().status(), status, "{depth}");
    }
}

#[test]
fn only_allowed_addresses_may_call() {
    let elsewhere: IpAddr = "192.0.2.1".parse().unwrap();
    let (_, addr) = serve(Config::default().allow_ips([elsewhere]));
    let answer = post(addr, "");
    assert_eq!(
        (answer.status(), &*answer.body),
        ("404", "Nothing here buddy")
    );
    let (_, addr) = serve(Config::default().allow_ips([elsewhere, addr.ip()]));
    assert_eq!(post(addr, "").status(), "200");
}

#[test]
fn a_token_is_needed_where_one_is_set() {
    let (_, addr) = serve(Config::default().token("sesame"));
    for headers in [
        "",
        "Authorization: Bearer sesam\r\n",
        "Authorization: Basic sesame\r\n",
    ] {
        let answer = post(addr, headers);
        assert_eq!(answer.status(), "401", "{headers}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert_eq!(
        post(addr, "Authorization: bearer sesame\r\n").status(),
        "200"
    );
}

#[test]
fn everybody_may_call_only_with_a_token() {
    let (_, addr) = serve(Config::default().allow_ips([]));
    assert_eq!(post(addr, "").status(), "404");
    let (_, addr) = serve(Config::default().allow_ips([]).token("sesame"));
    assert_eq!(post(addr, "").status(), "401");
    assert_eq!(
        post(addr, "Authorization: Bearer sesame\r\n").status(),
        "200"
    );
}

#[test]
fn a_web_page_may_not_call() {
    let (_, addr) = serve(Config::default().token("sesame"));
    let headers = "Origin: http://127.0.0.1\r\nAuthorization: Bearer sesame\r\n";
    assert_eq!(post(addr, headers).status(), "404");
}

#[test]
fn the_script_is_there_by_both_names() {
    let (_, addr) = serve(Config::default());
    let mut client = Client::new(addr);
    let script = client.get("/static/greenwire-comet.js");
    assert_eq!(
        script.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    assert!(script.body.contains("listenSingle"));
    assert_eq!(
        client.get("/static/shaveet.js?disableCORS=1").body,
        script.body
    );
    let answer = client.get("/elsewhere");
    assert_eq!((answer.status(), &*answer.body), ("404", "Not Found\r\n"));
}
