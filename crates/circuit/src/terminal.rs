//! What is printed for people. Titles and texts are from outside: nothing of them may move a cursor or change a terminal.

use std::io::{IsTerminal, Write};

/// A bar's length, in characters.
const BAR_CHARS: u64 = 24;

/// Whether standard output is a terminal.
pub fn is_seen() -> bool {
    std::io::stdout().is_terminal()
}

/// A text in one line, without anything that a terminal obeys or that turns writing around.
pub fn shown(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| is_harmless(*c)).collect()
}

/// The same for a text of several lines.
pub fn shown_lines(text: &str) -> String {
    text.chars()
        .filter(|c| *c == '\n' || *c == '\t' || is_harmless(*c))
        .collect()
}

fn is_harmless(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}');
    !c.is_control() && !turns
}

/// `████░░░░`, of a whole that may not be known.
pub fn bar(done: u64, whole: Option<u64>) -> String {
    let whole = whole.filter(|whole| *whole > 0);
    let full = whole.map_or(0, |whole| done.min(whole).saturating_mul(BAR_CHARS) / whole);
    let repeated = |c: &str, times: u64| c.repeat(usize::try_from(times).unwrap_or(0));
    format!("{}{}", repeated("█", full), repeated("░", BAR_CHARS - full))
}

/// Rows below each other, each column as wide as its widest; the last is not filled up.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

/// Prints; a reader that went away is no error.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_moves_a_cursor() {
        assert_eq!(shown("a\u{1b}[2J b\r\nc\u{202e}d\u{7}"), "a[2J b cd");
        assert_eq!(shown_lines("# A\n\u{9b}31mx\ty\r"), "# A\n31mx\ty");
    }

    #[test]
    fn a_bar_is_as_full_as_what_is_done() {
        assert_eq!(bar(1, Some(2)).chars().filter(|c| *c == '█').count(), 12);
        assert!(bar(9, Some(3)).chars().all(|c| c == '█'));
        assert!(bar(9, None).chars().all(|c| c == '░'));
        assert_eq!(bar(u64::MAX, Some(u64::MAX)).chars().count(), 24);
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [
            vec!["1".into(), "Größe".into(), "x".into()],
            vec!["22".into(), "b".into(), "".into()],
        ];
        assert_eq!(table(&rows), "1   Größe  x\n22  b\n");
    }
}
