//! Given the glyphs of a page with their places, gives its text as people read it: lines, columns, tables, headings.

use super::content::Placed;
use crate::{Place, pieces::Pieces};

// Distances are measured in the size of the letters beside them.

/// A wider gap between glyphs is a blank.
const BLANK_GAP: f32 = 0.17;
/// A wider gap divides a line into parts: columns or cells.
const PART_GAP: f32 = 1.3;
/// Glyphs whose baselines differ by less stand on one line.
const BASELINE_SLACK: f32 = 0.35;
/// The same for letters of another size: what is raised or lowered, as footnotes' numbers are.
const RAISED_SLACK: f32 = 0.5;
/// A wider white strip between lines ends a block.
const BLOCK_GAP: f32 = 1.75;
/// Regions within regions beyond this are not divided.
const CUTS_MAX: u8 = 30;
/// Lines of a column of prose have at least so many characters, on average.
const PROSE_CHARS_MIN: usize = 22;

/// A part of a line without a wide gap in it.
#[derive(Clone, Debug)]
struct Part {
    text: String,
    x: f32,
    end: f32,
    y: f32,
    size: f32,
    is_bold: bool,
}

/// What stands together on a page.
#[derive(Clone, Debug)]
pub enum Block {
    Lines {
        text: String,
        size: f32,
        is_bold: bool,
        lines: usize,
    },
    Table {
        rows: Vec<Vec<String>>,
        first_bold: bool,
    },
}

/// The blocks of a page in reading order.
pub fn page(glyphs: Vec<Placed>) -> Vec<Block> {
    let mut by_turn: [Vec<Placed>; 4] = Default::default();
    for glyph in glyphs {
        by_turn[usize::from(glyph.turns % 4)].push(glyph);
    }
    // Most of a page runs one way; what is turned against it comes last.
    by_turn.sort_by_key(|glyphs| std::cmp::Reverse(glyphs.len()));
    let mut blocks = Vec::new();
    for (order, glyphs) in by_turn.into_iter().enumerate() {
        let begin = blocks.len();
        divide(parts(glyphs), 0, &mut blocks);
        // What is turned, as a stamp at the margin, heads nothing, however large.
        for block in blocks[begin..].iter_mut().filter(|_| order > 0) {
            if let Block::Lines { size, is_bold, .. } = block {
                (*size, *is_bold) = (0.0, false);
            }
        }
    }
    blocks
}

/// Glyphs in lines, and lines in parts.
fn parts(glyphs: Vec<Placed>) -> Vec<Part> {
    let mut parts = Vec::new();
    for mut line in lines(glyphs) {
        line.sort_by(|a, b| a.x.total_cmp(&b.x));
        let mut part: Option<Part> = None;
        for glyph in line {
            match &mut part {
                Some(open) if glyph.x - open.end < PART_GAP * open.size.max(glyph.size) => extend(open, glyph),
                open => {
                    parts.extend(open.take());
                    *open = Some(Part {
                        text: glyph.text,
                        x: glyph.x,
                        end: glyph.end,
                        y: glyph.y,
                        size: glyph.size,
                        is_bold: glyph.is_bold,
                    });
                }
            }
        }
        parts.extend(part);
    }
    for part in &mut parts {
        part.text = in_reading_order(&part.text);
    }
    parts.retain(|part| !part.text.trim().is_empty());
    parts
}

fn extend(part: &mut Part, glyph: Placed) {
    let size = part.size.max(glyph.size);
    // The same glyph drawn again beside itself only looks bold.
    let is_shadow = part.text.ends_with(&glyph.text)
        && glyph.text.trim() != ""
        && (glyph.end - part.end).abs() < 0.12 * size
        && glyph.x < part.end - 0.1 * size;
    if is_shadow {
        return;
    }
    let is_blank = glyph.x - part.end > BLANK_GAP * size;
    if is_blank && !part.text.ends_with(char::is_whitespace) && !glyph.text.starts_with(char::is_whitespace) {
        part.text.push(' ');
    }
    if glyph.size > part.size && !glyph.text.trim().is_empty() {
        part.size = glyph.size;
    }
    part.is_bold = part.is_bold && (glyph.is_bold || glyph.text.trim().is_empty());
    part.text.push_str(&glyph.text);
    part.end = part.end.max(glyph.end);
}

/// Glyphs by baseline, from the top down. What is raised or lowered a little goes with its line.
fn lines(mut glyphs: Vec<Placed>) -> Vec<Vec<Placed>> {
    glyphs.sort_by(|a, b| b.y.total_cmp(&a.y));
    let mut lines: Vec<Vec<Placed>> = Vec::new();
    let mut baseline = f32::MAX;
    let mut size = 0.0_f32;
    for glyph in glyphs {
        let is_raised = glyph.size > 1.2 * size || size > 1.2 * glyph.size;
        let slack = if is_raised { RAISED_SLACK } else { BASELINE_SLACK } * size.max(glyph.size);
        match lines.last_mut() {
            Some(line) if baseline - glyph.y <= slack => {
                // The larger letters hold the line.
                if glyph.size > size {
                    (baseline, size) = (glyph.y, glyph.size);
                }
                line.push(glyph);
            }
            _ => {
                (baseline, size) = (glyph.y, glyph.size);
                lines.push(vec![glyph]);
            }
        }
    }
    lines
}

/// Text that runs from right to left was put together from left to right: its words are turned around, numbers and
/// words that run the other way keep their order.
fn in_reading_order(text: &str) -> String {
    let backward = text.chars().filter(|c| runs_backward(*c)).count();
    let forward = text.chars().filter(|c| c.is_alphabetic() && !runs_backward(*c)).count();
    if backward <= forward {
        return text.to_owned();
    }
    let mut turned = String::with_capacity(text.len());
    let mut kept = String::new();
    for c in text.chars().rev() {
        if c.is_alphanumeric() && !runs_backward(c) {
            kept.push(c);
            continue;
        }
        turned.extend(kept.drain(..).rev());
        turned.push(mirrored(c));
    }
    turned.extend(kept.drain(..).rev());
    turned
}

fn runs_backward(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
        && !matches!(c, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}')
}

fn mirrored(c: char) -> char {
    match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        other => other,
    }
}

/// Divides a region where white runs through it: columns first, then blocks above each other.
fn divide(parts: Vec<Part>, cuts: u8, blocks: &mut Vec<Block>) {
    if parts.is_empty() {
        return;
    }
    if cuts < CUTS_MAX {
        if let Some((left, right)) = columns(&parts) {
            divide(left, cuts + 1, blocks);
            divide(right, cuts + 1, blocks);
            return;
        }
        let stacked = stacked(&parts);
        if stacked.len() > 1 {
            stacked.into_iter().for_each(|parts| divide(parts, cuts + 1, blocks));
            return;
        }
    }
    write_region(parts, blocks);
}

/// The parts left and right of a white strip from top to bottom, where both sides are prose: in a table the sides belong
/// together.
fn columns(parts: &[Part]) -> Option<(Vec<Part>, Vec<Part>)> {
    let mut spans: Vec<(f32, f32)> = parts.iter().map(|part| (part.x, part.end)).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut widest: Option<(f32, f32)> = None;
    let mut end = spans.first()?.1;
    for (x, span_end) in spans {
        let gap = x - end;
        if gap > 0.0 && widest.is_none_or(|(width, _)| gap > width) {
            widest = Some((gap, (x + end) / 2.0));
        }
        end = end.max(span_end);
    }
    let (gap, cut) = widest?;
    let size = median(parts.iter().map(|part| part.size));
    if gap < 0.8 * size {
        return None;
    }
    let (left, right): (Vec<Part>, Vec<Part>) = parts.iter().cloned().partition(|part| part.x < cut);
    (is_prose(&left) && is_prose(&right)).then_some((left, right))
}

/// Whether these are lines of prose: several, long ones, and close to each other as lines of one text are.
fn is_prose(parts: &[Part]) -> bool {
    let chars: usize = parts.iter().map(|part| part.text.chars().count()).sum();
    let mut rows: Vec<f32> = parts.iter().map(|part| part.y).collect();
    rows.sort_by(|a, b| b.total_cmp(a));
    rows.dedup_by(|a, b| (*a - *b).abs() < 1.0);
    let step = median(rows.windows(2).map(|pair| pair[0] - pair[1]));
    let size = median(parts.iter().map(|part| part.size));
    rows.len() >= 3 && step <= BLOCK_GAP * size && chars >= PROSE_CHARS_MIN * parts.len()
}

/// The parts between the highest white strips from side to side, from the top down. Strips that are hardly lower than the
/// highest count as it: blocks of one kind are told apart at once.
fn stacked(parts: &[Part]) -> Vec<Vec<Part>> {
    const ALIKE: f32 = 0.8;
    let mut parts = parts.to_vec();
    parts.sort_by(|a, b| b.y.total_cmp(&a.y));
    let step = |above: &Part, below: &Part| (above.y - below.y) / above.size.max(below.size).max(0.1);
    let highest = parts
        .windows(2)
        .map(|pair| step(&pair[0], &pair[1]))
        .fold(0.0, f32::max);
    let strip = (highest * ALIKE).max(BLOCK_GAP);
    let mut stacked: Vec<Vec<Part>> = Vec::new();
    for part in parts {
        match stacked.last_mut() {
            Some(block) if block.last().is_none_or(|above| step(above, &part) < strip) => block.push(part),
            _ => stacked.push(vec![part]),
        }
    }
    stacked
}

fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A region that nothing divides: paragraphs and tables.
fn write_region(parts: Vec<Part>, blocks: &mut Vec<Block>) {
    let mut lines: Vec<Vec<Part>> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if (line[0].y - part.y).abs() <= BASELINE_SLACK * line[0].size.max(part.size) => line.push(part),
            _ => lines.push(vec![part]),
        }
    }
    for line in &mut lines {
        line.sort_by(|a, b| a.x.total_cmp(&b.x));
    }
    let mut rest = lines.as_slice();
    while !rest.is_empty() {
        let table = rest.iter().take_while(|line| line.len() > 1).count();
        if table >= 2 {
            let (rows, after) = rest.split_at(table);
            blocks.push(self::table(rows));
            rest = after;
            continue;
        }
        let prose = table + rest[table..].iter().take_while(|line| line.len() == 1).count();
        let (prose, after) = rest.split_at(prose.max(1));
        paragraphs(prose, blocks);
        rest = after;
    }
}

/// Rows whose parts stand in columns: parts that overlap from row to row are one column.
fn table(rows: &[Vec<Part>]) -> Block {
    let mut columns: Vec<(f32, f32)> = rows.iter().flatten().map(|part| (part.x, part.end)).collect();
    columns.sort_by(|a, b| a.0.total_cmp(&b.0));
    columns.dedup_by(|next, column| {
        let overlaps = next.0 < column.1;
        if overlaps {
            column.1 = column.1.max(next.1);
        }
        overlaps
    });
    let cells = |row: &Vec<Part>| {
        let mut cells = vec![String::new(); columns.len()];
        for part in row {
            let column = columns
                .iter()
                .position(|(x, end)| part.x >= *x && part.x < *end)
                .unwrap_or_default();
            if !cells[column].is_empty() {
                cells[column].push(' ');
            }
            cells[column].push_str(part.text.trim());
        }
        cells
    };
    let first_bold = rows[0].iter().all(|part| part.is_bold) && !rows.iter().flatten().all(|part| part.is_bold);
    Block::Table {
        rows: rows.iter().map(cells).collect(),
        first_bold,
    }
}

/// Lines in paragraphs.
fn paragraphs(lines: &[Vec<Part>], blocks: &mut Vec<Block>) {
    let left = lines.iter().flatten().map(|part| part.x).fold(f32::MAX, f32::min);
    let right = lines.iter().flatten().map(|part| part.end).fold(f32::MIN, f32::max);
    let steps = lines.windows(2).map(|pair| pair[0][0].y - pair[1][0].y);
    let step = median(steps);
    let mut open: Option<(Block, &Part)> = None;
    for line in lines {
        let text = line.iter().map(|part| part.text.trim()).collect::<Vec<_>>().join(" ");
        let (first, last) = (&line[0], &line[line.len() - 1]);
        let goes_on = open
            .as_ref()
            .is_some_and(|(_, before)| goes_on(before, first, &text, (left, right), step));
        match (&mut open, goes_on) {
            (
                Some((
                    Block::Lines {
                        text: paragraph, lines, ..
                    },
                    before,
                )),
                true,
            ) => {
                append(paragraph, &text);
                *lines += 1;
                *before = last;
            }
            (open, _) => {
                blocks.extend(open.take().map(|(block, _)| block));
                let is_bold = line.iter().all(|part| part.is_bold);
                *open = Some((
                    Block::Lines {
                        text,
                        size: first.size,
                        is_bold,
                        lines: 1,
                    },
                    last,
                ));
            }
        }
    }
    blocks.extend(open.map(|(block, _)| block));
}

/// Whether a line goes on with the paragraph of the line before it.
fn goes_on(before: &Part, line: &Part, text: &str, (left, right): (f32, f32), step: f32) -> bool {
    let same_size = (before.size - line.size).abs() < 0.12 * before.size.max(line.size);
    let same_weight = before.is_bold == line.is_bold || !before.is_bold;
    let near = before.y - line.y < step * 1.25 + 0.5;
    // The last line of a paragraph ends early, and the first is often indented.
    let ended_early = before.end < right - 0.2 * (right - left);
    let ended = ended_early && before.text.trim_end().ends_with(['.', '!', '?', ':', '。']);
    // The lines of an item stand behind its bullet.
    let hangs = bullet(&before.text).is_some();
    let indented = !hangs && line.x > left + 0.9 * line.size && before.x < line.x - 0.9 * line.size && !ended_early;
    same_size && same_weight && near && !ended && !indented && bullet(text).is_none()
}

/// Joins a line to the text before it. A word that was divided is whole again.
fn append(paragraph: &mut String, line: &str) {
    let divided = paragraph
        .strip_suffix(['-', '\u{ad}', '‐'])
        .is_some_and(|before| before.ends_with(char::is_alphabetic))
        && line.starts_with(char::is_lowercase);
    if divided {
        paragraph.pop();
    } else if !ends_wide(paragraph) {
        paragraph.push(' ');
    }
    paragraph.push_str(line);
}

/// Scripts that put no blank between words.
fn ends_wide(text: &str) -> bool {
    text.chars()
        .next_back()
        .is_some_and(|c| matches!(c as u32, 0x3000..=0x30ff | 0x3400..=0x9fff | 0xff00..=0xff60))
}

/// The text behind the bullet or the number that an item begins with.
fn bullet(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix(['•', '●', '▪', '■', '◦', '○', '‣', '–', '➢', '✓', '·', '*', '-'])
    {
        return rest.starts_with(' ').then(|| rest.trim_start());
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let numbered =
        (1..=2).contains(&digits) && text[digits..].starts_with([')', '.']) && text[digits + 1..].starts_with(' ');
    numbered.then_some(text)
}

/// Headings are larger than the text by so much.
const HEADING_GROWTH: f32 = 1.12;
/// A longer text heads nothing, whatever its letters.
const HEADING_CHARS_MAX: usize = 200;
/// The same for one that is only bold.
const BOLD_HEADING_CHARS_MAX: usize = 90;
/// Headings that heads of more levels are told apart by.
const LEVELS_MAX: usize = 4;

/// Writes pages, each with its annotations, with headings as the whole document's sizes tell them.
pub fn write(pages: &[(Vec<Block>, Vec<String>)], out: &mut Pieces) {
    let sizes = Sizes::of(pages.iter().flat_map(|(blocks, _)| blocks));
    for (number, (blocks, annotations)) in (1..).zip(pages) {
        out.at(Some(Place::Page(number)));
        for block in blocks {
            match block {
                Block::Table { rows, first_bold } => {
                    for (index, row) in rows.iter().enumerate() {
                        out.row(index == 0 && *first_bold, row.iter().cloned());
                    }
                }
                Block::Lines {
                    text,
                    size,
                    is_bold,
                    lines,
                } => match (sizes.level(text, *size, *is_bold, *lines), bullet(text)) {
                    (Some(level), _) => out.heading(level, text),
                    (None, Some(item)) => out.item(0, item),
                    (None, None) => out.paragraph(text),
                },
            }
        }
        for annotation in annotations {
            out.paragraph(annotation);
        }
        if out.is_full() {
            break;
        }
    }
    out.at(None);
}

/// The size of a document's text, and those of its headings from the largest on. In tenths of a point.
struct Sizes {
    text: u32,
    headings: Vec<u32>,
}

fn tenths(size: f32) -> u32 {
    (size * 10.0).round().clamp(0.0, 100_000.0) as u32
}

impl Sizes {
    fn of<'a>(blocks: impl Iterator<Item = &'a Block>) -> Self {
        let mut chars = std::collections::BTreeMap::new();
        let mut heads = std::collections::BTreeSet::new();
        let mut short = Vec::new();
        for block in blocks {
            let Block::Lines { text, size, .. } = block else {
                continue;
            };
            let count = text.chars().count();
            *chars.entry(tenths(*size)).or_insert(0_usize) += count;
            if count <= HEADING_CHARS_MAX {
                short.push(tenths(*size));
            }
        }
        let text = chars
            .iter()
            .max_by_key(|(_, count)| **count)
            .map_or(0, |(size, _)| *size);
        heads.extend(
            short
                .into_iter()
                .filter(|size| *size as f32 > text as f32 * HEADING_GROWTH),
        );
        let headings = heads.into_iter().rev().take(LEVELS_MAX).collect();
        Self { text, headings }
    }

    fn level(&self, text: &str, size: f32, is_bold: bool, lines: usize) -> Option<u8> {
        let chars = text.chars().count();
        let has_letters = text.chars().any(char::is_alphabetic);
        if !has_letters || chars > HEADING_CHARS_MAX || lines > 3 {
            return None;
        }
        let size = tenths(size);
        if size as f32 > self.text as f32 * HEADING_GROWTH {
            let rank = self
                .headings
                .iter()
                .position(|known| *known <= size)
                .unwrap_or(self.headings.len());
            return u8::try_from(rank + 1).ok();
        }
        let heads = is_bold
            && lines == 1
            && chars <= BOLD_HEADING_CHARS_MAX
            && !text.trim_end().ends_with(['.', ',', ':', ';']);
        (heads && size >= self.text).then(|| (self.headings.len() as u8 + 1).min(6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, x: f32, y: f32, size: f32) -> Vec<Placed> {
        text.chars()
            .enumerate()
            .map(|(at, c)| {
                let x = x + at as f32 * size * 0.5;
                Placed {
                    text: c.to_string(),
                    x,
                    end: x + size * 0.5,
                    y,
                    size,
                    is_bold: false,
                    turns: 0,
                }
            })
            .collect()
    }

    fn texts(glyphs: Vec<Placed>) -> Vec<String> {
        let texts = page(glyphs).into_iter().map(|block| match block {
            Block::Lines { text, .. } => text,
            Block::Table { rows, .. } => rows
                .into_iter()
                .map(|row| row.join(" | "))
                .collect::<Vec<_>>()
                .join("\n"),
        });
        texts.collect()
    }

    #[test]
    fn columns_of_prose_are_read_one_after_the_other() {
        let mut glyphs = line(
            "A title over both of the columns that stand below it here",
            50.0,
            700.0,
            10.0,
        );
        for (index, y) in [660.0, 648.0, 636.0, 624.0].into_iter().enumerate() {
            glyphs.extend(line(&format!("left column line number {index} goes on"), 50.0, y, 10.0));
            glyphs.extend(line(&format!("right column line number {index} too"), 300.0, y, 10.0));
        }
        let found = texts(glyphs).join("\n");
        let last_left = found.find("left column line number 3").unwrap();
        let first_right = found.find("right column line number 0").unwrap();
        assert!(last_left < first_right, "{found}");
    }

    #[test]
    fn short_columns_side_by_side_are_a_table() {
        let mut glyphs = Vec::new();
        for (row, y) in [("Name", 700.0), ("Ann", 688.0), ("Bob", 676.0)].into_iter() {
            glyphs.extend(line(row, 50.0, y, 10.0));
            glyphs.extend(line("12", 200.0, y, 10.0));
        }
        assert_eq!(texts(glyphs), ["Name | 12\nAnn | 12\nBob | 12"]);
    }

    #[test]
    fn a_divided_word_is_whole_again() {
        let mut glyphs = line("these are words that were divi-", 50.0, 700.0, 10.0);
        glyphs.extend(line("ded at the end of a line", 50.0, 688.0, 10.0));
        assert_eq!(
            texts(glyphs),
            ["these are words that were divided at the end of a line"]
        );
    }

    #[test]
    fn text_from_right_to_left_is_turned() {
        assert_eq!(in_reading_order("ב12 א"), "א 12ב");
        assert_eq!(in_reading_order("abc"), "abc");
    }
}
