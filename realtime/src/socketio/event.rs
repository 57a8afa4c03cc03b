//! Events as handlers meet them: what they are called with, and what they give back.

use super::{Args, Binary, Error, IntoArgs, Socket};
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Something that a client has emitted. Clones are the same event.
#[derive(Clone, Debug)]
pub struct Event {
    name: Arc<str>,
    args: Args,
    answer: Option<Arc<Answer>>,
}

/// The answer that a client waits for.
struct Answer {
    socket: Socket,
    id: u64,
    /// Somebody has taken it upon himself to answer.
    taken: AtomicBool,
}

impl Event {
    pub(crate) fn new(socket: &Socket, name: Arc<str>, args: Args, id: Option<u64>) -> Event {
        let answer = id.map(|id| {
            Arc::new(Answer {
                socket: socket.clone(),
                id,
                taken: AtomicBool::new(false),
            })
        });
        Event { name, args, answer }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What came with it.
    #[must_use]
    pub fn args(&self) -> &Args {
        &self.args
    }

    /// Whether the client waits for an answer.
    #[must_use]
    pub fn wants_answer(&self) -> bool {
        self.answer.is_some()
    }

    /// Takes it upon the caller to answer, later and from wherever it likes; what handlers return then is no answer any
    /// more. `None` if the client waits for none, or somebody else has taken it.
    #[must_use]
    pub fn take_ack(&self) -> Option<Ack> {
        let answer = self.answer.as_ref()?;
        let first = !answer.taken.swap(true, Ordering::Relaxed);
        first.then(|| Ack(answer.clone()))
    }

    /// Its arguments as what a handler is called with.
    ///
    /// # Errors
    /// [`Error::Json`] if they are something else.
    pub fn parse<A: FromEvent>(&self) -> Result<A, Error> {
        A::from_event(self)
    }
}

/// The answer to one event, to be given once. Dropped, it is never given.
pub struct Ack(Arc<Answer>);

impl Ack {
    /// Answers.
    ///
    /// # Errors
    /// [`Error::Closed`] if the client is gone, [`Error::Json`].
    pub fn send(self, args: impl IntoArgs) -> Result<(), Error> {
        self.0.socket.answer(self.0.id, args.into_args()?)
    }
}

impl fmt::Debug for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ack").field(&self.0.id).finish()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

/// What a handler can be called with.
///
/// A tuple is the arguments, one after the other, each anything that serde deserialises; those that are missing are
/// null, which an `Option` takes, and further ones are ignored, as a function in JavaScript would. A text, number,
/// truth value, [`Value`] or [`Binary`] is the first argument. [`Args`] are all, as they are, and [`Event`] is all
/// there is.
pub trait FromEvent: Sized {
    /// Takes it from an event.
    ///
    /// # Errors
    /// [`Error::Json`] if the arguments are something else.
    fn from_event(event: &Event) -> Result<Self, Error>;
}

impl FromEvent for Event {
    fn from_event(event: &Event) -> Result<Event, Error> {
        Ok(event.clone())
    }
}

impl FromEvent for Args {
    fn from_event(event: &Event) -> Result<Args, Error> {
        Ok(event.args.clone())
    }
}

impl FromEvent for () {
    fn from_event(_: &Event) -> Result<(), Error> {
        Ok(())
    }
}

macro_rules! first_argument {
    ($($type:ty),+) => {$(
        impl FromEvent for $type {
            fn from_event(event: &Event) -> Result<$type, Error> {
                event.args.get(0)
            }
        }
    )+};
}

first_argument!(String, bool, char, Value, Number, Binary);
first_argument!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64);

macro_rules! arguments {
    ($($($name:ident)+;)+) => {$(
        impl<$($name: DeserializeOwned),+> FromEvent for ($($name,)+) {
            fn from_event(event: &Event) -> Result<($($name,)+), Error> {
                let mut items = event.args.items().into_iter();
                Ok(($(event.args.value_of::<$name>(items.next())?,)+))
            }
        }
    )+};
}

arguments! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}

/// What a handler may give back: the answer, if the client waits for one. `()` is an answer without arguments, which
/// another handler's with some goes before. An error goes to the [error hook](super::Server::on_error), and there is no
/// answer.
pub trait IntoReply {
    /// Turns it into the arguments of an answer.
    ///
    /// # Errors
    /// That of the handler, or [`Error::Json`].
    fn into_reply(self) -> Result<Args, Error>;
}

impl<A: IntoArgs> IntoReply for A {
    fn into_reply(self) -> Result<Args, Error> {
        self.into_args()
    }
}

impl<R: IntoReply> IntoReply for Result<R, Error> {
    fn into_reply(self) -> Result<Args, Error> {
        self.and_then(IntoReply::into_reply)
    }
}
