//! fastwebsockets 0.10, as in its own example: hyper for the handshake, one write for each message.

use bytes::Bytes;
use fastwebsockets::upgrade::{UpgradeFut, upgrade};
use fastwebsockets::{FragmentCollector, OpCode, WebSocketError};
use greenwire_bench_peers::serve::{Service, block_on, run, serve_connections};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::process::ExitCode;
use tokio::net::TcpStream;

fn main() -> ExitCode {
    run(None, |arguments| match arguments.service {
        Service::WebsocketEcho => {
            block_on(arguments, |listener| serve_connections(listener, serve))
        }
        _ => arguments.not_offered(),
    })
}

async fn serve(stream: TcpStream) {
    let served = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(shake_hands))
        .with_upgrades();
    // A client that goes away is no concern of the server's.
    let _ = served.await;
}

async fn shake_hands(
    mut request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, upgraded) = upgrade(&mut request)?;
    tokio::spawn(tokio::task::unconstrained(async move {
        // Ends with an error when the client goes away.
        let _ = echo(upgraded).await;
    }));
    Ok(response)
}

async fn echo(upgraded: UpgradeFut) -> Result<(), WebSocketError> {
    let mut ws = FragmentCollector::new(upgraded.await?);
    loop {
        let frame = ws.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => ws.write_frame(frame).await?,
            _ => {}
        }
    }
}
