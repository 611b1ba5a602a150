//! What can be different between an answer that came straight and one that came through, and how that is counted.

use crate::diagnostic::printable_within;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Values are told to this many characters.
const EXCERPT: usize = 70;

/// Places of one gateway that are told; what comes beyond is only counted.
const MOST_ROWS: usize = 150;

/// What happened to something on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It is only there through the gateway.
    Added,
    /// It is only there without the gateway.
    Dropped,
    /// It is there with another value.
    Changed,
    /// The same value stands under another name.
    Renamed,
    /// The same values stand in another order.
    Reordered,
    /// The same value is written in another way.
    Respelled,
}

/// Who got what is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The agent: what it was answered.
    Agent,
    /// The server: what reached it.
    Server,
}

/// What passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    /// A call of a tool.
    Call,
    /// A list of tools.
    List,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::run) struct Difference {
    /// What happened.
    pub kind: Kind,
    /// Where: a JSON pointer into the frame with `*` for every index, or a name such as `header content-type`.
    pub place: String,
    /// What stood there without the gateway; empty where nothing did.
    pub direct: String,
    /// What stood there through it; empty where nothing did.
    pub through: String,
}

/// One kind of difference at one place, over all that was compared.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Who got it.
    pub side: Side,
    /// What passed.
    pub passage: Passage,
    /// What happened.
    pub kind: Kind,
    /// Where.
    pub place: String,
    /// In how many calls or lists.
    pub count: usize,
    /// The first of them: what stood there without the gateway.
    pub direct: String,
    /// The first of them: what stood there through it.
    pub through: String,
}

/// The differences of a scenario, or of all scenarios at one gateway.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many calls were compared.
    pub calls: usize,
    /// How many lists were compared.
    pub lists: usize,
    rows: BTreeMap<Place, Example>,
    beyond: usize,
}

/// What one row counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    side: Side,
    passage: Passage,
    place: String,
    kind: Kind,
}

/// How often, and the first of them.
#[derive(Clone, Debug)]
struct Example {
    count: usize,
    direct: String,
    through: String,
}

impl Difference {
    /// A difference between two values, shown printable and short.
    pub(super) fn of(kind: Kind, place: &str, direct: impl fmt::Display, through: impl fmt::Display) -> Self {
        let shown = |value: &dyn fmt::Display| printable_within(&value.to_string(), EXCERPT);
        let place = printable_within(place, 2 * EXCERPT);
        Self { kind, place, direct: shown(&direct), through: shown(&through) }
    }
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Dropped => "dropped",
            Self::Changed => "changed",
            Self::Renamed => "renamed",
            Self::Reordered => "reordered",
            Self::Respelled => "respelled",
        }
    }
}

impl Tally {
    /// Counts one call or list.
    pub(super) fn count(&mut self, passage: Passage) {
        match passage {
            Passage::Call => self.calls += 1,
            Passage::List => self.lists += 1,
        }
    }

    /// Takes the differences of one call or list; each place counts once.
    pub(super) fn take(&mut self, side: Side, passage: Passage, differences: Vec<Difference>) {
        let mut once: BTreeMap<(String, Kind), Difference> = BTreeMap::new();
        for difference in differences {
            once.entry((difference.place.clone(), difference.kind)).or_insert(difference);
        }
        for ((place, kind), Difference { direct, through, .. }) in once {
            self.add(Place { side, passage, place, kind }, Example { count: 1, direct, through });
        }
    }

    /// Takes what another one counted.
    pub(super) fn join(&mut self, other: Self) {
        self.calls += other.calls;
        self.lists += other.lists;
        self.beyond += other.beyond;
        for (place, row) in other.rows {
            self.add(place, row);
        }
    }

    fn add(&mut self, place: Place, example: Example) {
        if let Some(known) = self.rows.get_mut(&place) {
            known.count += example.count;
        } else if self.rows.len() < MOST_ROWS {
            self.rows.insert(place, example);
        } else {
            self.beyond += 1;
        }
    }

    /// The rows, by side, passage and place, and how many did not find room.
    pub(super) fn into_rows(self) -> (Vec<Row>, usize) {
        let row = |(Place { side, passage, place, kind }, Example { count, direct, through })| Row {
            side,
            passage,
            kind,
            place,
            count,
            direct,
            through,
        };
        (self.rows.into_iter().map(row).collect(), self.beyond)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(place: &str) -> Difference {
        Difference::of(Kind::Changed, place, "1", "\u{1b}[2J")
    }

    #[test]
    fn a_place_counts_once_in_a_call_and_is_shown_by_its_first() {
        let mut tally = Tally::default();
        tally.take(Side::Agent, Passage::Call, vec![changed("/a/*"), changed("/a/*")]);
        let mut all = Tally::default();
        all.join(tally.clone());
        all.join(tally);
        let (rows, beyond) = all.into_rows();
        assert_eq!((rows.len(), rows[0].count, beyond), (1, 2, 0));
        assert_eq!(rows[0].through, r"\u{1b}[2J");
    }

    #[test]
    fn a_gateway_that_changes_everything_is_told_within_bounds() {
        let mut tally = Tally::default();
        let many = (0..MOST_ROWS + 7).map(|place| changed(&format!("/{place}"))).collect();
        tally.take(Side::Agent, Passage::Call, many);
        let (rows, beyond) = tally.into_rows();
        assert_eq!((rows.len(), beyond), (MOST_ROWS, 7));
    }
}
