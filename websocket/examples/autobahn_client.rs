//! Goes through all cases of an Autobahn fuzzing server and echoes what it sends.
//!
//! ```text
//! wstest -m fuzzingserver
//! cargo run --release -p greenwire-websocket --example autobahn_client [ws://127.0.0.1:9001]
//! ```
//!
//! You should see 514 cases pass in its report; 7.1.6, 7.13.1 and 7.13.2 are informational for everybody.

use greenwire_websocket::{Compression, Config, Error};

fn main() -> Result<(), Error> {
    let url = std::env::args()
        .nth(1)
        .or_else(|| std::env::var("AUTOBAHN_URL").ok())
        .unwrap_or_else(|| "ws://127.0.0.1:9001".to_owned());
    let config = Config::default()
        .max_message_size(64 << 20)
        .max_frame_size(64 << 20)
        .compression(Compression::dedicated().threshold(1));

    let count = config.connect(&format!("{url}/getCaseCount"))?.receive()?;
    let count = count.and_then(|count| count.as_text()?.parse().ok());
    for case in 1..=count.unwrap_or(0) {
        echo(
            &config,
            &format!("{url}/runCase?case={case}&agent=greenwire"),
        );
    }
    echo(&config, &format!("{url}/updateReports?agent=greenwire"));
    Ok(())
}

/// Errors are what many cases are about; the report says whether they were the right ones.
fn echo(config: &Config, url: &str) {
    let Ok(mut ws) = config.connect(url) else {
        return;
    };
    while let Ok(Some(message)) = ws.receive() {
        if ws.send(message).is_err() {
            return;
        }
    }
}
