//! The parameters of the `replicator` executable, with the environment variables that stand in for them: the table of
//! settings as the command line sees it. A setting gets a parameter there.

use std::sync::LazyLock;

use replicator::config::{FILES, FileParameter, Kind as Values, KnownSetting, SETTINGS};

/// Values that a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A properties file, with the well-known place where a container has it.
    File(&'static str),
    /// One value.
    Value,
    /// A comma-separated list; several occurrences add up.
    List,
    /// `true` or `false`; without a value, `true`.
    Switch,
}

/// One parameter.
#[derive(Debug)]
pub(super) struct Flag {
    /// Name without dashes.
    pub(super) name: &'static str,
    /// Property that it sets; for files, the name again.
    pub(super) key: &'static str,
    /// Environment variable that is read when the parameter is absent.
    pub(super) env: &'static str,
    pub(super) kind: Kind,
    pub(super) value_name: &'static str,
    pub(super) heading: &'static str,
    pub(super) help: String,
}

/// All parameters, in the order of the help: what is required, other files, and then the settings, heading by heading.
pub(super) static FLAGS: LazyLock<Vec<Flag>> = LazyLock::new(|| {
    const REQUIRED_FILES: usize = 2;
    let mut flags: Vec<Flag> = FILES.iter().map(of_file).collect();
    let heading = flags.first().map_or("", |file| file.heading);
    let mut settings: Vec<Flag> = SETTINGS.iter().filter_map(of_setting).collect();
    let headings: Vec<&str> = settings.iter().map(|flag| flag.heading).collect();
    settings.sort_by_key(|flag| headings.iter().position(|heading| *heading == flag.heading));
    let (beside_files, others): (Vec<_>, Vec<_>) =
        settings.into_iter().partition(|flag| flag.heading == heading);
    flags.splice(REQUIRED_FILES..REQUIRED_FILES, beside_files);
    flags.extend(others);
    flags
});

fn of_file(file: &'static FileParameter) -> Flag {
    let replicator::config::Flag { name, env, value_name, heading } = file.flag;
    let kind = Kind::File(file.well_known);
    Flag { name, key: name, env, kind, value_name, heading, help: file.text.to_owned() }
}

fn of_setting(known: &'static KnownSetting) -> Option<Flag> {
    let replicator::config::Flag { name, env, value_name, heading } = known.flag?;
    let kind = match known.kind {
        Values::Boolean => Kind::Switch,
        Values::List => Kind::List,
        _ => Kind::Value,
    };
    Some(Flag { name, key: known.name, env, kind, value_name, heading, help: known.help() })
}
