//! hyper 1.12 on tokio, as in its own example, without a framework. With `--pipeline-flush` it gathers
//! the answers to pipelined requests, which hyper calls experimental and leaves off.

use bytes::Bytes;
use greenwire_bench_peers::serve::{
    Greeting, HELLO, Service, WAIT, block_on, compute, run, serve_connections,
};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::process::ExitCode;
use tokio::net::TcpStream;

fn main() -> ExitCode {
    run(Some("pipeline-flush"), |arguments| {
        match arguments.service {
            Service::Http => block_on(arguments, move |listener| {
                serve_connections(listener, move |stream| serve(stream, arguments.switch))
            }),
            _ => arguments.not_offered(),
        }
    })
}

async fn serve(stream: TcpStream, pipeline_flush: bool) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .pipeline_flush(pipeline_flush)
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    // A client that goes away is no concern of the server's.
    let _ = served.await;
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match request.uri().path() {
        "/plaintext" => hello(),
        "/json" => typed("application/json", Greeting::json()),
        "/wait" => {
            tokio::time::sleep(WAIT).await;
            hello()
        }
        "/compute" => {
            compute();
            hello()
        }
        _ => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    })
}

fn hello() -> Response<Full<Bytes>> {
    typed("text/plain", HELLO)
}

fn typed(content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    let value = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}
