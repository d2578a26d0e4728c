//! Every path that a document names exists.

#![allow(clippy::unwrap_used, reason = "it is a test")]

use std::path::{Path, PathBuf};

/// Folders of the project that hold no documents of its own.
const OTHERS: [&str; 3] = ["target", "node_modules", "golden"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && !OTHERS.contains(&name) {
            documents(&path, found);
        } else if name.ends_with(".md") && name != "CHANGELOG.md" {
            found.push(path);
        }
    }
}

/// Texts between an opening and a closing mark, within a line.
fn between<'a>(line: &'a str, open: &'static str, close: char) -> impl Iterator<Item = &'a str> {
    line.split(open).skip(1).filter_map(move |rest| rest.split_once(close).map(|(inner, _)| inner))
}

/// Words between backticks.
fn code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).flat_map(str::split_whitespace)
}

/// A word names a path of the project when its first part is a folder of the project's or it is a source file.
fn is_path(word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_alphanumeric() || "._-/{},".contains(c));
    let folder = word.split_once('/').is_some_and(|(first, _)| {
        !first.is_empty() && !first.starts_with('.') && first != "target" && root().join(first).is_dir()
    });
    plain && word != "mod.rs" && (folder || word.ends_with(".rs"))
}

/// `a/{b,c}.rs` is two paths.
fn spelled_out(word: &str) -> Vec<String> {
    match word.split_once('{').and_then(|(head, rest)| Some((head, rest.split_once('}')?))) {
        Some((head, (names, tail))) => names.split(',').map(|name| format!("{head}{name}{tail}")).collect(),
        None => vec![word.trim_end_matches(['.', ',']).to_owned()],
    }
}

/// Paths in `text` that lead nowhere, with their lines.
fn missing(document: &Path, text: &str) -> Vec<String> {
    let mut missing = Vec::new();
    let mut check = |number: usize, word: &str, exists: bool| {
        if !exists {
            missing.push(format!("{}:{number}: {word}", document.display()));
        }
    };
    for (number, line) in (1..).zip(text.lines()) {
        for word in code(line).filter(|word| is_path(word)) {
            spelled_out(word).iter().for_each(|path| check(number, path, root().join(path).exists()));
        }
        for link in between(line, "](", ')').filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let file = link.split('#').next().unwrap();
            check(number, link, document.parent().unwrap().join(file).exists());
        }
        let scripts = line.split_whitespace().filter(|word| word.starts_with("scripts/"));
        for word in scripts {
            let file = word.trim_end_matches(|c: char| !c.is_alphanumeric());
            check(number, file, root().join(file).exists());
        }
    }
    missing
}

#[test]
fn paths_in_documents_exist() {
    let mut found = Vec::new();
    documents(root(), &mut found);
    assert!(found.len() > 5, "{found:?}");
    let missing: Vec<String> = found
        .iter()
        .flat_map(|document| missing(document, &std::fs::read_to_string(document).unwrap()))
        .collect();
    assert!(missing.is_empty(), "named in documents, but not there:\n{}", missing.join("\n"));
}

#[test]
fn a_path_that_is_not_there_is_found() {
    let text = "See `replicator/src/nowhere.rs`, `docs/{TESTING,NOWHERE}.md` and [this](GONE.md#part).\n    scripts/nothing 5\n";
    let found = missing(&root().join("docs/TESTING.md"), text);
    let words: Vec<&str> = found.iter().map(|line| line.rsplit(": ").next().unwrap()).collect();
    assert_eq!(words, ["replicator/src/nowhere.rs", "docs/NOWHERE.md", "GONE.md#part", "scripts/nothing"]);
}
