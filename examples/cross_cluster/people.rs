//! What people can do, wherever they are. `server.cjs` is the same in Node.

use greenwire::realtime::socketio::{Args, Error, Namespace, Socket};
use serde_json::{Value, json};
use std::process;
use std::time::Duration;

/// What the page calls this server.
pub(crate) const SERVER: &str = "greenwire";

/// A side is a room.
const SIDES: [&str; 2] = ["red", "blue"];
const LONGEST_NAME: usize = 24;
const LONGEST_TEXT: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) fn serve(everybody: &Namespace) {
    everybody.before_connect(introduce);
    everybody.on_connect(tell_of_change);
    everybody.on_disconnect(|socket, _| tell_of_change(socket));
    everybody.on("side", take_side);
    everybody.on("say", say);
    everybody.on("people", |socket, ()| people(socket.namespace()));
    everybody.on("roll call", |socket, ()| roll_call(socket.namespace()));
    everybody.on("servers", |socket, ()| servers(socket.namespace()));
    let here = everybody.clone();
    everybody.on_server_event("servers", move |_| describe(&here));
}

/// Keeps who somebody is, where all servers can see it.
fn introduce(socket: &Socket) -> Result<(), Error> {
    let name = socket.handshake().auth()["name"].as_str();
    let name = name.unwrap_or_default().trim();
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(Error::refused("a name has 1 to 24 bytes"));
    }
    socket.data().set("name", name)?;
    socket.data().set("server", SERVER)
}

/// Every page then asks for the people: what they see is always whole.
fn tell_of_change(socket: &Socket) {
    // Without Redis, those at this server are told at least.
    let _ = socket.namespace().emit("changed", ());
}

fn take_side(socket: &Socket, side: String) -> Result<(), Error> {
    SIDES.iter().for_each(|side| socket.leave(side));
    if SIDES.contains(&side.as_str()) {
        socket.join(&side);
    }
    socket.data().set("side", side)?;
    tell_of_change(socket);
    Ok(())
}

/// Says something to all, or to one's side.
fn say(socket: &Socket, (text, to_side): (String, bool)) -> Result<(), Error> {
    if text.trim().is_empty() || text.len() > LONGEST_TEXT {
        return Err(Error::refused("say something short"));
    }
    let side: Option<String> = socket.data().get("side")?;
    let side = side.filter(|_| to_side);
    let all = socket.namespace().all();
    let to = match &side {
        Some(side) => all.to(side),
        None => all,
    };
    let name: Option<String> = socket.data().get("name")?;
    let said = json!({"name": name, "server": SERVER, "text": text, "side": side});
    to.emit("said", said)
}

/// Everybody, at all servers.
fn people(everybody: &Namespace) -> Result<Value, Error> {
    let sockets = everybody.all().fetch_sockets()?;
    let people = sockets.iter().map(|socket| {
        let data = &socket.info().data;
        json!({"id": socket.id(), "name": data["name"], "server": data["server"], "side": data["side"]})
    });
    Ok(people.collect())
}

/// Asks all browsers, and counts those that answer in time.
fn roll_call(everybody: &Namespace) -> Result<Value, Error> {
    let asked = everybody.all().timeout(PATIENCE);
    let answers = match asked.emit_with_ack("are you there?", ()) {
        Ok(answers) | Err(Error::Timeout(answers)) => answers,
        Err(error) => return Err(error),
    };
    answers
        .iter()
        .map(|answer| answer.get::<Value>(0))
        .collect()
}

/// What all servers say of themselves.
fn servers(everybody: &Namespace) -> Result<Value, Error> {
    let others = match everybody.server_side_emit_with_ack("servers", ()) {
        Ok(others) | Err(Error::Timeout(others)) => others,
        Err(error) => return Err(error),
    };
    let others = others.iter().map(|answer: &Args| answer.get::<Value>(0));
    std::iter::once(Ok(describe(everybody)))
        .chain(others)
        .collect()
}

fn describe(everybody: &Namespace) -> Value {
    json!({"server": SERVER, "process": process::id(), "people": everybody.len()})
}
