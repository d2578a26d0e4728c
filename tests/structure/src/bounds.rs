//! The bounds of CONTRIBUTING.md and what the tree says to them.

use std::fmt;
use std::path::PathBuf;

use crate::source::{Function, Source};

/// Most rings of imports, and most files in one of them.
const RINGS: usize = 6;
const RING_FILES: usize = 6;
/// Lines of a file: the median, nine of ten, and every one that is not a flat list.
const FILE_P50: usize = 110;
const FILE_P90: usize = 260;
const FILE_MOST: usize = 400;
/// Lines of nine functions of ten.
const FUNCTION_P90: usize = 23;
/// Doc paragraphs that open with a question word, in thousandths.
const OPENERS: usize = 20;

/// Files that are one flat list, and so may be as long as the list is.
const FLAT_LISTS: [&str; 1] = ["replicator/src/config/table.rs"];

/// One figure beside its bound, with the places that are over it.
pub(crate) struct Verdict {
    name: &'static str,
    figure: usize,
    bound: usize,
    places: Vec<String>,
}

impl Verdict {
    /// The figure's name.
    #[cfg(test)]
    pub(crate) fn name(&self) -> &str {
        self.name
    }

    /// Whether the figure is within its bound.
    pub(crate) fn holds(&self) -> bool {
        self.figure <= self.bound
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, figure, bound, .. } = self;
        let sign = if self.holds() { ' ' } else { '!' };
        write!(f, "{sign} {name:<52} {figure:>6} (at most {bound})")?;
        self.places.iter().try_for_each(|place| write!(f, "\n      {place}"))
    }
}

/// Every figure of the tree.
pub(crate) fn judge(sources: &[Source], rings: &[Vec<PathBuf>]) -> Vec<Verdict> {
    let verdict = |name, figure, bound, places| Verdict { name, figure, bound, places };
    let files: Vec<usize> = sources.iter().map(|source| source.lines).collect();
    let functions: Vec<usize> =
        sources.iter().flat_map(|source| &source.functions).map(|function| function.lines).collect();
    let paragraphs: usize = sources.iter().map(|source| source.doc_paragraphs).sum();
    let openers = places(sources, |source| &source.openers);
    let arms = places(sources, |source| &source.bool_arms);
    let long = long_files(sources);
    let ring = |ring: &Vec<PathBuf>| {
        let names: Vec<_> = ring.iter().map(|path| path.display().to_string()).collect();
        format!("{}: {}", ring.len(), names.join(" "))
    };
    vec![
        verdict("rings of imports", rings.len(), RINGS, rings.iter().map(ring).collect()),
        verdict(
            "files in the largest ring",
            rings.iter().map(Vec::len).max().unwrap_or(0),
            RING_FILES,
            Vec::new(),
        ),
        verdict("lines of a file, median", percentile(files.clone(), 50), FILE_P50, Vec::new()),
        verdict("lines of a file, nine of ten", percentile(files, 90), FILE_P90, Vec::new()),
        verdict("files over 400 lines that are no flat list", long.len(), 0, long),
        verdict(
            "lines of a function, nine of ten",
            percentile(functions, 90),
            FUNCTION_P90,
            longest(sources),
        ),
        verdict(
            "doc paragraphs that open with a question word, 1/1000",
            openers.len() * 1000 / paragraphs.max(1),
            OPENERS,
            openers,
        ),
        verdict("arms of matches on booleans", arms.len(), 0, arms),
    ]
}

/// The value that `percent` of the values do not exceed.
fn percentile(mut values: Vec<usize>, percent: usize) -> usize {
    values.sort_unstable();
    values.get((values.len() * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0)
}

fn places(sources: &[Source], lines: impl Fn(&Source) -> &Vec<usize>) -> Vec<String> {
    let of = |source: &Source| {
        let numbers: Vec<String> = lines(source).iter().map(ToString::to_string).collect();
        (!numbers.is_empty())
            .then(|| numbers.iter().map(|n| format!("{}:{n}", source.path.display())).collect::<Vec<_>>())
    };
    sources.iter().filter_map(of).flatten().collect()
}

fn long_files(sources: &[Source]) -> Vec<String> {
    let long = |source: &&Source| {
        source.lines > FILE_MOST && !FLAT_LISTS.iter().any(|list| source.path.as_os_str() == *list)
    };
    sources.iter().filter(long).map(|source| format!("{} {}", source.path.display(), source.lines)).collect()
}

/// The ten longest functions, for information.
fn longest(sources: &[Source]) -> Vec<String> {
    let mut all: Vec<(&Source, &Function)> = sources
        .iter()
        .flat_map(|source| source.functions.iter().map(move |function| (source, function)))
        .collect();
    all.sort_by_key(|(_, function)| std::cmp::Reverse(function.lines));
    let line = |(source, function): &(&Source, &Function)| {
        format!("{}:{} {} {}", source.path.display(), function.line, function.name, function.lines)
    };
    all.iter().take(10).map(line).collect()
}
