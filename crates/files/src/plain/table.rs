//! Given values divided by commas or the like, gives rows.

use crate::pieces::Pieces;

/// How many lines tell what divides the values.
const LINES_SEEN: usize = 20;

pub fn read(text: &str, divider: Option<char>, out: &mut Pieces) {
    let (text, named) = named_divider(text);
    let divider = divider.or(named).unwrap_or_else(|| likely_divider(text));
    let mut first = true;
    rows(text, divider, |cells| {
        out.row(first, cells);
        first = false;
        !out.is_full()
    });
}

/// Excel's first line `sep=;`.
fn named_divider(text: &str) -> (&str, Option<char>) {
    let Some(rest) = text.strip_prefix("sep=") else {
        return (text, None);
    };
    let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
    (after, line.chars().next())
}

/// What stands equally often in the first lines, and most often of all that do.
fn likely_divider(text: &str) -> char {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(LINES_SEEN)
        .collect();
    let score = |divider: char| {
        let counts: Vec<usize> = lines.iter().map(|line| outside_quotes(line, divider)).collect();
        let least = counts.iter().min().copied().unwrap_or_default();
        let most = counts.iter().max().copied().unwrap_or_default();
        // Values may hold a divider now and then; a line without any is seldom a row.
        (least > 0, most > 0, least * 2 + usize::from(least == most), most)
    };
    [',', ';', '\t', '|']
        .into_iter()
        .rev()
        .max_by_key(|divider| score(*divider))
        .unwrap_or(',')
}

fn outside_quotes(line: &str, divider: char) -> usize {
    let mut quoted = false;
    let mut count = 0;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c == divider && !quoted => count += 1,
            _ => {}
        }
    }
    count
}

/// Calls with each row's cells until `take` says that it has enough. Quotes may hold dividers and lines.
pub fn rows(text: &str, divider: char, mut take: impl FnMut(Vec<String>) -> bool) {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() => {
                quoted = true;
                cell.clear();
            }
            c if quoted => cell.push(c),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' => {
                cells.push(std::mem::take(&mut cell));
                if !take(std::mem::take(&mut cells)) {
                    return;
                }
            }
            c if c == divider => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !cells.is_empty() {
        cells.push(cell);
        take(cells);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        rows(text, likely_divider(text), |cells| {
            all.push(cells);
            true
        });
        all
    }

    #[test]
    fn quotes_hold_dividers_and_lines() {
        assert_eq!(
            table("a,\"b \"\"x\"\", c\"\n1,\"two\nlines\"\n"),
            [["a", "b \"x\", c"], ["1", "two\nlines"]]
        );
    }

    #[test]
    fn what_divides_the_values_is_found_out() {
        assert_eq!(table("a;b\n1,5;2\n"), [["a", "b"], ["1,5", "2"]]);
        assert_eq!(table("a\tb\n1\t2"), [["a", "b"], ["1", "2"]]);
        assert_eq!(table("alone\n1\n"), [["alone"], ["1"]]);
    }
}
