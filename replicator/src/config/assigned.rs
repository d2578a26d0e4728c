//! A value with where it stands, and the precedence that follows from the place.

use std::collections::BTreeMap;

use super::notice::Source;

/// A value with where it came from.
#[derive(Clone, Debug)]
pub(super) struct Assigned {
    /// The key as the user wrote it.
    pub(super) written: String,
    pub(super) value: String,
    pub(super) source: Source,
    pub(super) rank: Rank,
}

/// The precedence of a value when a key is set twice: the later of these wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// In a file that is meant for something else.
    WrongFile,
    /// In a file that is meant for something else, with the most telling prefix.
    WrongFileExactly,
    /// In the file that is meant for it.
    RightFile,
    /// On the command line or in the environment.
    CommandLine,
    /// In the connector's own configuration.
    Connector,
    /// In the connector's own configuration, with the most telling prefix.
    ConnectorExactly,
}

/// The file in which a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Consumer,
    Producer,
    Replication,
    /// No file: the connector's own configuration.
    Connector,
}

impl Place {
    /// The rank of a client property that stands here under a prefix, `exactly` under the most telling one.
    pub(super) fn prefixed(self, exactly: bool) -> Rank {
        match (self, exactly) {
            (Self::Connector, true) => Rank::ConnectorExactly,
            (Self::Connector, false) => Rank::Connector,
            (_, true) => Rank::WrongFileExactly,
            (_, false) => Rank::WrongFile,
        }
    }

    /// The rank of a connector or worker property that stands here.
    pub(super) fn common(self) -> Rank {
        match self {
            Self::Connector => Rank::Connector,
            Self::Replication => Rank::RightFile,
            Self::Consumer | Self::Producer => Rank::WrongFile,
        }
    }
}

/// Enters a value; returns loser and winner if there were two.
pub(super) fn assign(
    map: &mut BTreeMap<String, Assigned>,
    key: &str,
    written: &str,
    value: &str,
    source: &Source,
    rank: Rank,
) -> Option<(Assigned, Assigned)> {
    let new = Assigned { written: written.to_owned(), value: value.to_owned(), source: source.clone(), rank };
    match map.get_mut(key) {
        None => {
            map.insert(key.to_owned(), new);
            None
        }
        Some(old) if old.rank > rank => Some((new, old.clone())),
        Some(old) => Some((std::mem::replace(old, new.clone()), new)),
    }
}
