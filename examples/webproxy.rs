//! gevent's `examples/webproxy.py`: a web server that shows the pages of others.
//!
//! ```sh
//! cargo run --example webproxy        # then open http://127.0.0.1:8088/http://example.com/
//! ```
//!
//! You should see the page, and its links should lead through the proxy again. It fetches whatever it is
//! asked for, so it listens for this machine only.

use greenwire::http::client::{self, Agent};
use greenwire::http::{
    Body, IntoResponse, Request, Response, Server, StatusCode, Uri, header, html,
};
use std::io;
use std::time::Duration;

const FRONT_PAGE: &str = "<title>A web proxy</title><h1>A web proxy</h1>\
    <p>Ask for a page by its address: <code>/http://example.com/</code>";

fn main() -> io::Result<()> {
    let addr = std::env::args().nth(1);
    let server = Server::bind(addr.as_deref().unwrap_or("127.0.0.1:8088"))?;
    println!("proxying at http://{}/", server.local_addr()?);
    let limits = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .http_status_as_error(false);
    let agent = client::agent_with(limits.build());
    server.serve(move |request| proxy(&agent, &request))
}

fn proxy(agent: &Agent, request: &Request) -> Response {
    let url = request.uri().to_string();
    let url = url.trim_start_matches('/');
    if url.is_empty() {
        return html(FRONT_PAGE);
    }
    match fetch(agent, url) {
        Ok(page) => page,
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{url}: {error}\n")).into_response(),
    }
}

fn fetch(agent: &Agent, url: &str) -> Result<Response, client::Error> {
    let (answer, mut body) = agent.get(url).call()?.into_parts();
    let kind = answer.headers.get(header::CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let body: Body = match is_page {
        true => through_here(&body.read_to_string()?, url).into(),
        // Sent on while it comes.
        false => Body::from_reader(body.into_reader()),
    };
    let mut response = (answer.status, body).into_response();
    if let Some(kind) = kind {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, kind.clone());
    }
    Ok(response)
}

/// Makes links lead through the proxy: those with a host, and those to the root of this one.
fn through_here(page: &str, url: &str) -> String {
    let uri = url.parse::<Uri>().unwrap_or_default();
    let host = uri.authority().map_or("", |host| host.as_str());
    let root = format!("{}://{host}", uri.scheme_str().unwrap_or("http"));
    let mut page = page.to_owned();
    for name in ["href", "src", "action"] {
        page = page.replace(&format!("{name}=\"/"), &format!("{name}=\"/{root}/"));
        page = page.replace(&format!("{name}=\"http"), &format!("{name}=\"/http"));
    }
    page
}
