//! Data whose loss and doubling show: numbered lines from files through a topic into a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;

use crate::lots::until;
use crate::workers::{Fleet, PATIENCE};

/// Sources, and tasks of the sink, and partitions.
pub(crate) const WIDTH: usize = 3;
/// Connectors and tasks: of each source one and one, of the sink one and as many tasks as there are partitions.
pub(crate) const INSTANCES: usize = 3 * WIDTH + 1;
/// Between two lines of a file.
const PACE: Duration = Duration::from_millis(20);

/// Data under way from sources to a sink.
pub(crate) trait Flow {
    /// Connectors and tasks.
    const INSTANCES: usize;

    /// Creates the connectors by requests to a member.
    fn start(fleet: &Fleet, member: usize) -> Self;

    /// Waits until what has been made by now has come out at the other end.
    fn await_arrival(&self, fleet: &Fleet);

    /// Ends the flow and asserts that nothing is missing and, with `once`, nothing is twice in the topic.
    fn assert_whole(self, fleet: &Fleet, once: bool);
}

impl Flow for Lines {
    const INSTANCES: usize = INSTANCES;

    fn start(fleet: &Fleet, member: usize) -> Self {
        Lines::start(fleet, member)
    }

    fn await_arrival(&self, _fleet: &Fleet) {
        self.await_arrival();
    }

    fn assert_whole(self, fleet: &Fleet, once: bool) {
        self.assert_whole(fleet, once);
    }
}

/// How often each line has arrived; lines are `source:number`.
#[derive(Debug, Default)]
struct Count(BTreeMap<String, usize>);

impl Count {
    fn add(&mut self, line: &str) {
        *self.0.entry(line.to_owned()).or_default() += 1;
    }

    fn missing(&self, written: usize) -> Vec<String> {
        let all = (0..written).flat_map(|number| (0..WIDTH).map(move |source| line(source, number)));
        all.filter(|line| !self.0.contains_key(line)).collect()
    }

    fn twice(&self) -> Vec<&String> {
        self.0.iter().filter(|(_, count)| **count > 1).map(|(line, _)| line).collect()
    }
}

fn line(source: usize, number: usize) -> String {
    format!("{source}:{number}")
}

/// File sources `lines-0`…, each with a file that grows, one topic, and a file sink `copy`.
pub(crate) struct Lines {
    topic: String,
    out: PathBuf,
    written: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    writer: Option<JoinHandle<()>>,
}

impl Lines {
    /// Creates the connectors by requests to a member and lets the files grow.
    pub(crate) fn start(fleet: &Fleet, member: usize) -> Self {
        let topic = format!("{}-lines", fleet.name);
        fleet.kafka.create(&topic, WIDTH as i32);
        let file = |name: &str| fleet.folder().join(name);
        let files: Vec<PathBuf> = (0..WIDTH).map(|number| file(&format!("in-{number}.txt"))).collect();
        let out = file("out.txt");
        let (written, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let writer = std::thread::spawn({
            let (files, written, stop) = (files.clone(), written.clone(), stop.clone());
            move || grow(&files, &written, &stop)
        });
        for (number, file) in files.iter().enumerate() {
            let class = "FileStreamSource";
            let config = json!({"connector.class": class, "tasks.max": "1", "file": file, "topic": topic});
            fleet.create(member, &format!("lines-{number}"), &config);
        }
        let class = "FileStreamSink";
        let tasks = WIDTH.to_string();
        let config = json!({"connector.class": class, "tasks.max": tasks, "file": out, "topics": topic});
        fleet.create(member, "copy", &config);
        Self { topic, out, written, stop, writer: Some(writer) }
    }

    fn arrived(&self) -> Count {
        let text = std::fs::read_to_string(&self.out).unwrap_or_default();
        let mut count = Count::default();
        text.lines().for_each(|line| count.add(line));
        count
    }

    /// Waits until every line that has been written has come out at the other end.
    pub(crate) fn await_arrival(&self) {
        let written = self.written.load(Ordering::Acquire);
        until("all lines written so far are in the sink's file", PATIENCE, || {
            let missing = self.arrived().missing(written);
            if missing.is_empty() { Ok(()) } else { Err(lost(&missing, written)) }
        });
    }

    /// Asserts that, from now on and for a while, every line comes once: no source runs twice.
    pub(crate) fn assert_single(&self, fleet: &Fleet) {
        let from = self.written.load(Ordering::Acquire);
        std::thread::sleep(Duration::from_millis(1500));
        let to = self.written.load(Ordering::Acquire);
        self.await_arrival();
        let count = self.in_topic(fleet, WIDTH * to);
        let lines = (from..to).flat_map(|number| (0..WIDTH).map(move |source| line(source, number)));
        let twice: Vec<String> =
            lines.filter(|line| count.0.get(line).is_some_and(|count| *count > 1)).collect();
        assert!(
            twice.is_empty(),
            "{} of {} lines are twice in the topic: {twice:?}",
            twice.len(),
            WIDTH * (to - from)
        );
    }

    fn in_topic(&self, fleet: &Fleet, at_least: usize) -> Count {
        let mut count = Count::default();
        for record in fleet.kafka.read(&self.topic, at_least, PATIENCE) {
            count.add(&String::from_utf8(record.value.unwrap()).unwrap());
        }
        count
    }

    /// Lets the files grow no more, and asserts that no line is missing, neither in the topic nor in the sink's file; with
    /// `once`, that no line is twice in the topic for those who read what is committed.
    pub(crate) fn assert_whole(mut self, fleet: &Fleet, once: bool) {
        self.stop.store(true, Ordering::Release);
        self.writer.take().expect("it was started").join().unwrap();
        self.await_arrival();
        let written = self.written.load(Ordering::Acquire);
        let count = self.in_topic(fleet, WIDTH * written);
        let missing = count.missing(written);
        assert!(missing.is_empty(), "in the topic: {}", lost(&missing, written));
        let twice = count.twice();
        eprintln!("{}: {written} lines of each source, {} of them twice", fleet.name, twice.len());
        assert!(!once || twice.is_empty(), "{} lines are twice in the topic: {twice:?}", twice.len());
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

fn lost(missing: &[String], written: usize) -> String {
    let some = &missing[..missing.len().min(10)];
    format!("{} of {WIDTH} x {written} lines are missing, from {some:?}", missing.len())
}

fn grow(files: &[impl AsRef<Path>], written: &AtomicUsize, stop: &AtomicBool) {
    let open = |path: &Path| File::options().create(true).append(true).open(path).unwrap();
    let mut files: Vec<File> = files.iter().map(|path| open(path.as_ref())).collect();
    while !stop.load(Ordering::Acquire) {
        let number = written.load(Ordering::Acquire);
        for (source, file) in files.iter_mut().enumerate() {
            file.write_all(format!("{}\n", line(source, number)).as_bytes()).unwrap();
        }
        written.store(number + 1, Ordering::Release);
        std::thread::sleep(PACE);
    }
}

#[test]
fn sim_what_is_missing_or_twice_is_found() {
    let mut count = Count::default();
    ["0:0", "1:0", "2:0", "0:1", "2:1", "0:1"].iter().for_each(|line| count.add(line));
    assert!(count.missing(1).is_empty());
    assert_eq!(count.missing(2), ["1:1"]);
    assert_eq!(count.twice(), ["0:1"]);
}
