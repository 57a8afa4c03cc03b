//! What all programs on tokio have in common: the runtime and the accept loop.

use super::{Arguments, announce, listen};
use std::io;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

/// Runs a server on tokio, with its listener: `serve` is spawned, so that one of the workers runs it.
///
/// # Errors
/// Those of [`listen`], and of starting the runtime.
pub fn block_on<F: Future<Output = io::Result<()>> + Send + 'static>(
    arguments: Arguments,
    serve: impl FnOnce(TcpListener) -> F + Send + 'static,
) -> io::Result<()> {
    let mut builder = match arguments.workers {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = builder
        .worker_threads(arguments.workers)
        .enable_all()
        .build()?;
    runtime.block_on(async move {
        let listener = listen(arguments)?;
        listener.set_nonblocking(true)?;
        announce(&listener)?;
        let listener = TcpListener::from_std(listener)?;
        tokio::spawn(async move { serve(listener).await }).await?
    })
}

/// Accepts for ever and spawns a task for each connection.
///
/// # Errors
/// When accepting fails.
pub async fn serve_connections<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    serve: impl Fn(TcpStream) -> F,
) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(serve(stream));
    }
}
