//! The websocket: after the hello, each text message is a batch of messages.

use super::hello::Hello;
use super::updates_as_json;
use crate::comet;
use crate::comet::reader::Reader;
use crate::comet::shared::Shared;
use greenwire_http::{Request, Response};
use greenwire_runtime::thread;
use greenwire_runtime::time::timeout;
use greenwire_websocket::{Config, Error, Sender, WebSocket, code};
use std::sync::Arc;
use std::time::Duration;

/// How long a browser may take for its hello.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes of a hello.
const LONGEST_HELLO: usize = 64 << 10;

/// The relay only goes on waiting after it.
const PAUSE: Duration = Duration::from_secs(60 * 60);

/// The close code for an unknown client or a wrong key, as 404 is elsewhere. Trying again is in vain.
const UNKNOWN_CLIENT: u16 = 4404;

/// Never inlined, since polls wait below the caller.
#[inline(never)]
pub(super) fn answer(shared: &Arc<Shared>, request: Request) -> Response {
    let config = Config::default().max_message_size(LONGEST_HELLO);
    let config = match &shared.config.origins {
        None => config.allow_any_origin(),
        Some(origins) => config.allow_origins(origins.iter().cloned()),
    };
    let shared = shared.clone();
    config.upgrade(request, move |ws| serve(&shared, ws))
}

/// Reads the hello, starts the loop that relays, and then only waits for the end.
fn serve(shared: &Arc<Shared>, mut ws: WebSocket) -> Result<(), Error> {
    let Ok(hello) = timeout(PATIENCE, || ws.receive()) else {
        return ws.close(code::POLICY, "no hello");
    };
    let Some(hello) = hello? else {
        return Ok(());
    };
    let Ok(hello) = Hello::of_json(hello.as_bytes()) else {
        return ws.close(code::POLICY, "malformed hello");
    };
    let reader = match Reader::attach(shared, &hello) {
        Ok(reader) => reader,
        Err(comet::Error::UnknownClient) => return ws.close(UNKNOWN_CLIENT, "unknown client"),
        Err(error) => return ws.close(code::TRY_AGAIN_LATER, &error.to_string()),
    };
    let _stopper = reader.stopper();
    let (sender, mut receiver) = ws.split();
    thread::spawn(move || relay(reader, &sender));
    // Browsers only read here. What they say all the same is passed over.
    while receiver.receive()?.is_some() {}
    Ok(())
}

fn relay(mut reader: Reader, sender: &Sender) -> Result<(), Error> {
    sender.send("{}")?; // so that the page knows that it is connected
    while let Ok(updates) = reader.wait(PAUSE) {
        if reader.is_stopped() {
            return Ok(());
        }
        if !updates.is_empty() {
            sender.send(updates_as_json(&updates))?;
            reader.advance(&updates);
        }
    }
    sender.close(UNKNOWN_CLIENT, "unknown client")
}
