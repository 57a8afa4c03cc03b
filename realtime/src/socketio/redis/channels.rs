//! The channels of one namespace.

/// The names of the channels, as `@socket.io/redis-adapter` makes them.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    key: String,
    /// With what all names have behind the key.
    namespace: String,
}

/// What a channel is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose<'a> {
    /// Broadcasts: to a room, or to whom they name themselves.
    Broadcasts(Option<&'a str>),
    Requests,
    Responses,
}

impl Channels {
    pub(super) fn new(key: &str, namespace: &str) -> Channels {
        Channels {
            key: key.to_owned(),
            namespace: format!("#{namespace}#"),
        }
    }

    /// Where something for a single room is said on a channel of that room: servers without it need not look.
    pub(super) fn broadcasts(&self, room: Option<&str>) -> String {
        let Channels { key, namespace } = self;
        match room {
            Some(room) => format!("{key}{namespace}{room}#"),
            None => format!("{key}{namespace}"),
        }
    }

    /// Those who listen there are counted: each is a server.
    pub(super) fn requests(&self) -> String {
        format!("{}-request{}", self.key, self.namespace)
    }

    pub(super) fn responses(&self) -> String {
        format!("{}-response{}", self.key, self.namespace)
    }

    /// For the answers to one server.
    pub(super) fn responses_to(&self, uid: &str) -> String {
        format!("{}-response{}{uid}#", self.key, self.namespace)
    }

    /// The pattern of all channels for broadcasts.
    pub(super) fn pattern(&self) -> String {
        let mut pattern = String::new();
        for c in self.broadcasts(None).chars() {
            if r"*?[]\^".contains(c) {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern + "*"
    }

    /// What a channel of this name is for, if it is one of them.
    pub(super) fn purpose<'a>(&self, channel: &'a str) -> Option<Purpose<'a>> {
        if channel == self.requests() {
            return Some(Purpose::Requests);
        }
        if channel.starts_with(&self.responses()) {
            return Some(Purpose::Responses);
        }
        let room = channel.strip_prefix(&self.broadcasts(None))?;
        Some(Purpose::Broadcasts(room.strip_suffix('#')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_purposes() {
        let channels = Channels::new("socket.io", "/");
        let rows = [
            (
                channels.broadcasts(None),
                "socket.io#/#",
                Purpose::Broadcasts(None),
            ),
            (
                channels.broadcasts(Some("a#b")),
                "socket.io#/#a#b#",
                Purpose::Broadcasts(Some("a#b")),
            ),
            (
                channels.requests(),
                "socket.io-request#/#",
                Purpose::Requests,
            ),
            (
                channels.responses(),
                "socket.io-response#/#",
                Purpose::Responses,
            ),
            (
                channels.responses_to("u"),
                "socket.io-response#/#u#",
                Purpose::Responses,
            ),
        ];
        for (name, expected, purpose) in rows {
            assert_eq!(name, expected);
            assert_eq!(channels.purpose(&name), Some(purpose), "{name}");
        }
        for other in ["socket.io#/x#", "socket.io-request#/x#", "other#/#", ""] {
            assert_eq!(channels.purpose(other), None, "{other}");
        }
        assert_eq!(channels.pattern(), "socket.io#/#*");
        assert_eq!(Channels::new("k", "/[a]*").pattern(), r"k#/\[a\]\*#*");
    }
}
