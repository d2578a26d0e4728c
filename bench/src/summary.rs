//! From single runs to what is said about them: medians, and ratios of runs that belong together.
//!
//! Ratios are formed within a round, where the machine was in one mood, and only then the median is taken.

use crate::drain::Drain;
use crate::peers::Peer;

/// Median, smallest and largest of some figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// `None` of nothing.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
        Some(Self { median, min, max })
    }
}

/// All drains, asked in the ways that tables and bars ask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drains<'a>(pub(crate) &'a [Drain]);

/// Which figure of a drain.
pub(crate) type Figure = fn(&Drain) -> f64;

impl<'a> Drains<'a> {
    /// The runs of one peer on one case.
    pub(crate) fn of(self, case: &str, peer: Peer) -> impl Iterator<Item = &'a Drain> {
        self.0.iter().filter(move |drain| drain.case == case && drain.peer == peer)
    }

    /// A figure over the rounds.
    pub(crate) fn spread(self, case: &str, peer: Peer, figure: Figure) -> Option<Spread> {
        Spread::of(self.of(case, peer).map(figure))
    }

    /// Ours over the peers' in each round where there are both. Of several peers the best counts, which is the one that makes
    /// the ratio smallest.
    pub(crate) fn ratios(self, case: &str, ratio: Ratio, peers: &[Peer]) -> Option<Spread> {
        let per_round = self.of(case, Peer::Ours).filter_map(|ours| {
            let others = peers.iter().flat_map(|peer| self.of(case, *peer));
            others
                .filter(|other| other.round == ours.round)
                .map(|other| ratio.of(ours, other))
                .min_by(f64::total_cmp)
        });
        Spread::of(per_round)
    }
}

/// Comparison of ours with a peer; more is better for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ratio {
    /// Our throughput over the peer's.
    Throughput,
    /// The peer's CPU for each wire GB over ours.
    Cpu,
}

impl Ratio {
    fn of(self, ours: &Drain, other: &Drain) -> f64 {
        match self {
            Ratio::Throughput => ours.raw_mb_s / other.raw_mb_s,
            Ratio::Cpu => other.cpu_per_wire_gb / ours.cpu_per_wire_gb.max(1e-9),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn drain(case: &'static str, peer: Peer, round: u32, mb_s: f64, cpu: f64) -> Drain {
        Drain {
            case,
            peer,
            round,
            first_record_s: 0.4,
            active_s: 4.0,
            wire_mb_s: mb_s,
            raw_mb_s: mb_s,
            records_s: mb_s * 1000.0,
            cpu_s: cpu * 2.0,
            cpu_with_start_s: cpu * 2.0,
            cpu_per_wire_gb: cpu,
            cpu_with_start_per_wire_gb: cpu,
            peak_rss_mib: 50.0,
            origin_cpu_s: 1.0,
            destination_cpu_s: 3.0,
            other_cpu_share: 0.01,
            disturbed: false,
            destination_wire_bytes: 2_000_000_000,
            origin_wire_bytes: 2_000_000_000,
            stop_s: Some(0.1),
            content: "identical".to_owned(),
        }
    }

    #[test]
    fn medians_of_odd_even_and_no_figures() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(Spread::of([4.0, 1.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn ratios_stay_within_a_round_and_take_the_better_peer() {
        let runs = [
            drain("u1k", Peer::Ours, 1, 400.0, 1.0),
            drain("u1k", Peer::Mm2, 1, 50.0, 20.0),
            drain("u1k", Peer::Mm2Tuned, 1, 40.0, 10.0),
            drain("u1k", Peer::Ours, 2, 200.0, 2.0),
            drain("u1k", Peer::Mm2, 2, 20.0, 30.0),
            drain("u1k", Peer::Ours, 3, 900.0, 1.0),
        ];
        let both = [Peer::Mm2, Peer::Mm2Tuned];
        let speed = Drains(&runs).ratios("u1k", Ratio::Throughput, &both).unwrap();
        assert_eq!((speed.min, speed.max), (8.0, 10.0));
        let cpu = Drains(&runs).ratios("u1k", Ratio::Cpu, &both).unwrap();
        assert_eq!((cpu.min, cpu.max), (10.0, 15.0));
        assert_eq!(Drains(&runs).ratios("u1k", Ratio::Cpu, &[Peer::Rdkafka]), None);
    }
}
