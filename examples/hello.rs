//! A web server: a function from request to response.
//!
//! ```sh
//! cargo run --example hello       # then open http://127.0.0.1:8080/ or /slow
//! ```
//!
//! You should see a greeting at once; `/slow` takes two seconds and holds up nobody else.

use greenwire::http::{self, IntoResponse, Request, Response, Server, StatusCode};
use greenwire::thread;
use std::io;
use std::time::Duration;

fn main() -> io::Result<()> {
    let server = Server::bind("127.0.0.1:8080")?;
    println!("open http://{}/", server.local_addr()?);
    server.serve(answer)
}

/// Runs on the green thread of the request's connection, which may wait as it pleases.
fn answer(request: Request) -> Response {
    match request.uri().path() {
        "/" => http::html("<h1>Hello from a green thread</h1><a href=/slow>Take your time</a>"),
        "/slow" => {
            thread::sleep(Duration::from_secs(2));
            "That was worth the wait.\n".into_response()
        }
        path => (StatusCode::NOT_FOUND, format!("nothing is at {path}\n")).into_response(),
    }
}
