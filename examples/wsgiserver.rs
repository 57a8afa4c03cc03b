//! gevent's `examples/wsgiserver.py` and `examples/wsgiserver_ssl.py`: one page, plain or over TLS.
//!
//! ```sh
//! cargo run --example wsgiserver                             # http://127.0.0.1:8088/
//! openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
//!     -keyout key.pem -out chain.pem
//! cargo run --example wsgiserver -- 127.0.0.1:8443 chain.pem key.pem    # https://127.0.0.1:8443/
//! ```
//!
//! You should see `hello world` at `/`, and that there is nothing elsewhere.

use greenwire::http::{Request, Response, Server, StatusCode, html};
use greenwire::net::tls::Acceptor;
use greenwire::{fs, io};

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [] => serve("http", Server::bind("127.0.0.1:8088")?),
        [addr] => serve("http", Server::bind(addr)?),
        [addr, chain, key] => {
            let acceptor = Acceptor::from_pem(&fs::read(chain)?, &fs::read(key)?)?;
            serve("https", Server::bind(addr)?.tls(acceptor))
        }
        _ => {
            println!("usage: wsgiserver [HOST:PORT [CHAIN.pem KEY.pem]]");
            Ok(())
        }
    }
}

fn serve(scheme: &str, server: Server) -> io::Result<()> {
    println!("serving on {scheme}://{}/", server.local_addr()?);
    server.serve(application)
}

fn application(request: Request) -> Response {
    if request.uri().path() == "/" {
        return html("<b>hello world</b>");
    }
    let mut response = html("<h1>Not Found</h1>");
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
