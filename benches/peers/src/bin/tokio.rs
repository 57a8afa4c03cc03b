//! tokio 1.54: a task for each connection.

use greenwire_bench_peers::serve::{BUFFER, Service, block_on, run, serve_connections};
use std::process::ExitCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn main() -> ExitCode {
    run(None, |arguments| match arguments.service {
        Service::TcpEcho => block_on(arguments, |listener| serve_connections(listener, echo)),
        _ => arguments.not_offered(),
    })
}

async fn echo(mut stream: TcpStream) {
    let mut buf = vec![0; BUFFER];
    while let Ok(n @ 1..) = stream.read(&mut buf).await {
        if stream.write_all(&buf[..n]).await.is_err() {
            return;
        }
    }
}
