//! Verdicts and messages of `java.util.regex`, beside ours.
#![allow(clippy::unwrap_used)]

use super::JavaRegex;

/// Each line: what, whether it matches, a name; verdicts are those of `java.util.regex`.
const VERDICTS: &str = include_str!("vectors.tsv");

#[test]
fn verdicts_are_java_s() {
    let mut checked = 0;
    let mut wrong = Vec::new();
    for line in VERDICTS.lines().filter(|line| !line.starts_with("# ")) {
        let [source, verdict, name] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns in {line:?}");
        };
        let ours = match JavaRegex::new(source) {
            Ok(regex) => regex.is_match(name).unwrap().to_string(),
            Err(error) => format!("error: {error}"),
        };
        if !ours.starts_with(verdict) {
            wrong.push(format!("{source} on {name:?}: Java {verdict}, we {ours}"));
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 100, "only {checked} vectors");
}

#[test]
fn common_mistakes_are_told_in_java_s_words() {
    for (source, message) in [
        ("*foo", "Dangling meta character '*' near index 0\n*foo\n^"),
        ("a**", "Dangling meta character '*' near index 2\na**\n  ^"),
        ("a|?", "Dangling meta character '?' near index 2\na|?\n  ^"),
        ("((a)", "Unclosed group near index 4\n((a)"),
        ("a)", "Unmatched closing ')' near index 0\na)\n^"),
        (")", "Unmatched closing ')'\n)"),
        ("[[a]", "Unclosed character class near index 3\n[[a]\n   ^"),
    ] {
        assert_eq!(JavaRegex::new(source).unwrap_err().to_string(), message);
    }
    for fine in ["a*?b++c??", "(?i)a{2}?", "(?:a|b)+", "(?)a", "(?<=a)b", "()*"] {
        assert!(JavaRegex::new(fine).is_ok(), "{fine}");
    }
}

#[test]
fn what_cannot_be_translated_is_named() {
    for (source, named) in [
        (r"(?x)a b", "(?x)"),
        (r"\p{javaMirrored}", "javaMirrored"),
        (r"\p{InGreek}", "InGreek"),
        (r"a{,3}", "{,3}"),
        (r"\y", r"\y"),
        (r"\141", "group 1"),
        (r"\N{LATIN SMALL LETTER A}", r"\N"),
        (r"\X", r"\X"),
        ("a{2}{3}", "{2}"),
        ("(?P<n>a)", "(?P"),
        ("[[:alpha:]]", "[:"),
        ("[a", "Unclosed character class"),
    ] {
        let error = JavaRegex::new(source).unwrap_err().to_string();
        assert!(error.contains(named), "{source}: {error}");
    }
}
