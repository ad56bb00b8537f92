//! A searchable corpus that somebody made and named.

use crate::{Error, IndexId, Result, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub id: IndexId,
    pub name: String,
    pub description: String,
    pub created_at: Timestamp,
}

/// The longest name of an index, in characters: it must fit a tab and a breadcrumb.
pub const NAME_CHARS_MAX: usize = 100;
/// The longest description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 1_000;

/// The name without surrounding space; refused when empty or too long.
pub fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    match name.chars().count() {
        0 => Err(Error::invalid("an index needs a name")),
        n if n > NAME_CHARS_MAX => Err(Error::invalid(format!(
            "the name of an index has at most {NAME_CHARS_MAX} characters, this one has {n}"
        ))),
        _ if name.chars().any(char::is_control) => {
            Err(Error::invalid("the name of an index has no control characters"))
        }
        _ => Ok(name.to_owned()),
    }
}

/// The description without surrounding space; refused when too long.
pub fn checked_description(description: &str) -> Result<String> {
    let description = description.trim();
    match description.chars().count() {
        n if n > DESCRIPTION_CHARS_MAX => Err(Error::invalid(format!(
            "the description of an index has at most {DESCRIPTION_CHARS_MAX} characters, this one has {n}"
        ))),
        _ => Ok(description.to_owned()),
    }
}
