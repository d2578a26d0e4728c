//! Running scenarios and telling what differs.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::golden::Golden;
use crate::known;
use crate::lab::{Lab, On, Side};
use crate::scenarios;
use crate::text;
use crate::transcript::{Line, T};

/// What is done and looked at.
pub(crate) type Deed = std::sync::Arc<dyn Fn(&mut T<'_>) + Send + Sync>;

/// A named scenario of a family, on one kind of worker.
pub(crate) struct Scenario {
    pub(crate) family: &'static str,
    pub(crate) name: String,
    pub(crate) on: On,
    pub(crate) run: Deed,
}

impl Scenario {
    /// As in the recordings.
    pub(crate) fn title(&self) -> String {
        format!("{} on {}", self.name, self.on.name())
    }
}

/// Where the recorded and the seen transcript part.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The family's file.
    pub family: &'static str,
    /// The scenario, and on which worker.
    pub title: String,
    /// What was done or looked at.
    pub label: String,
    /// What Java's worker said.
    pub java: String,
    /// What was seen now.
    pub seen: String,
}

/// In place of what only one side has.
pub(crate) const NONE: &str = "(nothing)";
const ENDED: &str = "ended early";

/// Scenarios at the same time on a worker: most of them wait. Few on distributed workers, where each new connector makes the
/// others wait for a rebalance; one on a standalone worker, for Java's herder can block itself for good.
const LANES: [(On, usize); 5] =
    [(On::Distributed, 3), (On::Standalone, 1), (On::Guarded, 1), (On::Other, 1), (On::Own, 2)];

/// Runs the scenarios whose titles contain, or whose family is, one of the words of `CONNECT_SCENARIOS` (all without it) on one side, and compares
/// with the recordings. `CONNECT_RECORD=1` records Java's answers first.
///
/// # Panics
/// A broker or a worker cannot be started.
pub fn check(side: Side) -> Vec<Difference> {
    let scenarios = selected();
    let lab = Lab::start(side);
    let outcomes = run_all(&lab, &scenarios);
    if side == Side::Java && std::env::var_os("CONNECT_RECORD").is_some() {
        record(&outcomes);
    }
    if std::env::var_os("CONNECT_LOGS").is_some() {
        lab.logs().into_iter().for_each(|(on, log)| eprintln!("== {}\n{log}", on.name()));
    }
    let mut found = Vec::new();
    for (scenario, lines) in &outcomes {
        found.extend(compare(scenario, lines));
    }
    if side == Side::Ours {
        found.retain(|row| !known::is_listed(row));
    }
    if let Some(path) = std::env::var_os("CONNECT_DIFFERENCES") {
        std::fs::write(path, table(&found)).unwrap();
    }
    found
}

fn selected() -> Vec<Scenario> {
    let wanted = std::env::var("CONNECT_SCENARIOS").unwrap_or_default();
    let words: Vec<&str> = wanted.split(',').filter(|word| !word.is_empty()).collect();
    let mut all = scenarios::all();
    all.retain(|one| {
        words.is_empty() || words.iter().any(|word| one.family == *word || one.title().contains(word))
    });
    all
}

fn run_all<'a>(lab: &Lab, scenarios: &'a [Scenario]) -> Vec<(&'a Scenario, Vec<Line>)> {
    let done = Mutex::new(Vec::new());
    let done = &done;
    std::thread::scope(|scope| {
        for (on, lanes) in LANES {
            let of_worker: Vec<&Scenario> = scenarios.iter().filter(|one| one.on == on).collect();
            scope.spawn(move || {
                let next = AtomicUsize::new(0);
                std::thread::scope(|lane| {
                    for _ in 0..lanes {
                        lane.spawn(|| {
                            while let Some(scenario) = of_worker.get(next.fetch_add(1, Ordering::Relaxed)) {
                                let lines = run(lab, scenario);
                                done.lock().unwrap().push((*scenario, lines));
                            }
                        });
                    }
                });
            });
        }
    });
    std::mem::take(&mut *done.lock().unwrap())
}

/// Runs a scenario; an end before its end is one more line.
fn run(lab: &Lab, scenario: &Scenario) -> Vec<Line> {
    let started = std::time::Instant::now();
    let golden = Golden::read(scenario.family);
    let mut t = T::new(lab, scenario.on, &scenario.name, golden.case(&scenario.title()).unwrap_or_default());
    let result = catch_unwind(AssertUnwindSafe(|| (scenario.run)(&mut t)));
    if let Err(cause) = result {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        t.note(ENDED, text.unwrap_or_else(|| "panicked".to_owned()));
    }
    if std::env::var_os("CONNECT_TIMES").is_some() {
        eprintln!("{:6.1} s  {}", started.elapsed().as_secs_f32(), scenario.title());
    }
    t.lines
}

fn record(outcomes: &[(&Scenario, Vec<Line>)]) {
    let all = scenarios::all();
    let mut files: BTreeMap<&str, Golden> = BTreeMap::new();
    for (scenario, lines) in outcomes {
        let golden = files.entry(scenario.family).or_insert_with(|| Golden::read(scenario.family));
        golden.record(&scenario.title(), lines);
    }
    for (family, golden) in &mut files {
        golden.keep(|title| all.iter().any(|one| one.family == *family && one.title() == title));
        golden.write(family);
    }
}

fn compare(scenario: &Scenario, lines: &[Line]) -> Vec<Difference> {
    let golden = Golden::read(scenario.family);
    let recorded = golden.case(&scenario.title()).unwrap_or_default();
    let mut found = Vec::new();
    let mut add = |label: &str, java: &str, seen: &str| {
        found.push(Difference {
            family: scenario.family,
            title: scenario.title(),
            label: label.to_owned(),
            java: java.to_owned(),
            seen: seen.to_owned(),
        });
    };
    for line in lines {
        let java = recorded.iter().find(|other| other.label == line.label);
        let java = java.map_or(NONE, |line| line.value.as_str());
        if !text::agree(&line.label, java, &line.value) {
            add(&line.label, java, &line.value);
        }
    }
    // What a scenario that ended early did not get to is not worth a row each.
    let ended = lines.last().is_some_and(|line| line.label == ENDED);
    for line in recorded.iter().filter(|_| !ended) {
        if lines.iter().all(|other| other.label != line.label) {
            add(&line.label, &line.value, NONE);
        }
    }
    found
}

/// The differences as a text for people, by kind; long values are cut around the first place where they part.
pub fn table(found: &[Difference]) -> String {
    let mut kinds: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for row in found {
        kinds.entry(kind(row)).or_default().push(row);
    }
    let mut text = String::new();
    for (kind, rows) in kinds {
        text += &format!("\n## {kind}: {}\n", rows.len());
        for row in rows {
            let (java, seen) = around(&row.java, &row.seen);
            text += &format!(
                "\n{} · {}\n  > {}\n    java {java}\n    seen {seen}\n",
                row.family, row.title, row.label
            );
        }
    }
    text
}

/// Where the two part.
fn kind(row: &Difference) -> &'static str {
    let status = |line: &str| line.get(..3).and_then(|status| status.parse::<u16>().ok());
    let headers = |line: &str| line.split(['{', '<', '"']).next().unwrap_or_default().to_owned();
    if row.label == ENDED {
        "1. ended early"
    } else if row.label.starts_with("waited for") {
        "2. waited in vain"
    } else if row.java == NONE || row.seen == NONE {
        "3. seen on one side only"
    } else if status(&row.java) != status(&row.seen) {
        "4. status"
    } else if status(&row.java).is_none() {
        "7. data"
    } else if headers(&row.java) != headers(&row.seen) {
        "5. headers"
    } else {
        "6. bodies"
    }
}

fn around(java: &str, seen: &str) -> (String, String) {
    const BEFORE: usize = 80;
    let common = java.chars().zip(seen.chars()).take_while(|(a, b)| a == b).count();
    let cut = |text: &str| {
        let start = common.saturating_sub(BEFORE);
        let part: String = text.chars().skip(start).take(400).collect();
        if start > 0 { format!("…{part}") } else { part }
    };
    (cut(java), cut(seen))
}

/// The listed differences that no recording has any more, and those of scenarios that there are not.
pub fn stale_differences() -> Vec<String> {
    let mut stale = Vec::new();
    for row in known::KNOWN {
        let families: Vec<&str> = scenarios::all().iter().map(|one| one.family).collect();
        let hit = families.iter().any(|family| known::applies_to(row, &Golden::read(family)));
        if !hit {
            stale.push(format!("{} · {}", row.title, row.label));
        }
    }
    stale
}
