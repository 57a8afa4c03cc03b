//! How busy the machine is, drawn while it happens: events of the server, at its own pace.
//!
//! ```sh
//! cargo run --example live_cpu_graph                     # then open the address that it prints
//! cargo run --example live_cpu_graph -- 8001 FOLDER      # with socket.io-client from npm's folder of it, `dist`
//! ```
//!
//! You should see a line that moves on five times a second, and jumps when the machine works: try `cargo build`. The
//! events are volatile: who reads too slowly misses some and is not shown old news. Linux only, for `/proc/stat`. Without
//! a folder browsers get socket.io-client from a public server.
//!
//! After the `live_cpu_graph` of gevent-socketio's examples: its `recv_connect` spawns a loop that ends with the client.

use greenwire::http::{Router, Server, files::Files, html};
use greenwire::realtime::socketio::{Config, Socket};
use greenwire::thread;
use std::time::Duration;
use std::{fs, io};

const PAGE: &str = include_str!("index.html");
const PUBLIC_CLIENT: &str =
    "https://cdn.jsdelivr.net/npm/socket.io-client@4.8.4/dist/socket.io.min.js";
const INTERVAL: Duration = Duration::from_millis(200);

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().unwrap_or("8080".to_owned());
    let (mut config, mut client) = (Config::default(), PUBLIC_CLIENT);
    if let Some(folder) = arguments.next() {
        config = config.client_files(Files::new(folder)?);
        client = "socket.io/socket.io.min.js";
    }
    let page = PAGE.replace("{{client}}", client);
    let io = config.server();
    io.of("/cpu").on_connect(|viewer| {
        let show = viewer.clone();
        viewer.spawn(move || watch(&show));
    });
    let app = Router::new()
        .get("/", move |_| html(page.clone()))
        .mount("/socket.io", io);
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve_handler(app)
}

/// Tells a viewer how busy the machine is until it goes, which cancels this thread.
fn watch(viewer: &Socket) {
    let mut before = Times::now();
    loop {
        thread::sleep(INTERVAL);
        let now = Times::now();
        let (busy, all) = (now.busy - before.busy, now.all - before.all);
        before = now;
        // An error is that the viewer has gone.
        let _ = viewer
            .volatile()
            .emit("cpu_data", 100.0 * busy / all.max(1.0));
    }
}

/// Since the machine started, in its own units.
struct Times {
    busy: f64,
    all: f64,
}

impl Times {
    /// From the first line: user, nice, system, idle, iowait and so on. It is a file of the kernel, which never waits.
    fn now() -> Times {
        let text = fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        let times: Vec<f64> = line
            .split(' ')
            .filter_map(|time| time.parse().ok())
            .collect();
        let idle: f64 = times.iter().skip(3).take(2).sum();
        let all: f64 = times.iter().sum();
        Times {
            busy: all - idle,
            all,
        }
    }
}
