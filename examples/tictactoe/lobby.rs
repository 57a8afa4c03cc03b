//! Who plays with whom. What is told to a game is told to its room.

use crate::game::{Game, Mark, Outcome};
use greenwire::realtime::socketio::{Error, Socket};
use greenwire::sync::Mutex;
use serde_json::json;
use std::collections::BTreeMap;

static LOBBY: Mutex<Lobby> = Mutex::new(Lobby {
    waiting: None,
    games: BTreeMap::new(),
    begun: 0,
});

struct Lobby {
    waiting: Option<Socket>,
    games: BTreeMap<u64, Game>,
    begun: u64,
}

/// Pairs a player with the one who waits, or lets them wait. The answer is whether they play.
pub(crate) fn play(socket: &Socket, (): ()) -> Result<bool, Error> {
    leave(socket);
    let mut lobby = LOBBY.lock().unwrap();
    let Some(opponent) = lobby.waiting.take() else {
        lobby.waiting = Some(socket.clone());
        return Ok(false);
    };
    lobby.begun += 1;
    let number = lobby.begun;
    lobby.games.insert(number, Game::default());
    for (player, mark) in [(&opponent, Mark::X), (socket, Mark::O)] {
        player.join(room(number));
        player.data().set("game", number)?;
        player.data().set("mark", mark)?;
        // To its own room, which waits for nobody, as one must not with the lobby in hand.
        let player = player.namespace().to(player.id());
        player.emit("game_started", json!({"mark": mark, "game": number}))?;
    }
    Ok(true)
}

/// Makes a move; an error says why it cannot be made.
pub(crate) fn make_move(player: &Socket, cell: usize) -> Result<(), Error> {
    let data = player.data();
    let (Some(number), Some(mark)) = (data.get("game")?, data.get("mark")?) else {
        return Err(Error::refused("you do not play"));
    };
    let mut lobby = LOBBY.lock().unwrap();
    let Some(game) = lobby.games.get_mut(&number) else {
        return Err(Error::refused("the game is over"));
    };
    let outcome = game.play(mark, cell).map_err(Error::refused)?;
    let players = player.namespace().to(room(number));
    players.emit("moved", json!({"cell": cell, "mark": mark}))?;
    if let Outcome::Over { line } = outcome {
        lobby.games.remove(&number);
        let over = json!({"winner": line.map(|_| mark), "line": line});
        players.emit("game_over", over)?;
    }
    Ok(())
}

/// A player goes, or wants another game.
pub(crate) fn leave(socket: &Socket) {
    let mut lobby = LOBBY.lock().unwrap();
    lobby.waiting.take_if(|waiting| waiting.id() == socket.id());
    if let Ok(Some(number)) = socket.data().get::<u64>("game") {
        socket.data().remove("game");
        socket.leave(room(number));
        if lobby.games.remove(&number).is_some() {
            // An error is that there is nobody left to be told.
            let _ = socket.to(room(number)).emit("opponent_left", ());
        }
    }
}

fn room(game: u64) -> String {
    format!("game-{game}")
}
