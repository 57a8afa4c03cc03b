//! What is asked of Redis: which filters it is to subscribe to, and which answers are to come. Does no I/O.

use crate::pubsub::Filter;
use greenwire_runtime::sync::oneshot;
use std::collections::{HashMap, VecDeque};
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
    /// What those were about that were sent and have no answer yet. The answers come in this order.
    asked: VecDeque<Filter>,
}

#[derive(Default)]
struct Entry {
    is_wanted: bool,
    /// That its messages come was refused when it was asked last.
    is_refused: bool,
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
            entry.is_refused = false;
            self.commands.push((filter, entry.is_wanted));
        }
    }

    /// What is to be sent next.
    pub(super) fn take_commands(&mut self) -> Vec<Command> {
        let filters = self.commands.iter().map(|(filter, _)| filter.clone());
        self.asked.extend(filters);
        mem::take(&mut self.commands)
    }

    /// Redis has answered the oldest command.
    pub(super) fn answered(&mut self) {
        if let Some(filter) = self.asked.pop_front() {
            self.settle(&filter);
        }
    }

    /// Redis has refused the oldest command, if there is one. Returns what it was about.
    pub(super) fn refused(&mut self) -> Option<Filter> {
        let filter = self.asked.pop_front()?;
        if let Some(entry) = self.entries.get_mut(&filter) {
            entry.is_refused = true;
        }
        self.settle(&filter);
        Some(filter)
    }

    /// Whether Redis has answered all commands.
    pub(super) fn is_settled(&self) -> bool {
        self.commands.is_empty() && self.asked.is_empty()
    }

    fn settle(&mut self, filter: &Filter) {
        let Some(entry) = self.entries.get_mut(filter) else {
            return;
        };
        entry.unanswered -= 1;
        if entry.unanswered == 0 {
            let waiting = mem::take(&mut entry.waiting);
            if !entry.is_wanted {
                self.entries.remove(filter);
            }
            // Who does not wait any more does not mind.
            waiting.into_iter().for_each(|waiting| _ = waiting.send(()));
        }
    }

    /// What to wait for until the messages of a wanted filter come, unless they come already. If they were
    /// refused, that is asked again. It ends without a value if the connection is lost.
    pub(super) fn confirmation(&mut self, filter: &Filter) -> Option<oneshot::Receiver<()>> {
        if self.is_linked && self.entries.get(filter)?.is_refused {
            self.command(filter.clone());
        }
        let entry = self.entries.get_mut(filter)?;
        if !self.is_linked || entry.unanswered == 0 {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        entry.waiting.push(sender);
        Some(receiver)
    }

    /// A new connection stands: all that is wanted is asked.
    pub(super) fn link(&mut self) {
        self.is_linked = true;
        let filters: Vec<_> = self.entries.keys().cloned().collect();
        filters.into_iter().for_each(|filter| self.command(filter));
    }

    /// The connection is lost. No answers come, and nobody waits for them.
    pub(super) fn unlink(&mut self) {
        self.is_linked = false;
        self.commands.clear();
        self.asked.clear();
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
        interest.link();
        assert!(interest.is_settled(), "there is nothing to ask");
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
        interest.take_commands();
        interest.answered();
        interest.answered();
        assert!(!interest.is_settled());
        assert!(early.try_recv().is_err(), "the last answer is to come");
        interest.answered();
        assert!(interest.is_settled(), "it was the last of all");
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
        interest.take_commands();
        interest.answered();
        interest.answered();
        assert!(interest.entries.is_empty());
        interest.answered();
        assert!(interest.is_settled(), "nobody has asked");
    }

    #[test]
    fn what_is_refused_is_asked_again_by_the_next() {
        let mut interest = linked();
        assert_eq!(interest.refused(), None, "nobody has asked");
        interest.want(&news(), true);
        interest.want(&pattern("*"), true);
        let refused = interest.confirmation(&news()).unwrap();
        interest.take_commands();
        assert_eq!(interest.refused(), Some(news()));
        assert!(refused.try_recv().is_ok(), "nobody waits for it any more");
        interest.answered();
        assert!(interest.confirmation(&pattern("*")).is_none());
        let again = interest.confirmation(&news()).unwrap();
        assert_eq!(interest.take_commands(), [(news(), true)]);
        interest.answered();
        assert!(again.try_recv().is_ok() && interest.confirmation(&news()).is_none());
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
        interest.link();
        let mut commands = interest.take_commands();
        commands.sort_by_key(|(filter, _)| *filter != news());
        assert_eq!(commands, [(news(), true), (pattern("a"), true)]);
        interest.answered();
        assert!(!interest.is_settled());
        interest.answered();
        assert!(interest.is_settled());
    }
}
