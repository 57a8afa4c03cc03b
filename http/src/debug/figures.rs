//! Figures that parts of a program tell about themselves.

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// What a part of a program counts, at one moment; for [`Config::figures`](super::Config::figures).
///
/// ```
/// use greenwire_http::debug::Figures;
///
/// let figures = Figures::new()
///     .gauge("players", "Players that are connected.", 12)
///     .counter("moves", "Moves that were made.", 3456)
///     .gauge_by("games", "Games that are played.", "kind", [("chess", 4), ("go", 2)]);
/// # let _ = figures;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "it is for who asked for figures"]
pub struct Figures(Vec<Figure>);

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    pub(super) value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Counter,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Value {
    One(u64),
    /// By the values of a label.
    By {
        #[serde(skip)]
        label: &'static str,
        #[serde(flatten)]
        values: BTreeMap<String, u64>,
    },
}

impl Figures {
    /// None yet.
    pub fn new() -> Figures {
        Figures::default()
    }

    /// Something that there is so much of now. Names are of `a` to `z`, `0` to `9` and `_`; `help` is a sentence.
    pub fn gauge(self, name: &'static str, help: &'static str, value: u64) -> Figures {
        self.with(name, help, Kind::Gauge, Value::One(value))
    }

    /// As [`gauge`](Figures::gauge), told apart by a label. Keep those few who come from outside: each is a line.
    pub fn gauge_by<L: Into<String>>(
        self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = (L, u64)>,
    ) -> Figures {
        let values = values.into_iter().map(|(of, value)| (of.into(), value));
        let values = values.collect();
        self.with(name, help, Kind::Gauge, Value::By { label, values })
    }

    /// Something that has happened so often since the program began. Prometheus gets it with `_total` behind the name.
    pub fn counter(self, name: &'static str, help: &'static str, value: u64) -> Figures {
        self.with(name, help, Kind::Counter, Value::One(value))
    }

    fn with(mut self, name: &'static str, help: &'static str, kind: Kind, value: Value) -> Figures {
        self.0.push(Figure {
            name,
            help,
            kind,
            value,
        });
        self
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Figure> {
        self.0.iter()
    }
}

/// A map from names to numbers, or to maps from the values of a label to numbers.
impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|figure| (figure.name, &figure.value)))
    }
}
