//! The bars that the replicator has to reach, and whether it did. A bar whose runs are missing is neither passed nor failed.

use serde::Serialize;

use crate::drain::Drain;
use crate::latency::Latency;
use crate::peers::Peer;
use crate::summary::{Drains, Figure, Ratio, Spread};

const MIRROR_MAKERS: [Peer; 2] = [Peer::Mm2, Peer::Mm2Tuned];

/// Outcome of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Verdict {
    Pass,
    Fail,
    NotRun,
}

/// One bar.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Bar {
    /// Question, in words.
    pub(crate) what: String,
    /// Figure that was reached, the median where there are several.
    pub(crate) reached: Option<f64>,
    /// PASS, FAIL or NOT_RUN.
    pub(crate) verdict: Verdict,
}

enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

use Limit::{AtLeast, AtMost};

fn bar(what: impl Into<String>, limit: Limit, reached: Option<f64>) -> Bar {
    let (sign, asked) = match limit {
        AtLeast(asked) => ("≥", asked),
        AtMost(asked) => ("≤", asked),
    };
    let verdict = match (reached, limit) {
        (None, _) => Verdict::NotRun,
        (Some(reached), AtLeast(asked)) if reached >= asked => Verdict::Pass,
        (Some(reached), AtMost(asked)) if reached <= asked => Verdict::Pass,
        _ => Verdict::Fail,
    };
    Bar { what: format!("{} {sign} {asked}", what.into()), reached, verdict }
}

/// All bars, from all runs.
pub(crate) fn evaluate(drains: &[Drain], latencies: &[Latency], failed: bool) -> Vec<Bar> {
    let runs = Drains(drains);
    let ours = |case: &str, figure: Figure| median(runs.spread(case, Peer::Ours, figure));
    let ratio = |case: &str, ratio: Ratio, peers: &[Peer]| median(runs.ratios(case, ratio, peers));
    let mut bars = vec![
        bar(
            "u1k: MB/s over the better MirrorMaker 2's",
            AtLeast(6.0),
            ratio("u1k", Ratio::Throughput, &MIRROR_MAKERS),
        ),
        bar("u1k: MB/s over rdkafka's", AtLeast(2.0), ratio("u1k", Ratio::Throughput, &[Peer::Rdkafka])),
        bar("u1k: CPU-s per wire GB", AtMost(1.3), ours("u1k", |run| run.cpu_per_wire_gb)),
        bar(
            "u1k: the better MirrorMaker 2's CPU over ours",
            AtLeast(12.0),
            ratio("u1k", Ratio::Cpu, &MIRROR_MAKERS),
        ),
    ];
    for case in ["l1k", "z1k"] {
        bars.push(bar(
            format!("{case}: bytes at the destination over the origin's, − 1 (nothing recompressed)"),
            AtMost(0.001),
            ours(case, |run| (run.destination_wire_bytes as f64 / run.origin_wire_bytes as f64 - 1.0).abs()),
        ));
        bars.push(bar(
            format!("{case}: CPU-s per wire GB"),
            AtMost(1.0),
            ours(case, |run| run.cpu_per_wire_gb),
        ));
        bars.push(bar(
            format!("{case}: raw MB/s over the better MirrorMaker 2's"),
            AtLeast(8.0),
            ratio(case, Ratio::Throughput, &MIRROR_MAKERS),
        ));
    }
    bars.push(bar("u100: M records/s", AtLeast(2.0), ours("u100", |run| run.records_s / 1e6)));
    bars.push(bar("h1: M records/s", AtLeast(1.0), ours("h1", |run| run.records_s / 1e6)));
    bars.push(bar("peak memory, MiB (worst case's median)", AtMost(96.0), worst_memory(runs, Peer::Ours)));
    bars.push(bar(
        "peak memory with the small-memory profile, MiB",
        AtMost(24.0),
        worst_memory(runs, Peer::OursSmall),
    ));
    bars.extend(latency_bars(latencies));
    bars.push(bar(
        "start to first record, s (worst case's median)",
        AtMost(1.0),
        worst(runs, Peer::Ours, |run| run.first_record_s),
    ));
    bars.push(content_bar(drains, failed));
    bars
}

fn latency_bars(latencies: &[Latency]) -> Vec<Bar> {
    let added = |figure: fn(&crate::latency::Percentiles) -> f64| {
        let ours = latencies.iter().filter(|run| run.peer == Some(Peer::Ours));
        median(Spread::of(ours.filter_map(|run| run.added_ms.as_ref()).map(figure)))
    };
    vec![
        bar("added latency at 5 MB/s, p50, ms", AtMost(1.0), added(|percentiles| percentiles.p50)),
        bar("added latency at 5 MB/s, p99, ms", AtMost(8.0), added(|percentiles| percentiles.p99)),
    ]
}

/// Every drain of ours, and none that failed.
fn content_bar(drains: &[Drain], failed: bool) -> Bar {
    let ours: Vec<&Drain> = drains.iter().filter(|drain| drain.peer.is_ours()).collect();
    let different = ours.iter().filter(|drain| drain.content != "identical").count() + usize::from(failed);
    let reached = (!ours.is_empty() || failed).then_some(different as f64);
    bar("drains of ours that failed or differ from the origin", AtMost(0.0), reached)
}

fn worst(runs: Drains<'_>, peer: Peer, figure: Figure) -> Option<f64> {
    let cases = crate::cases::CASES.iter();
    cases.filter_map(|case| median(runs.spread(case.name, peer, figure))).max_by(f64::total_cmp)
}

fn worst_memory(runs: Drains<'_>, peer: Peer) -> Option<f64> {
    worst(runs, peer, |run| run.peak_rss_mib)
}

fn median(spread: Option<Spread>) -> Option<f64> {
    spread.map(|spread| spread.median)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::summary::tests::drain;

    fn verdict(bars: &[Bar], beginning: &str) -> Verdict {
        bars.iter().find(|bar| bar.what.starts_with(beginning)).unwrap().verdict
    }

    #[test]
    fn bars_pass_fail_or_were_not_run() {
        let runs = [
            drain("u1k", Peer::Ours, 1, 500.0, 1.2),
            drain("u1k", Peer::Rdkafka, 1, 260.0, 5.0),
            drain("u1k", Peer::Mm2, 1, 70.0, 17.0),
        ];
        let bars = evaluate(&runs, &[], false);
        assert_eq!(verdict(&bars, "u1k: MB/s over the better"), Verdict::Pass);
        assert_eq!(verdict(&bars, "u1k: MB/s over rdkafka"), Verdict::Fail);
        assert_eq!(verdict(&bars, "u1k: CPU-s per wire GB"), Verdict::Pass);
        assert_eq!(verdict(&bars, "z1k: CPU-s per wire GB"), Verdict::NotRun);
        assert_eq!(verdict(&bars, "added latency"), Verdict::NotRun);
        assert_eq!(verdict(&bars, "drains of ours"), Verdict::Pass);
    }

    #[test]
    fn a_recompressed_a_different_and_a_failed_drain_fail() {
        let mut runs = [drain("l1k", Peer::Ours, 1, 500.0, 0.8)];
        runs[0].destination_wire_bytes = 2_010_000_000;
        let bars = evaluate(&runs, &[], true);
        assert_eq!(verdict(&bars, "l1k: bytes"), Verdict::Fail);
        assert_eq!(verdict(&bars, "drains of ours"), Verdict::Fail);
        runs[0].destination_wire_bytes = 2_000_000_100;
        assert_eq!(verdict(&evaluate(&runs, &[], false), "l1k: bytes"), Verdict::Pass);
        runs[0].content = "DIFFERENT (partition 1: other content)".to_owned();
        assert_eq!(verdict(&evaluate(&runs, &[], false), "drains of ours"), Verdict::Fail);
    }
}
