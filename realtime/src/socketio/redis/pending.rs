//! Requests whose answers are to come.

use super::message::{Answer, Response};
use crate::socketio::Answers;
use greenwire_runtime::sync::mpsc;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The requests of one server, by their ids.
#[derive(Default)]
pub(super) struct Pending(Mutex<HashMap<String, Waiting>>);

/// Who gets the answers to a request.
enum Waiting {
    /// Somebody who waits for a number of them.
    Asker(mpsc::Sender<Answer>),
    /// A broadcast, until this moment.
    Broadcast(Answers, Instant),
}

impl Pending {
    /// Answers to `id` from now on, for as long as the result lives.
    pub(super) fn ask(&self, id: &str) -> Asking<'_> {
        let (sender, receiver) = mpsc::channel();
        self.lock().insert(id.to_owned(), Waiting::Asker(sender));
        Asking {
            pending: self,
            id: id.to_owned(),
            receiver,
        }
    }

    /// Has answers to a broadcast collected, as long as somebody may wait for them.
    pub(super) fn collect(&self, id: &str, answers: &Answers, limit: Duration) {
        let now = Instant::now();
        let mut table = self.lock();
        table.retain(|_, waiting| match waiting {
            Waiting::Asker(_) => true,
            Waiting::Broadcast(answers, until) => *until > now && !answers.is_done(),
        });
        let until = now + limit;
        table.insert(id.to_owned(), Waiting::Broadcast(answers.clone(), until));
    }

    /// An answer has come.
    pub(super) fn take(&self, response: Response) {
        match (self.lock().get(&response.id), response.answer) {
            (Some(Waiting::Asker(asker)), answer) => {
                // An error is one who does not wait any more.
                let _ = asker.send(answer);
            }
            (Some(Waiting::Broadcast(answers, _)), Answer::ClientCount(count)) => {
                answers.expect(usize::try_from(count).unwrap_or(usize::MAX));
            }
            (Some(Waiting::Broadcast(answers, _)), Answer::Acknowledgement(args)) => {
                answers.answer(args);
            }
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests", self.lock().len())
    }
}

/// Somebody who waits for answers.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pending: &'a Pending,
    id: String,
    receiver: mpsc::Receiver<Answer>,
}

impl Asking<'_> {
    /// Waits for the answers of so many servers. Fewer than that have not come within the limit.
    pub(super) fn wait(self, servers: usize, limit: Duration) -> Vec<Answer> {
        let until = Instant::now() + limit;
        let mut answers = Vec::new();
        while answers.len() < servers {
            let left = until.saturating_duration_since(Instant::now());
            match self.receiver.recv_timeout(left) {
                Ok(answer) => answers.push(answer),
                Err(_) => break,
            }
        }
        answers
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.pending.lock().remove(&self.id);
    }
}
