//! Which files import which, and the rings among them: files that cannot be understood one without the other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::source::Source;

/// Modules of one crate: its folder and the path below it.
type Module = (PathBuf, Vec<String>);

/// The files of the tree by the module that each holds.
struct Tree<'a> {
    sources: HashMap<Module, (&'a Source, NodeIndex)>,
}

/// Sets of files that import each other, the largest first. `mod` lines are no imports, and a name that a file passes on by
/// `pub use` counts for the file that it comes from.
pub(crate) fn rings(sources: &[Source]) -> Vec<Vec<PathBuf>> {
    let mut graph = DiGraph::<&Path, ()>::new();
    let tree = sources
        .iter()
        .map(|source| (module(&source.path), (source, graph.add_node(source.path.as_path()))))
        .collect();
    let tree = Tree { sources: tree };
    for (module, (source, from)) in &tree.sources {
        for import in &source.imports {
            if let Some(to) = tree.target(module, import, 0).filter(|to| to != from) {
                graph.update_edge(*from, to, ());
            }
        }
    }
    let mut rings: Vec<Vec<PathBuf>> = tarjan_scc(&graph)
        .into_iter()
        .filter(|ring| ring.len() > 1)
        .map(|ring| ring.into_iter().map(|node| graph[node].to_owned()).collect())
        .collect();
    rings.iter_mut().for_each(|ring| ring.sort());
    rings.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    rings
}

/// The module that a file holds. Each `src` folder is taken for one crate.
fn module(path: &Path) -> Module {
    let parts: Vec<String> =
        path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let src = parts.iter().position(|part| part == "src").unwrap_or_default();
    let mut inner: Vec<String> = parts[src + 1..].to_vec();
    if let Some(last) = inner.last_mut() {
        *last = last.trim_end_matches(".rs").to_owned();
    }
    if matches!(inner.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        inner.pop();
    }
    (parts[..=src].iter().collect(), inner)
}

/// Most `pub use` lines that a name is followed through.
const PASSED_ON: usize = 8;

impl Tree<'_> {
    /// The file that an import in `here` leads to: that of the longest known module, or the one from which that passes the name on.
    fn target(&self, here: &Module, import: &[String], passed: usize) -> Option<NodeIndex> {
        let (folder, inner) = here;
        let path = self.absolute(here, import)?;
        let known = (0..=path.len())
            .rev()
            .find(|length| self.sources.contains_key(&(folder.clone(), path[..*length].to_vec())))?;
        let module = (folder.clone(), path[..known].to_vec());
        let (source, node) = self.sources[&module];
        let export = path
            .get(known)
            .and_then(|name| source.exports.iter().find(|(exported, _)| exported.as_ref() == Some(name)));
        match export {
            Some((_, from)) if passed < PASSED_ON => {
                let whole: Vec<String> = from.iter().chain(&path[known + 1..]).cloned().collect();
                self.target(&module, &whole, passed + 1).or(Some(node))
            }
            _ => (path[..known] != **inner).then_some(node),
        }
    }

    /// The path of an import from the crate's root; `None` for one into another crate.
    fn absolute(&self, (folder, inner): &Module, import: &[String]) -> Option<Vec<String>> {
        let mut path = inner.clone();
        let mut rest = import;
        match import.first()?.as_str() {
            "crate" => {
                path.clear();
                rest = &import[1..];
            }
            "self" => rest = &import[1..],
            "super" => {}
            child => {
                let child: Vec<String> = inner.iter().cloned().chain([child.to_owned()]).collect();
                self.sources.get(&(folder.clone(), child))?;
            }
        }
        while rest.first().is_some_and(|segment| segment == "super") {
            path.pop();
            rest = &rest[1..];
        }
        path.extend(rest.iter().cloned());
        Some(path)
    }
}
