//! Given a document's Markdown and the text of one of its passages, gives where the passage begins there. And where a long
//! text is parted.

use app::App;
use domain::{Result, document::Held};

/// A longer document's passage is given as plain text: rendering it whole for one passage costs too much.
const RENDERED_BYTES_MAX: usize = 256 << 10;
/// Letters and digits of the passage that are looked for at once: few enough to stand in one run of Markdown, enough to be
/// found nowhere else.
const WINDOW_CHARS: usize = 24;
/// Where in a passage windows begin, and how many are tried.
const WINDOWS_MAX: usize = 100;
/// In longer Markdown only the beginning is looked through, in bytes.
const LOOKED_BYTES_MAX: usize = 1 << 20;
/// So many times as long as its text a passage's Markdown may be, addresses of links and bars of tables included.
const LONGER_MAX: usize = 4;

/// The passage with this text as Markdown; what is not to be found in its document's Markdown is plain text, which is
/// Markdown too.
pub async fn rendered(app: &App, held: Held, text: &str) -> Result<String> {
    if held.document.body.text().len() > RENDERED_BYTES_MAX {
        return Ok(text.to_owned());
    }
    let markdown = app.markdown(held).await?;
    Ok(passage(&markdown, text).unwrap_or(text).to_owned())
}

/// The byte where the line, or the heading above it, begins in which the passage does. None when it is not found: then
/// reading begins at the top.
pub fn of_passage(markdown: &str, passage: &str) -> Option<usize> {
    let (begin, _) = found(markdown, passage)?;
    Some(heading_above(markdown, line_start(markdown, begin)))
}

/// The whole lines of the Markdown in which the passage stands. None when they are not found, or not together.
pub fn passage<'m>(markdown: &'m str, passage: &str) -> Option<&'m str> {
    let (begin, end) = found(markdown, passage)?;
    let begin = line_start(markdown, begin);
    let end = markdown[end..].find('\n').map_or(markdown.len(), |line| end + line);
    let lines = &markdown[begin..end];
    (lines.len() <= passage.len() * LONGER_MAX).then_some(lines)
}

/// The bytes at which the first and the last window of the passage begin that stand in the Markdown, the last behind the
/// first.
fn found(markdown: &str, passage: &str) -> Option<(usize, usize)> {
    let wanted: Vec<char> = letters(passage).map(|(_, c)| c).collect();
    let looked = &markdown[..markdown.floor_char_boundary(LOOKED_BYTES_MAX)];
    let held: Vec<(usize, char)> = letters(looked).collect();
    let place = |window: &[char], from: usize| {
        let runs = held.get(from..)?.windows(window.len());
        let runs = runs.map(|run| run.iter().map(|(_, c)| c));
        runs.enumerate()
            .find(|(_, run)| run.clone().eq(window))
            .map(|(at, _)| from + at)
    };
    let windows = wanted.chunks(WINDOW_CHARS).take(WINDOWS_MAX);
    let windows: Vec<&[char]> = windows
        .filter(|window| window.len() == WINDOW_CHARS || wanted.len() < WINDOW_CHARS)
        .collect();
    let first = windows.iter().find_map(|window| place(window, 0))?;
    // The very last letters, so that nothing of the passage's end is left out.
    let end = &wanted[wanted.len().saturating_sub(WINDOW_CHARS)..];
    let last = place(end, first).or_else(|| windows.iter().rev().find_map(|window| place(window, first)))?;
    let at = |letter: usize| held.get(letter).map(|(at, _)| *at);
    Some((at(first)?, at((last + end.len() - 1).min(held.len() - 1))?))
}

/// What both write alike: Markdown puts marks around words and escapes before signs.
fn letters(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices()
        .filter(|(_, c)| c.is_alphanumeric())
        .flat_map(|(at, c)| c.to_lowercase().map(move |c| (at, c)))
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

fn heading_above(text: &str, line: usize) -> usize {
    let above = text[..line].trim_end_matches('\n');
    let heading = line_start(text, above.len());
    match above[heading..].starts_with('#') {
        true => heading,
        false => line,
    }
}

/// The end of a part that begins at `from` and has at most so many bytes: between two blocks if there is such a place in its
/// second half, else between two lines, else between two characters.
pub fn part_end(text: &str, from: usize, bytes_max: usize) -> usize {
    let end = text.floor_char_boundary(from.saturating_add(bytes_max));
    if end >= text.len() {
        return text.len();
    }
    let half = text.ceil_char_boundary(from + (end - from) / 2);
    let second = &text[half..end];
    let blocks = second.rfind("\n\n").map(|at| half + at + 2);
    let lines = || second.rfind('\n').map(|at| half + at + 1);
    blocks.or_else(lines).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_is_found_through_the_marks_of_markdown() {
        let markdown = "# Pumps\n\nAll about them.\n\n## Steps\n\n- Close the **main** valve, then [restart](https://x.example/a) \
                        pump\\_7 and wait for a minute.\n";
        let at = of_passage(
            markdown,
            "Close the main valve, then restart pump_7 and wait for a minute.",
        )
        .unwrap();
        assert_eq!(&markdown[at..at + 8], "## Steps");
        let at = of_passage(markdown, "All about them.").unwrap();
        assert_eq!(at, 0, "below the title the title is kept");
        assert_eq!(of_passage(markdown, "Something that stands nowhere in this text"), None);
        assert_eq!(of_passage(markdown, ""), None);
    }

    #[test]
    fn parts_put_together_are_the_whole() {
        let block = "Straße nach Oslo, \u{1F600} und weiter.\n";
        let text = format!("{}\n{}{}", block.repeat(40), block.repeat(30), "ß".repeat(3_000));
        for bytes_max in [64, 333, 1_000, 5_000, 100_000] {
            let (mut from, mut together) = (0, String::new());
            while from < text.len() {
                let end = part_end(&text, from, bytes_max);
                assert!(end > from && end - from <= bytes_max, "{from}..{end}");
                together.push_str(&text[from..end]);
                from = end;
            }
            assert_eq!(together, text);
        }
    }
}
