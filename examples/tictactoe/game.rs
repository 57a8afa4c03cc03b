//! The rules.

use serde::{Deserialize, Serialize};

const LINES: [[usize; 3]; 8] = [
    [0, 1, 2],
    [3, 4, 5],
    [6, 7, 8],
    [0, 3, 6],
    [1, 4, 7],
    [2, 5, 8],
    [0, 4, 8],
    [2, 4, 6],
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Mark {
    X,
    O,
}

/// A game, in which X begins.
#[derive(Default)]
pub(crate) struct Game {
    /// Row by row.
    cells: [Option<Mark>; 9],
    moves: usize,
}

pub(crate) enum Outcome {
    GoesOn,
    /// With the line of the one who has won, if anybody has.
    Over {
        line: Option<[usize; 3]>,
    },
}

impl Game {
    /// Makes a move, or says why it cannot be made.
    pub(crate) fn play(&mut self, mark: Mark, cell: usize) -> Result<Outcome, &'static str> {
        let next = if self.moves.is_multiple_of(2) {
            Mark::X
        } else {
            Mark::O
        };
        if mark != next {
            return Err("it is not your turn");
        }
        match self.cells.get_mut(cell) {
            Some(free @ None) => *free = Some(mark),
            Some(_) => return Err("that field is taken"),
            None => return Err("there is no such field"),
        }
        self.moves += 1;
        let is_full = |line: &[usize; 3]| line.iter().all(|&cell| self.cells[cell] == Some(mark));
        Ok(match LINES.into_iter().find(is_full) {
            None if self.moves < self.cells.len() => Outcome::GoesOn,
            line => Outcome::Over { line },
        })
    }
}
