//! What is asked of Redis: which filters it is to subscribe to, and which answers are to come. Does no I/O.

use crate::pubsub::Filter;
use greenwire_runtime::sync::oneshot;
use std::collections::HashMap;
use std::mem;

/// A filter, and whether its messages are wanted.
pub(super) type Command = (Filter, bool);

/// The wishes of all subscriptions together.
#[derive(Default)]
pub(super) struct Interest {
    entries: HashMap<Filter, Entry>,
    /// A connection stands. Without one nothing is asked.
    is_linked: bool,
    /// To be sent, in this order.
    commands: Vec<Command>,
    /// How many commands have no answer yet.
    unanswered: usize,
}

#[derive(Default)]
struct Entry {
    is_wanted: bool,
    /// How many commands about it have no answer yet.
    unanswered: usize,
    /// Those who wait until its messages come.
    waiting: Vec<oneshot::Sender<()>>,
}

impl Interest {
    /// A filter is wanted from now on, or not any more.
    pub(super) fn want(&mut self, filter: &Filter, is_wanted: bool) {
        self.entries.entry(filter.clone()).or_default().is_wanted = is_wanted;
        match self.is_linked {
            true => self.command(filter.clone()),
            false if !is_wanted => drop(self.entries.remove(filter)),
            false => {}
        }
    }

    fn command(&mut self, filter: Filter) {
        if let Some(entry) = self.entries.get_mut(&filter) {
            entry.unanswered += 1;
            self.unanswered += 1;
            self.commands.push((filter, entry.is_wanted));
        }
    }

    /// What is to be sent next.
    pub(super) fn take_commands(&mut self) -> Vec<Command> {
        mem::take(&mut self.commands)
    }

    /// Redis has answered the oldest command about a filter. Returns whether none is left at all.
    pub(super) fn answered(&mut self, filter: &Filter) -> bool {
        let Some(entry) = self.entries.get_mut(filter) else {
            return false;
        };
        entry.unanswered = entry.unanswered.saturating_sub(1);
        self.unanswered = self.unanswered.saturating_sub(1);
        if entry.unanswered == 0 {
            let waiting = mem::take(&mut entry.waiting);
            if !entry.is_wanted {
                self.entries.remove(filter);
            }
            // Who does not wait any more does not mind.
            waiting.into_iter().for_each(|waiting| _ = waiting.send(()));
        }
        self.unanswered == 0
    }

    /// What to wait for until the messages of a wanted filter come, unless they come already. It ends
    /// without a value if the connection is lost.
    pub(super) fn confirmation(&mut self, filter: &Filter) -> Option<oneshot::Receiver<()>> {
        let entry = self.entries.get_mut(filter)?;
        if !self.is_linked || entry.unanswered == 0 {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        entry.waiting.push(sender);
        Some(receiver)
    }

    /// A new connection stands: all that is wanted is asked. Returns whether that is nothing.
    pub(super) fn link(&mut self) -> bool {
        self.is_linked = true;
        let filters: Vec<_> = self.entries.keys().cloned().collect();
        filters.into_iter().for_each(|filter| self.command(filter));
        self.unanswered == 0
    }

    /// The connection is lost. No answers come, and nobody waits for them.
    pub(super) fn unlink(&mut self) {
        self.is_linked = false;
        self.commands.clear();
        self.unanswered = 0;
        self.entries.retain(|_, entry| entry.is_wanted);
        for entry in self.entries.values_mut() {
            entry.unanswered = 0;
            entry.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Interest;
    use crate::pubsub::{Filter, pattern};

    fn linked() -> Interest {
        let mut interest = Interest::default();
        assert!(interest.link(), "there is nothing to ask");
        interest
    }

    fn news() -> Filter {
        Filter::from("news")
    }

    #[test]
    fn what_is_wanted_is_asked_once() {
        let mut interest = linked();
        interest.want(&news(), true);
        interest.want(&pattern("*"), true);
        let commands = interest.take_commands();
        assert_eq!(commands, [(news(), true), (pattern("*"), true)]);
        assert!(interest.take_commands().is_empty());
    }

    #[test]
    fn who_waits_is_told_by_the_last_answer() {
        let mut interest = linked();
        interest.want(&news(), true);
        let early = interest.confirmation(&news()).unwrap();
        interest.want(&news(), false);
        interest.want(&news(), true);
        let late = interest.confirmation(&news()).unwrap();
        assert!(!interest.answered(&news()));
        assert!(!interest.answered(&news()));
        assert!(early.try_recv().is_err(), "the last answer is to come");
        assert!(interest.answered(&news()), "it was the last of all");
        assert!(late.try_recv().is_ok());
        assert!(
            interest.confirmation(&news()).is_none(),
            "they come already"
        );
    }

    #[test]
    fn what_is_not_wanted_is_gone_with_its_answer() {
        let mut interest = linked();
        interest.want(&news(), true);
        interest.want(&news(), false);
        interest.answered(&news());
        interest.answered(&news());
        assert!(interest.entries.is_empty());
        assert!(!interest.answered(&news()), "nobody has asked");
    }

    #[test]
    fn a_lost_connection_ends_waiting_and_a_new_one_asks_again() {
        let mut interest = linked();
        interest.want(&news(), true);
        interest.want(&pattern("*"), true);
        interest.want(&pattern("*"), false);
        let confirmation = interest.confirmation(&news()).unwrap();
        interest.unlink();
        assert!(confirmation.recv().is_err());
        assert!(interest.confirmation(&news()).is_none());
        interest.want(&pattern("a"), true);
        interest.want(&pattern("b"), true);
        interest.want(&pattern("b"), false);
        assert!(
            interest.take_commands().is_empty(),
            "there is nobody to ask"
        );
        assert!(!interest.link());
        let mut commands = interest.take_commands();
        commands.sort_by_key(|(filter, _)| *filter != news());
        assert_eq!(commands, [(news(), true), (pattern("a"), true)]);
        assert!(!interest.answered(&pattern("a")));
        assert!(interest.answered(&news()));
    }
}
