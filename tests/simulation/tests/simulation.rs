//! The simulation's own bars: plans pass, a number is a run, planted defects are found.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::process::{Command, Output};

const DEFECTS: [&str; 5] =
    ["commit-before-ack", "sequence-reuse", "skip-partial-batch", "merge-across-hole", "lost-wake-up"];

fn simulate(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_simulate")).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, text)
}

fn event_log(number: &str) -> Vec<u8> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_plan")).args(["--number", number, "--log"]).output().unwrap();
    assert!(output.stdout.len() > 1_000, "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn sim_two_hundred_plans_pass() {
    let (output, text) = simulate(&["200"]);
    assert!(output.status.success(), "{text}");
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("200 passed, 0 failed"), "{last}");
    let figure = |name: &str| -> u64 {
        let (before, _) = last.split_once(name).unwrap();
        before.rsplit([' ', ',']).next().unwrap().parse().unwrap()
    };
    assert!(figure(" records copied") > 20_000, "too little moved: {last}");
    assert!(figure(" faults") > 500, "too little went wrong: {last}");
}

#[test]
fn sim_a_number_is_a_run_byte_for_byte() {
    for number in ["1", "2", "3", "17", "42"] {
        let (once, again) = (event_log(number), event_log(number));
        assert!(once == again, "plan {number} differs from itself");
    }
}

#[test]
fn sim_planted_defects_are_found() {
    for defect in DEFECTS {
        let (output, text) = simulate(&["200", "--first", "--verbose", "--bug", defect]);
        assert!(!output.status.success(), "{defect} was not found:\n{text}");
        let took =
            text.lines().filter(|line| line.starts_with("passed ") || line.starts_with("FAILED ")).count();
        println!("{defect} was found by plan {took}");
    }
}
