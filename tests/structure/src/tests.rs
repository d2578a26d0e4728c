//! Small trees with one thing wrong each.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use crate::{bounds, imports, tree};

/// A folder with these files.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn rings(files: &[(&str, &str)]) -> Vec<Vec<PathBuf>> {
    imports::rings(&tree::read(project(files).path(), &[]).unwrap())
}

/// Names of the figures that are above their bounds.
fn failing(files: &[(&str, &str)]) -> Vec<String> {
    let sources = tree::read(project(files).path(), &[]).unwrap();
    let verdicts = bounds::judge(&sources, &imports::rings(&sources));
    verdicts.iter().filter(|verdict| !verdict.holds()).map(|verdict| verdict.name().to_owned()).collect()
}

#[test]
fn files_that_import_each_other_are_a_ring() {
    let found = rings(&[
        ("a/src/lib.rs", "mod one; mod two; mod three;"),
        ("a/src/one.rs", "use crate::two::Two; pub struct One;"),
        ("a/src/two.rs", "use super::three::{Three, Third}; pub struct Two;"),
        ("a/src/three.rs", "use crate::one::One; pub struct Three; pub struct Third;"),
    ]);
    assert_eq!(found, [["a/src/one.rs", "a/src/three.rs", "a/src/two.rs"].map(PathBuf::from)]);
}

#[test]
fn a_child_that_uses_what_its_parent_defines_while_the_parent_uses_it_is_a_ring() {
    let parent = ("a/src/part/mod.rs", "mod child; use child::Child; pub struct Parent;");
    let child = ("a/src/part/child.rs", "use super::Parent; pub struct Child;");
    assert_eq!(rings(&[("a/src/lib.rs", "mod part;"), parent, child]).len(), 1);
}

#[test]
fn a_name_that_is_passed_on_counts_for_the_file_that_defines_it() {
    let found = rings(&[
        ("a/src/lib.rs", "mod part; pub use part::Thing;"),
        ("a/src/part/mod.rs", "mod thing; mod user; pub use self::thing::Thing; pub use user::User;"),
        ("a/src/part/thing.rs", "pub struct Thing;"),
        ("a/src/part/user.rs", "use super::Thing; use crate::Thing as Same; pub struct User;"),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn imports_of_tests_are_no_rings() {
    let one = "pub struct One; #[cfg(test)] mod tests { use crate::two::Two; }";
    let two = "use crate::one::One; pub struct Two;";
    assert!(rings(&[("a/src/lib.rs", ""), ("a/src/one.rs", one), ("a/src/two.rs", two)]).is_empty());
}

#[test]
fn each_bound_can_be_broken() {
    let long = "//! One.\n".to_owned() + &"// line\n".repeat(400);
    assert!(
        failing(&[("a/src/lib.rs", &long)])
            .contains(&"files over 400 lines that are no flat list".to_owned())
    );
    let tall = format!("fn tall() {{{}}}", "\n".repeat(24));
    assert_eq!(failing(&[("a/src/lib.rs", &tall)]), ["lines of a function, nine of ten"]);
    let opener = "//! What it is.\n\n/// Where it goes\n/// What follows is the same paragraph.\nstruct A;";
    assert_eq!(
        failing(&[("a/src/lib.rs", opener)]),
        ["doc paragraphs that open with a question word, 1/1000"]
    );
    let arms = "fn f(a: bool) -> u8 { match a { true => 1, false => 2 } }";
    assert_eq!(failing(&[("a/src/lib.rs", arms)]), ["arms of matches on booleans"]);
}

#[test]
fn tests_and_examples_are_left_out() {
    let folder = project(&[
        ("a/src/lib.rs", ""),
        ("a/src/tests.rs", ""),
        ("a/tests/it.rs", ""),
        ("tests/kit/src/lib.rs", ""),
        ("a/examples/src/one.rs", ""),
        ("b/src/lib.rs", ""),
    ]);
    let names = |folders: &[PathBuf]| {
        let sources = tree::read(folder.path(), folders).unwrap();
        sources.into_iter().map(|source| source.path).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), [Path::new("a/src/lib.rs"), Path::new("b/src/lib.rs")]);
    assert_eq!(names(&["b".into()]), [Path::new("b/src/lib.rs")]);
}
