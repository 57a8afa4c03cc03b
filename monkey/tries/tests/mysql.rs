//! The crate mysql against a real MariaDB, in a folder of its own.

use std::time::Duration;

use greenwire_monkey_tries::{Folder, Server, patch, program, side_by_side};
use mysql::prelude::Queryable;
use mysql::{Conn, Opts, OptsBuilder};

fn start(folder: &Folder) -> Option<(Server, Opts)> {
    let mut install = program("mariadb-install-db")?;
    let mut server = program("mariadbd")?;
    let data = format!("--datadir={}", folder.path().join("data").display());
    let installed = install
        .args([
            "--no-defaults",
            "--user=root",
            "--auth-root-authentication-method=normal",
        ])
        .args(["--skip-test-db", &data])
        .output()
        .unwrap();
    assert!(installed.status.success(), "{installed:?}");
    let socket = folder.path().join("socket").display().to_string();
    let server = server.args(["--no-defaults", "--user=root", "--skip-networking", &data]);
    let server = server.args([format!("--socket={socket}"), "--max-connections=300".into()]);
    let options = OptsBuilder::new().user(Some("root")).socket(Some(socket));
    let options = Opts::from(options.prefer_socket(false));
    let is_up = || Conn::new(options.clone()).is_ok();
    Some((Server::start(server, is_up), options))
}

#[test]
fn a_hundred_queries_sleep_side_by_side() {
    patch();
    let folder = Folder::new("mariadb");
    let Some((_server, options)) = start(&folder) else {
        return;
    };
    for seconds in [1.0, 0.2] {
        let options = options.clone();
        let took = side_by_side(100, move |n| sleep(&options, seconds, n));
        println!("100 x SLEEP({seconds}): {took:?}");
        // One after the other they sleep a hundred times as long.
        let seconds = Duration::from_secs_f64(seconds);
        assert!(took >= seconds && took < 50 * seconds, "{took:?}");
    }
}

fn sleep(options: &Opts, seconds: f64, n: usize) {
    let mut connection = Conn::new(options.clone()).unwrap();
    let query = format!("SELECT SLEEP({seconds})");
    assert_eq!(connection.query_first(query).unwrap(), Some(0));
    assert_eq!(connection.exec_first("SELECT ?", (n,)).unwrap(), Some(n));
}
