//! A complete stack: SockJS in the browser, Redis between processes, PostgreSQL for what must last.
//!
//! ```sh
//! cd examples/complete_stack
//! initdb -D target/data && pg_ctl -D target/data start   # not as root; on Debian in /usr/lib/postgresql/*/bin
//! redis-server &
//! DATABASE_URL=postgres://$USER@127.0.0.1/postgres cargo run
//! ```
//!
//! You should see a vote, and its bars grow in all windows. A port may follow, `-- 8001`, for one more process.
//! `REDIS_URL` says where Redis is, `SOCKJS_CLIENT` which file has sockjs-client, if not a public server.
//!
//! After the "sample complete stack" of Michael Irani's talk "Real Time Web sans Node", whose requests are answered by
//! Django and whose sockets by Tornado; here both are plain functions of one program. `database.rs` is the part that blocks.

mod app;
mod database;

use app::App;
use greenwire::http::{RequestExt, Router, Server, html};
use greenwire::realtime::sockjs;
use std::env::{args, var};
use std::error::Error;
use std::sync::Arc;

const PAGE: &str = include_str!("../index.html");
const PUBLIC_CLIENT: &str = "https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js";

fn main() -> Result<(), Box<dyn Error>> {
    let port = args().nth(1).unwrap_or("8080".to_owned());
    let database =
        var("DATABASE_URL").unwrap_or("postgres://postgres@127.0.0.1/postgres".to_owned());
    let redis = var("REDIS_URL").unwrap_or("redis://127.0.0.1/".to_owned());
    let app = Arc::new(App::start(&database, &redis)?);
    let (page, client) = match var("SOCKJS_CLIENT") {
        Ok(file) => (
            PAGE.replace("{{client}}", "sockjs.js"),
            std::fs::read(file)?,
        ),
        Err(_) => (PAGE.replace("{{client}}", PUBLIC_CLIENT), Vec::new()),
    };
    let script = [("content-type", "text/javascript; charset=utf-8")];
    let (reader, voter) = (app.clone(), app.clone());
    let routes = Router::new()
        .get("/", move |_| html(page.clone()))
        .get("/sockjs.js", move |_| (script, client.clone()))
        .get("/choices", move |_| app::answer(reader.choices()))
        .post("/vote/{id}", move |request| {
            app::answer(voter.vote(request.param("id")))
        })
        .mount("/live", sockjs::service(move |session| app.tell(session)));
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    Ok(server.serve_handler(routes)?)
}
