//! `docs/CONFIGURATION.md`, made of the table of settings. A test compares it with the file and can write it.

use std::fmt::Write as _;

use kafka_wire::settings::{KnownProperty, consumer_properties, producer_properties};

use super::known::{Effect, Flag, Kind, KnownSetting, Owner};
use super::table::{FILES, SETTINGS};

const HEAD: &str = "\
# Configuration

Every setting of `replicator`. This file is made from the table of settings (`replicator/src/config/table.rs`); a test
compares the two, and `WRITE_DOCS=1 cargo test -p replicator --lib config::document` writes it again.

Precedence: the connector's configuration that Connect holds, then a parameter on the command line, then its environment
variable, then the file that is meant for a key, then any other file that sets it, then the default. Client properties
are meant for the consumer and producer files, all others for the replication file. `replicator … --dry-run` shows every
setting with where it came from; a value that cannot be used is told with file and line, and ends the program with exit
code 78.

";

const NO_EFFECT: &str = "\
These keys are known and do nothing. A value that asks for more than what happens anyway is told when the program starts:
what is not built yet as a warning, what has no meaning here as information.

";

const CLIENTS: &str = "\
Properties of Kafka's consumers stand plain in the consumer file, those of producers in the producer file. In the replication
file and in a connector's configuration they have a prefix: `src.kafka.` or `src.consumer.` for the origin, `dest.kafka.`
or `producer.override.` for the destination. Without `dest.kafka.` settings, a connector that is posted to a worker writes to
the worker's cluster. `group.id` of the consumer is the group at the origin for which progress is committed; without it
the cluster id, or the connector's name, stands in. Other properties of Kafka's clients are accepted and without effect,
which is told unless the value is Kafka's default.

";

/// The whole document.
fn document() -> String {
    let mut text = HEAD.to_owned();
    text += "## Files\n\n| parameter | environment | without any | meaning |\n|---|---|---|---|\n";
    for file in FILES {
        row(&mut text, &[&code(&flag(file.flag)), &code(file.flag.env), &code(file.well_known), file.text]);
    }
    text += "\nThe third column names the place where a file is looked for if neither `--consumer.config` nor \
             `--producer.config` is\ngiven, as in a container; the cluster id is `replicator` then unless set.\n";
    for (group, known) in groups(has_effect) {
        let _ = write!(text, "\n## {group}\n\n| key | values | default | meaning |\n|---|---|---|---|\n");
        for known in known {
            let meaning = meaning(known);
            row(&mut text, &[&code(known.name), &values(known), &default(known), &meaning]);
        }
    }
    let _ = write!(text, "\n## Without effect\n\n{NO_EFFECT}");
    for (group, known) in groups(|known| !has_effect(known)) {
        let _ = write!(text, "### {group}\n\n| key | quiet value | meaning |\n|---|---|---|\n");
        for known in known {
            row(&mut text, &[&code(known.name), &code(known.default), &meaning(known)]);
        }
        text.push('\n');
    }
    let _ = write!(text, "## Properties of Kafka's clients\n\n{CLIENTS}");
    clients(&mut text, "The origin's consumer", consumer_properties());
    text.push('\n');
    clients(&mut text, "The destination's producer", producer_properties());
    text
}

fn has_effect(known: &KnownSetting) -> bool {
    matches!(known.effect, Effect::Works | Effect::Refused) && known.owner != Owner::Framework
}

/// Settings of the table that are wanted, by group, in the table's order.
fn groups(wanted: impl Fn(&KnownSetting) -> bool) -> Vec<(&'static str, Vec<&'static KnownSetting>)> {
    let mut groups: Vec<(&str, Vec<&KnownSetting>)> = Vec::new();
    for known in SETTINGS.iter().filter(|known| wanted(known)) {
        match groups.iter_mut().find(|(group, _)| *group == known.group) {
            Some((_, settings)) => settings.push(known),
            None => groups.push((known.group, vec![known])),
        }
    }
    groups
}

fn clients(text: &mut String, title: &str, properties: impl Iterator<Item = &'static KnownProperty>) {
    let _ = write!(text, "### {title}\n\n| property | default |\n|---|---|\n");
    for property in properties.filter(|property| property.unused_because.is_none()) {
        row(text, &[&code(property.name), &code(property.default)]);
    }
}

fn row(text: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

/// Nothing for nothing: an empty pair of backticks is not code.
fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

fn flag(flag: Flag) -> String {
    format!("--{} {}", flag.name, flag.value_name)
}

fn values(known: &KnownSetting) -> String {
    match known.kind {
        Kind::Boolean => "`true`, `false`".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::List => "list".to_owned(),
        Kind::Long(i64::MIN, i64::MAX) => "whole number".to_owned(),
        Kind::Int(low, high) | Kind::Long(low, high) if high == i64::MAX => format!("{low} or more"),
        Kind::Int(low, high) | Kind::Long(low, high) => format!("{low} to {high}"),
        Kind::Choice(names) => names.iter().map(|name| code(name)).collect::<Vec<_>>().join(", "),
        Kind::Converter => "the default only".to_owned(),
    }
}

fn default(known: &KnownSetting) -> String {
    match known.small_memory {
        Some(small) => format!("{}; {} with `small-memory`", code(known.default), code(small)),
        None => code(known.default),
    }
}

/// The text, and the parameter that sets it.
fn meaning(known: &KnownSetting) -> String {
    // A name in braces would be read as a link or lost by some readers of Markdown.
    let text = known.full_text().replace("${topic}", "`${topic}`");
    match known.flag {
        Some(set_by) => {
            format!("{text} Parameter {}, environment {}.", code(&flag(set_by)), code(set_by.env))
        }
        None => text,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// With `WRITE_DOCS` set, the file is written instead.
    #[test]
    fn the_file_is_what_the_table_says() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/CONFIGURATION.md");
        let wanted = document();
        if std::env::var_os("WRITE_DOCS").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = wanted.lines().zip(written.lines()).find(|(wanted, written)| wanted != written);
        assert!(
            written == wanted,
            "docs/CONFIGURATION.md is not what the table says, first here: {differs:?}; write it with \
             WRITE_DOCS=1 cargo test -p replicator --lib config::document"
        );
    }

    #[test]
    fn every_setting_is_told_once() {
        let text = document();
        for known in SETTINGS.iter().filter(|known| known.owner != Owner::Framework) {
            let cell = format!("| `{}` |", known.name);
            assert_eq!(text.matches(&cell).count(), 1, "{}", known.name);
        }
    }
}
