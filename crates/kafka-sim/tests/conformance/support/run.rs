//! Running cases and telling what differs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::golden::Golden;
use super::transcript::{Line, T};
use super::{Release, Target};
use crate::known;

/// A named case.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut T<'_>),
}

/// One row of the table of differences.
pub(crate) struct Difference {
    case: &'static str,
    label: String,
    release: Release,
    expected: Option<String>,
    real: String,
    sim: String,
}

const ENDED: &str = "ended early";
const NONE: &str = "(nothing)";

/// Runs a case; an end before its end is one more line.
pub(crate) fn run(target: &dyn Target, case: &Case) -> Vec<Line> {
    let mut lines = Vec::new();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut t = T::new(target, case.name);
        let result = catch_unwind(AssertUnwindSafe(|| (case.run)(&mut t)));
        lines = std::mem::take(&mut t.lines);
        result.unwrap_or_else(|cause| std::panic::resume_unwind(cause));
    }));
    if let Err(cause) = result {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let value = text.unwrap_or_else(|| "panicked".to_owned()).replace('\n', " ");
        lines.push(Line { label: ENDED.to_owned(), value, expected: Some(NONE.to_owned()) });
    }
    lines
}

/// Runs the cases against a real broker, several at a time, for most of them wait for something.
pub(crate) fn run_all(target: &dyn Target, cases: &[Case]) -> Vec<(&'static str, Vec<Line>)> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let lines = run(target, case);
                    done.lock().unwrap().push((case.name, lines));
                }
            });
        }
    });
    done.into_inner().unwrap()
}

/// What a real broker said against the rules and against what is recorded of it.
pub(crate) fn check_real(release: Release, outcomes: &[(&'static str, Vec<Line>)]) -> Vec<Difference> {
    let golden = Golden::read(release);
    let mut found = Vec::new();
    for (case, lines) in outcomes {
        let recorded = golden.case(case).cloned().unwrap_or_default();
        compare(case, release, lines, &recorded, &mut found, |line, recorded| {
            let real = line.map_or(NONE, |line| &line.value).to_owned();
            (real, format!("recorded: {recorded}"))
        });
    }
    found
}

/// What kafka-sim said against the rules and against what is recorded of the real broker.
pub(crate) fn check_sim(release: Release, case: &'static str, lines: &[Line]) -> Vec<Difference> {
    let golden = Golden::read(release);
    let recorded = golden.case(case).unwrap_or_else(|| panic!("{case} is not recorded: run real_ tests"));
    let mut found = Vec::new();
    compare(case, release, lines, recorded, &mut found, |line, recorded| {
        (recorded.to_owned(), line.map_or(NONE, |line| &line.value).to_owned())
    });
    found.retain(|row| !known::is_listed(row.case, &row.label, row.release, &row.sim));
    found
}

fn compare(
    case: &'static str,
    release: Release,
    lines: &[Line],
    recorded: &[(String, String)],
    found: &mut Vec<Difference>,
    columns: impl Fn(Option<&Line>, &str) -> (String, String),
) {
    let value = |label: &str| recorded.iter().find(|(other, _)| other == label).map(|(_, value)| value);
    let mut add = |label: &str, line: Option<&Line>, recorded: &str| {
        let (real, sim) = columns(line, recorded);
        let expected = line.and_then(|line| line.expected.clone());
        found.push(Difference { case, label: label.to_owned(), release, expected, real, sim });
    };
    for line in lines {
        let recorded = value(&line.label).map_or(NONE, String::as_str);
        let broken = line.expected.as_ref().is_some_and(|expected| *expected != line.value);
        if broken || recorded != line.value {
            add(&line.label, Some(line), recorded);
        }
    }
    // What a case that ended early did not get to is not worth a row each.
    let ended = lines.last().is_some_and(|line| line.label == ENDED);
    for (label, recorded) in recorded.iter().filter(|_| !ended) {
        if lines.iter().all(|line| line.label != *label) {
            add(label, None, recorded);
        }
    }
}

/// Fails with a table if anything differs.
pub(crate) fn assert_none(found: &[Difference]) {
    let mut table = String::new();
    for row in found {
        let expected = row.expected.as_deref().unwrap_or("-");
        table += &format!(
            "\n{} · {} · {}\n    expected {expected}\n    real     {}\n    sim      {}",
            row.case,
            row.label,
            row.release.as_str(),
            row.real,
            row.sim
        );
    }
    assert!(found.is_empty(), "{} differences:{table}\n", found.len());
}
