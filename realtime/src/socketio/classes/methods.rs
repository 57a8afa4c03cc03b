//! The methods of an object, by the names of events.

use super::Namespace;
use crate::socketio::{Args, Error, Event, FromEvent, IntoReply};
use std::collections::HashMap;
use std::fmt;

/// The methods of a [`Namespace`], by the names of the events that they are for.
pub struct Methods<N>(HashMap<String, Box<Method<N>>>);

pub(super) type Method<N> = dyn Fn(&mut N, &Event) -> Result<Called, Error> + Send + Sync;

/// What comes of a call.
pub(super) enum Called {
    Answer(Args),
    /// It was not called.
    WrongArgs(Error),
}

impl<N: Namespace> Methods<N> {
    pub(super) fn of() -> Methods<N> {
        let mut methods = Methods(HashMap::new());
        N::methods(&mut methods);
        methods
    }

    /// Has `method` called for each event of this name. What it gives back is the answer, if the client waits for one.
    pub fn on<A: FromEvent, R: IntoReply>(
        &mut self,
        event: &str,
        method: impl Fn(&mut N, A) -> R + Send + Sync + 'static,
    ) -> &mut Methods<N> {
        let called = move |object: &mut N, event: &Event| match event.parse() {
            Ok(args) => method(object, args).into_reply().map(Called::Answer),
            Err(error) => Ok(Called::WrongArgs(error)),
        };
        self.0.insert(event.to_owned(), Box::new(called));
        self
    }

    pub(super) fn get(&self, event: &str) -> Option<&Method<N>> {
        self.0.get(event).map(|method| &**method)
    }
}

/// The name of the method for an event, `"on_user_message"` for `"user message"`. `None` if none can be.
pub(super) fn name_of(event: &str) -> Option<String> {
    let begins = event.starts_with(|c: char| c.is_ascii_alphabetic());
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ' ';
    (begins && event.chars().all(fits)).then(|| format!("on_{}", event.replace(' ', "_")))
}

impl<N> fmt::Debug for Methods<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn names() {
        let table = [
            ("join", Some("on_join")),
            ("user message", Some("on_user_message")),
            ("B2_b", Some("on_B2_b")),
            ("2b", None),
            ("", None),
            ("_x", None),
            ("x.y", None),
            ("é", None),
        ];
        for (event, method) in table {
            assert_eq!(name_of(event).as_deref(), method, "{event:?}");
        }
    }
}
