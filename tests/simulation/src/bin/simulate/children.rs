//! The processes that run one plan each.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context;

/// What became of one plan.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) number: u64,
    pub(crate) passed: bool,
    /// The last line: `passed NUMBER name=value …`, or `FAILED NUMBER name=value … reason`.
    pub(crate) line: String,
    pub(crate) figures: BTreeMap<String, f64>,
    /// The event log.
    pub(crate) log: String,
}

type Queue = Arc<Mutex<VecDeque<u64>>>;

/// Plans under way. Verdicts come in the order of the numbers.
pub(crate) struct Children {
    queue: Queue,
    verdicts: Receiver<anyhow::Result<Verdict>>,
    early: BTreeMap<u64, Verdict>,
    next: u64,
}

impl Children {
    /// Starts the first `jobs` of them.
    pub(crate) fn new(numbers: Range<u64>, bug: Option<&str>, jobs: usize) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("finding this executable")?.with_file_name("plan");
        anyhow::ensure!(
            program.exists(),
            "{} is not there: build it with cargo build --package simulation",
            program.display()
        );
        let next = numbers.start;
        let queue: Queue = Arc::new(Mutex::new(numbers.collect()));
        let (sender, verdicts) = mpsc::channel();
        for _ in 0..jobs.max(1) {
            let (queue, sender, program) = (queue.clone(), sender.clone(), program.clone());
            let bug = bug.map(str::to_owned);
            thread::spawn(move || work(&queue, &sender, &program, bug.as_deref()));
        }
        Ok(Self { queue, verdicts, early: BTreeMap::new(), next })
    }

    /// The next verdict; `None` after the last.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Verdict>> {
        loop {
            if let Some(verdict) = self.early.remove(&self.next) {
                self.next += 1;
                return Ok(Some(verdict));
            }
            let Ok(verdict) = self.verdicts.recv() else { return Ok(None) };
            let verdict = verdict?;
            self.early.insert(verdict.number, verdict);
        }
    }
}

impl Drop for Children {
    /// Those under way end by themselves; no more are started.
    fn drop(&mut self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn work(queue: &Queue, verdicts: &Sender<anyhow::Result<Verdict>>, program: &PathBuf, bug: Option<&str>) {
    loop {
        let number = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(number) = number else { return };
        // Nobody listens any more after the last verdict that was wanted.
        if verdicts.send(run(number, program, bug)).is_err() {
            return;
        }
    }
}

fn run(number: u64, program: &PathBuf, bug: Option<&str>) -> anyhow::Result<Verdict> {
    let mut command = Command::new(program);
    command.args(["--number", &number.to_string(), "--log"]).stdin(Stdio::null());
    if let Some(bug) = bug {
        command.args(["--bug", bug]);
    }
    let output = command.output().with_context(|| format!("running plan {number}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (log, line) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
    if !line.starts_with("passed") && !line.starts_with("FAILED") {
        anyhow::bail!("plan {number} ended without a verdict: {}", String::from_utf8_lossy(&output.stderr));
    }
    let figures = line.split_whitespace().filter_map(|word| word.split_once('='));
    let figures = figures.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
    Ok(Verdict {
        number,
        passed: line.starts_with("passed"),
        line: line.to_owned(),
        figures: figures.collect(),
        log: format!("{log}\n"),
    })
}
