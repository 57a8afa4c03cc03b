//! may_minihttp 0.1, the HTTP server of may's author. It sets no `TCP_NODELAY`, and offers no way to.

use greenwire_bench_peers::serve::{
    Arguments, Greeting, HELLO, Service, WAIT, announce_at, compute, listen, run,
};
use may::{config, coroutine};
use may_minihttp::{HttpServer, HttpService, Request, Response};
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    run(None, |arguments| {
        config().set_workers(arguments.workers);
        match arguments.service {
            Service::Http => serve(arguments),
            _ => arguments.not_offered(),
        }
    })
}

/// may_minihttp does not tell which port it got, so another listener finds one. may's listeners
/// always share theirs.
fn serve(arguments: Arguments) -> io::Result<()> {
    let sharing = Arguments {
        reuse_port: true,
        ..arguments
    };
    let finder = listen(sharing)?;
    let addr = finder.local_addr()?;
    let server = HttpServer(Answers).start(addr)?;
    drop(finder);
    announce_at(addr)?;
    server.join().expect("the accept loop does not panic");
    Ok(())
}

#[derive(Clone)]
struct Answers;

impl HttpService for Answers {
    fn call(&mut self, request: Request, response: &mut Response) -> io::Result<()> {
        match request.path() {
            "/plaintext" => hello(response),
            "/json" => {
                response.header("Content-Type: application/json");
                response.body_vec(Greeting::json());
            }
            "/wait" => {
                coroutine::sleep(WAIT);
                hello(response);
            }
            "/compute" => {
                compute();
                hello(response);
            }
            _ => {
                response.status_code(404, "Not Found");
            }
        }
        Ok(())
    }
}

fn hello(response: &mut Response) {
    response.header("Content-Type: text/plain");
    response.body(HELLO);
}
