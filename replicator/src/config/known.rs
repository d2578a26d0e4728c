//! Columns of the table of settings; [`super::table`] has the rows.

use connect_core::api::Importance;

use super::choices::Choice;

/// One setting: all there is to say about it. Reader, REST, command line, help, documents and the share that the
/// connector gets follow from it.
#[derive(Debug)]
pub struct KnownSetting {
    /// Its name; with a trailing `*`, all names that begin so and are not in the table themselves.
    pub name: &'static str,
    /// The values that it takes.
    pub kind: Kind,
    /// The value that applies when nothing is set; without effect, the value that asks for what happens anyway and
    /// needs no notice.
    pub default: &'static str,
    /// The default with `replicator.profile=small-memory`, where that is another.
    pub small_memory: Option<&'static str>,
    /// The part that reads it.
    pub owner: Owner,
    /// Whether anything comes of it.
    pub effect: Effect,
    /// The heading under which it is documented.
    pub group: &'static str,
    /// Its importance, as Connect's REST interface has it.
    pub importance: Importance,
    /// The parameter of the command line that sets it.
    pub flag: Option<Flag>,
    /// Its meaning, for help, REST and documents. One or more sentences; of units it names all that the name lacks.
    pub text: &'static str,
}

/// A parameter of the `replicator` command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Name without dashes.
    pub name: &'static str,
    /// Environment variable that is read when the parameter is absent.
    pub env: &'static str,
    /// Stands for the value in the help.
    pub value_name: &'static str,
    /// The help's heading.
    pub heading: &'static str,
}

/// A parameter that names a properties file.
#[derive(Debug)]
pub struct FileParameter {
    /// The parameter.
    pub flag: Flag,
    /// The place where a container has the file.
    pub well_known: &'static str,
    /// Its meaning, for the help.
    pub text: &'static str,
}

/// The values that a setting takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `true` or `false`, in any case.
    Boolean,
    /// Any text that the code which uses it can make sense of.
    Text,
    /// Items separated by commas.
    List,
    /// A whole number within bounds, both included; Java's `int` as far as REST is concerned.
    Int(i64, i64),
    /// The same, as Java's `long`.
    Long(i64, i64),
    /// One of these names, in any case.
    Choice(&'static [&'static str]),
    /// The class of a converter.
    Converter,
}

impl Kind {
    /// The names of a setting of type `T`.
    pub(super) const fn choice<T: Choice>() -> Self {
        Self::Choice(T::NAMES)
    }
}

/// The part that reads a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The connector and its tasks: it stands in the connector's configuration that Connect holds.
    Connector,
    /// Like [`Self::Connector`], and defined by Connect for connectors of every class.
    AnyConnector,
    /// The connector, where its configuration has it; the executable's is its worker's group and not written there.
    Process,
    /// The worker around the connector, which gets it checked.
    Worker,
    /// The worker, which checks it itself.
    Handed,
    /// Connect itself, in configurations of connectors and tasks only. It means nothing in files.
    Framework,
    /// Nobody: leftovers in files that once meant something.
    Nobody,
}

/// Consequence of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does what its text says.
    Works,
    /// Known, wanted, and not built yet: the user is warned unless the value asks for what happens anyway.
    NotYet,
    /// Accepted and of no consequence; the text says why.
    Ignored(&'static str),
    /// Every value but one is refused: of converters, all but the byte converter.
    Refused,
}

impl KnownSetting {
    /// A row without group, flag or text, which does what it says and matters little.
    pub(super) const fn new(owner: Owner, name: &'static str, kind: Kind, default: &'static str) -> Self {
        Self {
            name,
            kind,
            default,
            small_memory: None,
            owner,
            effect: Effect::Works,
            group: "",
            importance: Importance::Low,
            flag: None,
            text: "",
        }
    }

    pub(super) const fn text(self, group: &'static str, text: &'static str) -> Self {
        Self { group, text, ..self }
    }

    pub(super) const fn effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    pub(super) const fn importance(self, importance: Importance) -> Self {
        Self { importance, ..self }
    }

    pub(super) const fn small_memory(self, default: &'static str) -> Self {
        Self { small_memory: Some(default), ..self }
    }

    pub(super) const fn flag(
        self,
        heading: &'static str,
        name: &'static str,
        env: &'static str,
        value_name: &'static str,
    ) -> Self {
        Self { flag: Some(Flag { name, env, value_name, heading }), ..self }
    }

    /// Whether the connector's configuration has it, and so every task.
    pub fn reaches_connector(&self) -> bool {
        matches!(self.owner, Owner::Connector | Owner::AnyConnector)
    }

    /// Whether the name is the beginning of names.
    pub fn is_beginning(&self) -> bool {
        self.name.ends_with('*')
    }

    /// The text for REST and documents, with what becomes of the setting if nothing does.
    pub fn full_text(&self) -> String {
        match self.effect {
            Effect::Works | Effect::Refused => self.text.to_owned(),
            Effect::NotYet => format!("{} Accepted, and without effect yet.", self.text),
            Effect::Ignored(why) => format!("{} Accepted, and without effect: {why}.", self.text),
        }
    }

    /// The text for the help: without the last period, with names and default.
    pub fn help(&self) -> String {
        let mut help = self.full_text().trim_end_matches('.').to_owned();
        if let Kind::Choice(names) = self.kind {
            help = format!("{help}: {}", names.join(" or "));
        }
        match (self.owner, self.default) {
            (Owner::Process, _) => help + " (required)",
            (_, "") => help,
            (_, default) => format!("{help} [default: {default}]"),
        }
    }
}
