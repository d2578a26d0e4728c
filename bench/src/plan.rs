//! The command line and the plan that comes of it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;

use crate::cases::{self, CASES, Case};
use crate::latency::Window;
use crate::peers::{Peer, sibling};

const EXAMPLES: &str = "Examples:
  scripts/bench                                   everything, three rounds, about half an hour
  scripts/bench --quick                           one round, a fifth of the records
  scripts/bench --cases u1k,h1 --peers ours,rdkafka --runs 5
  scripts/bench --cases latency --peers ours";

/// Measures the replicator beside what a user would run instead, on real brokers that are started for it.
///
/// The report goes to standard output, progress to standard error. Nothing else should run on the machine.
#[derive(Debug, Parser)]
#[command(name = "scripts/bench", after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Cases, of u1k, l1k, z1k, u100, h1 and latency [default: all]
    #[arg(long, value_delimiter = ',')]
    cases: Vec<String>,

    /// Copiers, in every case [default: those that tell something about the case]
    #[arg(long, value_delimiter = ',')]
    peers: Vec<Peer>,

    /// Interleaved rounds [default: 3]
    #[arg(long)]
    runs: Option<u32>,

    /// Multiplies the records of every case [default: 1]
    #[arg(long)]
    records_scale: Option<f64>,

    /// One round, a fifth of the records, ours, rdkafka and mm2 only: for a first look, not for quoting
    #[arg(long)]
    quick: bool,

    /// Keep the origin's data on disk instead of in memory
    #[arg(long)]
    origin_on_disk: bool,

    /// Write every single figure as JSON
    #[arg(long, value_name = "FILE.json")]
    out: Option<PathBuf>,
}

/// Everything that is to be done.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Cases with a topic to drain.
    pub(crate) cases: Vec<&'static Case>,
    /// Whether latency is measured.
    pub(crate) latency: bool,
    /// Interleaved rounds.
    pub(crate) rounds: u32,
    /// Multiplies records.
    pub(crate) scale: f64,
    /// Generator's times.
    pub(crate) window: Window,
    /// Whether the origin's data is on disk.
    pub(crate) origin_on_disk: bool,
    /// JSON.
    pub(crate) out: Option<PathBuf>,
    peers: Vec<Peer>,
}

impl Args {
    /// Checks and completes what was asked for.
    ///
    /// # Errors
    /// An unknown case, no round, no records.
    pub(crate) fn plan(self) -> Result<Plan> {
        let mut chosen = Vec::new();
        for name in self.cases.iter().filter(|name| *name != "latency") {
            match cases::find(name) {
                Some(case) => chosen.push(case),
                None => {
                    bail!("--cases: there is no case {name:?}; known are u1k, l1k, z1k, u100, h1 and latency")
                }
            }
        }
        let all = self.cases.is_empty();
        let scale = self.records_scale.unwrap_or(if self.quick { 0.2 } else { 1.0 });
        if !(scale > 0.0 && scale <= 100.0) {
            bail!("--records-scale: {scale} is not between 0 and 100");
        }
        let rounds = self.runs.unwrap_or(if self.quick { 1 } else { 3 });
        if rounds == 0 {
            bail!("--runs: there must be at least one");
        }
        let peers = if self.quick && self.peers.is_empty() {
            vec![Peer::Ours, Peer::Rdkafka, Peer::Mm2]
        } else {
            self.peers
        };
        let (warm_up, measured) = if self.quick { (2, 10) } else { (5, 30) };
        Ok(Plan {
            cases: if all { CASES.iter().collect() } else { chosen },
            latency: all || self.cases.iter().any(|name| name == "latency"),
            rounds,
            scale,
            window: Window { warm_up: Duration::from_secs(warm_up), measured: Duration::from_secs(measured) },
            origin_on_disk: self.origin_on_disk,
            out: self.out,
            peers,
        })
    }
}

impl Plan {
    /// An error if an executable is missing, before minutes are spent.
    ///
    /// # Errors
    /// Names it.
    pub(crate) fn check(&self) -> Result<()> {
        let drains = self.cases.iter().flat_map(|case| self.peers(case));
        let latencies = self.latency_peers(1).into_iter().flatten().filter(|_| self.latency);
        let names = drains.chain(latencies).filter_map(Peer::executable);
        names.into_iter().try_for_each(|name| sibling(name).map(drop))
    }

    /// Copiers of this case, in the order of a round.
    pub(crate) fn peers(&self, case: &Case) -> Vec<Peer> {
        use Peer::{Mm2, Mm2Tuned, Ours, OursPreserve, OursSmall, Rdkafka, Relay8k, Relay256k};
        if !self.peers.is_empty() {
            return self.peers.clone();
        }
        match case.name {
            "u1k" => vec![Ours, Rdkafka, OursSmall, Mm2, OursPreserve, Mm2Tuned, Relay8k, Relay256k],
            "l1k" => vec![Ours, Rdkafka, OursSmall, Mm2, Mm2Tuned],
            "h1" => vec![Ours, Rdkafka, OursPreserve, Mm2, Mm2Tuned],
            _ => vec![Ours, Rdkafka, Mm2, Mm2Tuned],
        }
    }

    /// Copiers measured for latency in this round; `None` is the control run. Only ours is measured in every round.
    pub(crate) fn latency_peers(&self, round: u32) -> Vec<Option<Peer>> {
        let known = [Peer::Ours, Peer::Rdkafka, Peer::Mm2Tuned];
        let wanted = |peer: &Peer| {
            if self.peers.is_empty() {
                known.contains(peer)
            } else {
                self.peers.contains(peer) && peer.relay_buffer().is_none()
            }
        };
        let all = [
            Peer::Ours,
            Peer::OursBefore,
            Peer::OursSmall,
            Peer::OursPreserve,
            Peer::Rdkafka,
            Peer::Mm2,
            Peer::Mm2Tuned,
        ];
        let peers = all.into_iter().filter(wanted).filter(|peer| round == 1 || peer.is_ours());
        let control = (round == 1).then_some(None);
        control.into_iter().chain(peers.map(Some)).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn plan(arguments: &[&str]) -> Result<Plan> {
        Args::try_parse_from(std::iter::once(&"bench").chain(arguments)).unwrap().plan()
    }

    #[test]
    fn everything_is_the_default_and_quick_is_less() {
        let all = plan(&[]).unwrap();
        assert_eq!((all.cases.len(), all.latency, all.rounds), (5, true, 3));
        assert!(all.peers(all.cases[0]).contains(&Peer::Relay8k));
        assert_eq!(all.latency_peers(1).len(), 4);
        assert_eq!(all.latency_peers(2), [Some(Peer::Ours)]);
        let quick = plan(&["--quick"]).unwrap();
        assert_eq!((quick.rounds, quick.scale), (1, 0.2));
        assert_eq!(quick.peers(quick.cases[0]), [Peer::Ours, Peer::Rdkafka, Peer::Mm2]);
        assert!(all.window.measured > quick.window.measured);
    }

    #[test]
    fn what_is_named_is_what_is_run() {
        let some = plan(&["--cases", "h1,latency", "--peers", "mm2,relay8k", "--runs", "2"]).unwrap();
        assert_eq!(some.cases.iter().map(|case| case.name).collect::<Vec<_>>(), ["h1"]);
        assert_eq!(some.latency_peers(1), [None, Some(Peer::Mm2)]);
        assert!(!plan(&["--cases", "h1"]).unwrap().latency);
        assert!(plan(&["--cases", "latency"]).unwrap().cases.is_empty());
    }

    #[test]
    fn nonsense_is_refused_with_what_is_known() {
        let refused = |arguments: &[&str]| plan(arguments).unwrap_err().to_string();
        assert!(refused(&["--cases", "u2k"]).contains("u100"));
        assert!(refused(&["--runs", "0"]).contains("--runs"));
        assert!(refused(&["--records-scale", "0"]).contains("--records-scale"));
    }
}
