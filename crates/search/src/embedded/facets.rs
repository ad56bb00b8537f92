//! What facets are counted by: an id and its names in one value.

/// Divides the parts; in no id and in no name that comes through our own bounds.
const DIVIDER: char = '\u{1f}';

pub fn joined<const N: usize>(parts: [&str; N]) -> String {
    let clean: Vec<String> = parts.iter().map(|part| part.replace(DIVIDER, " ")).collect();
    clean.join(&DIVIDER.to_string())
}

pub fn divided(value: &str) -> Vec<&str> {
    value.split(DIVIDER).collect()
}
