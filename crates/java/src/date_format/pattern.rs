//! Patterns taken apart into letters and literal text, and the English names of months and days.

const LETTERS: &str = "GyMdkHmsSEDFwWahKzZYuXL";

/// Names of months, from January.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Names of weekdays, from Sunday.
pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// Text that stands for itself.
    Literal(String),
    /// A letter, and how often it stands there.
    Field(char, usize),
}

/// Takes a pattern apart. The error has Java's words.
pub(super) fn compile(pattern: &str) -> Result<Vec<Item>, String> {
    let mut items: Vec<Item> = Vec::new();
    let mut quoted = false;
    let mut chars = pattern.chars().peekable();
    let literal = |items: &mut Vec<Item>, c: char| match items.last_mut() {
        Some(Item::Literal(text)) => text.push(c),
        _ => items.push(Item::Literal(c.to_string())),
    };
    while let Some(c) = chars.next() {
        match c {
            '\'' if chars.next_if_eq(&'\'').is_some() => literal(&mut items, '\''),
            '\'' => quoted = !quoted,
            c if quoted || !c.is_ascii_alphabetic() => literal(&mut items, c),
            c if LETTERS.contains(c) => {
                let mut count = 1;
                while chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                if c == 'X' && count > 3 {
                    return Err(format!("invalid ISO 8601 format: length={count}"));
                }
                items.push(Item::Field(c, count));
            }
            c => return Err(format!("Illegal pattern character '{c}'")),
        }
    }
    if quoted { Err("Unterminated quote".to_owned()) } else { Ok(items) }
}
