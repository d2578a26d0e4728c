//! CPU and memory of processes, and of the whole machine, from `/proc`.
//!
//! Called at the start, at the first record and at the end of a run; differences of two [`Reading`]s are what is reported.

use std::collections::HashMap;
use std::fs;
use std::time::Instant;

/// Processes that are measured, by id.
#[derive(Debug, Clone)]
pub(crate) struct Subjects {
    /// The origin's broker, and ZooKeeper.
    pub(crate) origin: Vec<i32>,
    /// The destination's broker.
    pub(crate) destination: Vec<i32>,
}

/// CPU-seconds since each process began, at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    at: Instant,
    peer: f64,
    origin: f64,
    destination: f64,
    own: f64,
    machine: f64,
}

/// CPU-seconds between two readings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spent {
    /// Wall clock, s.
    pub(crate) seconds: f64,
    /// The peer's process and its children.
    pub(crate) peer: f64,
    /// The origin's processes.
    pub(crate) origin: f64,
    /// The destination's processes.
    pub(crate) destination: f64,
    /// Everything else on the machine but this benchmark.
    pub(crate) other: f64,
}

impl Reading {
    /// Reads all counters now; a process that is gone counts as 0.
    pub(crate) fn take(subjects: &Subjects, peer: Option<i32>) -> Self {
        let tree = peer.map_or(0.0, |pid| descendants(pid).into_iter().map(cpu_seconds).sum());
        let all = |pids: &[i32]| pids.iter().copied().map(cpu_seconds).sum();
        Self {
            at: Instant::now(),
            peer: tree,
            origin: all(&subjects.origin),
            destination: all(&subjects.destination),
            own: cpu_seconds(std::process::id() as i32),
            machine: machine_seconds(),
        }
    }

    /// Resources spent from `earlier` to this reading.
    pub(crate) fn since(&self, earlier: &Reading) -> Spent {
        let (peer, origin, destination) =
            (self.peer - earlier.peer, self.origin - earlier.origin, self.destination - earlier.destination);
        let known = peer + origin + destination + (self.own - earlier.own);
        Spent {
            seconds: self.at.duration_since(earlier.at).as_secs_f64(),
            peer,
            origin,
            destination,
            other: (self.machine - earlier.machine - known).max(0.0),
        }
    }
}

impl Spent {
    /// Other work as a share of all cores.
    pub(crate) fn other_share(&self) -> f64 {
        if self.seconds > 0.0 { self.other / self.seconds / cores() as f64 } else { 0.0 }
    }
}

/// Cores of this machine.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Peak resident memory of a process, bytes (`VmHWM`); `None` when it is gone.
pub(crate) fn peak_memory(pid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn tick() -> f64 {
    1.0 / rustix::param::clock_ticks_per_second() as f64
}

fn cpu_seconds(pid: i32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    process_ticks(&stat).map_or(0.0, |ticks| ticks as f64 * tick())
}

/// utime + stime, and those of children that have ended.
fn process_ticks(stat: &str) -> Option<u64> {
    // The name in parentheses may hold anything, blanks and parentheses too.
    let fields: Vec<&str> = stat[stat.rfind(')')? + 1..].split_whitespace().collect();
    (11..=14).map(|field| fields.get(field)?.parse::<u64>().ok()).sum()
}

fn machine_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    busy_ticks(&stat) as f64 * tick()
}

/// All but idle and waiting for disks; what a hypervisor took away counts as busy.
fn busy_ticks(stat: &str) -> u64 {
    let fields: Vec<u64> =
        stat.lines().next().unwrap_or_default().split_whitespace().skip(1).flat_map(str::parse).collect();
    [0, 1, 2, 5, 6, 7].into_iter().filter_map(|field| fields.get(field)).sum()
}

fn descendants(root: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if let Some(parent) = parent(&stat) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(pid) = tree.get(next).copied() {
        tree.extend(children.get(&pid).into_iter().flatten());
        next += 1;
    }
    tree
}

fn parent(stat: &str) -> Option<i32> {
    stat[stat.rfind(')')? + 1..].split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_process_name_does_not_shift_the_fields() {
        let stat = "42 (a) b (c) S 7 42 42 0 -1 4194304 100 0 0 0 31 12 5 2 20 0 1 0 100 1 1";
        assert_eq!(process_ticks(stat), Some(50));
        assert_eq!(parent(stat), Some(7));
    }

    #[test]
    fn idle_time_is_not_busy_and_stolen_time_is() {
        assert_eq!(busy_ticks("cpu  100 1 20 9999 500 3 4 7 0 0\ncpu0 1 1 1 1\n"), 135);
    }

    #[test]
    fn own_work_is_counted_and_is_not_other_work() {
        let subjects = Subjects { origin: vec![], destination: vec![] };
        let own = std::process::id() as i32;
        let before = Reading::take(&subjects, Some(own));
        let deadline = Instant::now() + std::time::Duration::from_millis(300);
        let mut spins = 0u64;
        while Instant::now() < deadline {
            spins = std::hint::black_box(spins + 1);
        }
        let spent = Reading::take(&subjects, Some(own)).since(&before);
        assert!(spent.peer > 0.05 && spent.seconds > 0.29, "{spent:?}");
        assert!(peak_memory(own).unwrap() > 1 << 20);
    }
}
