//! The event style: an object for each session whose methods are called, as sockjs-tornado's `SockJSConnection`.

use super::{Error, Sender, Session};
use greenwire_http::Request;

/// An object that serves one session by being told what happens in it.
///
/// Its methods are called one after the other: first `on_open`, then `on_message` for each message, `on_close` at the
/// end whatever the reason. They never overlap, and may wait. To send, keep the [`Sender`] that the object is made
/// with.
///
/// ```
/// use greenwire_http::{Request, Router};
/// use greenwire_realtime::sockjs::{self, Application, Error, Prepared, Sender};
/// use std::sync::{Arc, Mutex};
///
/// #[derive(Clone, Default)]
/// struct Room(Arc<Mutex<Vec<Sender>>>);
///
/// struct Chatter {
///     room: Room,
///     sender: Sender,
/// }
///
/// impl Application for Chatter {
///     fn on_open(&mut self, _: &Request) -> Result<(), Error> {
///         self.room.0.lock().unwrap().push(self.sender.clone());
///         Ok(())
///     }
///
///     fn on_message(&mut self, message: String) -> Result<(), Error> {
///         sockjs::broadcast(&*self.room.0.lock().unwrap(), &Prepared::new(message));
///         Ok(())
///     }
///
///     fn on_close(&mut self) {
///         self.room.0.lock().unwrap().retain(|sender| !sender.is_closed());
///     }
/// }
///
/// let room = Room::default();
/// let chat = sockjs::application(move |sender| Chatter { room: room.clone(), sender });
/// let app = Router::new().mount("/chat", chat);
/// # let _ = app;
/// ```
pub trait Application: Send + 'static {
    /// The session is open. `request` is the one that opened it.
    ///
    /// # Errors
    /// One ends the session with 1011; `on_close` follows.
    fn on_open(&mut self, request: &Request) -> Result<(), Error> {
        let _ = request;
        Ok(())
    }

    /// A message has come.
    ///
    /// # Errors
    /// One ends the session with 1011; `on_close` follows.
    fn on_message(&mut self, message: String) -> Result<(), Error>;

    /// The session has ended, and its senders are closed. Not called after a panic of another method or a
    /// cancellation, which only drop the object.
    fn on_close(&mut self) {}
}

pub(crate) fn run<A: Application>(
    mut session: Session,
    open: impl FnOnce(Sender) -> A,
) -> Result<(), Error> {
    let mut application = open(session.sender());
    let end = tell_all(&mut session, &mut application);
    session.sender().close_after(&end);
    application.on_close();
    end
}

fn tell_all(session: &mut Session, application: &mut impl Application) -> Result<(), Error> {
    application.on_open(session.request())?;
    while let Some(message) = session.receive()? {
        application.on_message(message)?;
    }
    Ok(())
}
