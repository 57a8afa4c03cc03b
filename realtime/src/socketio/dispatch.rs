//! What happens to a client, told to its handlers: those of the pattern that its namespace was made from, those of the
//! namespace, its own.

use super::handlers::{OnEnd, Table};
use super::{Args, Error, Event, Failure, Reason, Socket};
use greenwire_runtime::thread::catch_panic;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

impl Socket {
    fn tables(&self) -> Vec<Arc<Table>> {
        let mut tables = self.namespace().tables();
        tables.extend(self.handlers().now());
        tables
    }

    /// An event, told to all that concerns.
    pub(crate) fn dispatch(&self, event: &Event) {
        let tables = self.tables();
        let name = Some(event.name());
        for check in tables.iter().flat_map(|table| &table.before_event) {
            if self.try_guarded(name, || check(self, event)).is_none() {
                return;
            }
        }
        for handler in tables.iter().flat_map(|table| &table.any) {
            self.guarded(name, || handler(self, event));
        }
        self.tell_handlers(&tables, event);
    }

    fn tell_handlers(&self, tables: &[Arc<Table>], event: &Event) {
        let mut reply: Option<Args> = None;
        let mut failed = false;
        let named = tables
            .iter()
            .filter_map(|table| table.events.get(event.name()));
        for handler in named.flatten() {
            match self.try_guarded(Some(event.name()), || handler(self, event)) {
                Some(args) if reply.as_ref().is_none_or(Args::is_empty) => reply = Some(args),
                Some(_) => {}
                None => failed = true,
            }
        }
        // Who has failed has not answered, unless another has.
        let reply = reply.filter(|args| !(failed && args.is_empty()));
        if let Some(args) = reply
            && let Some(ack) = event.take_ack()
        {
            // If it is gone, it need not know.
            let _ = ack.send(args);
        }
    }

    /// It has been let in.
    pub(crate) fn welcome(&self) {
        for handler in self.tables().iter().flat_map(|table| &table.connect) {
            self.guarded(Some("connect"), || handler(self));
        }
    }

    /// It is gone.
    pub(crate) fn finish(&self, reason: Reason) {
        self.tell_end(reason, |table| &table.disconnecting);
        self.namespace().part(self, reason);
        self.tell_end(reason, |table| &table.disconnect);
        self.set_ended();
    }

    fn tell_end(&self, reason: Reason, handlers: fn(&Table) -> &Vec<OnEnd>) {
        for handler in self.tables().iter().flat_map(|table| handlers(table)) {
            self.guarded(Some("disconnect"), || {
                handler(self, reason);
                Ok(())
            });
        }
    }

    pub(crate) fn guarded<T>(&self, event: Option<&str>, f: impl FnOnce() -> Result<T, Error>) {
        drop(self.try_guarded(event, f));
    }

    /// Calls a handler. Its errors and panics go to the error hook, and nowhere else.
    fn try_guarded<T>(
        &self,
        event: Option<&str>,
        f: impl FnOnce() -> Result<T, Error>,
    ) -> Option<T> {
        let event = event.map(str::to_owned);
        let failure = match catch_panic(AssertUnwindSafe(f)) {
            Ok(Ok(result)) => return Some(result),
            Ok(Err(error)) => Failure::Error { event, error },
            Err(panic) => Failure::Panic {
                event,
                message: message_of(&*panic),
            },
        };
        self.server().report(self, &failure);
        None
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
