//! Real files from words. Given a name, a title and a text, gives the bytes of a valid file of the kind its ending
//! tells.
//!
//! In the text ` / ` ends a line (or a table's row), ` // ` a slide or a page, and `, ` separates a table's cells.

mod ooxml;
mod pdf;
mod png;

/// A file and what it says it is.
pub(super) struct Made {
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// The file of that name. An ending that no writer knows gives plain text.
pub(super) fn made(name: &str, title: &str, text: &str) -> Made {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let lines: Vec<&str> = text.split(" / ").map(str::trim).collect();
    let (media_type, bytes) = match ending {
        "pdf" => ("application/pdf", pdf::written(title, &pages(text))),
        "docx" => (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            ooxml::document(title, &lines),
        ),
        "xlsx" => (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ooxml::workbook(title, &rows(&lines)),
        ),
        "pptx" => (
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            ooxml::presentation(title, &text.split(" // ").collect::<Vec<_>>()),
        ),
        "png" => ("image/png", png::painted(title, &numbers(text))),
        "csv" => ("text/csv", csv(&rows(&lines)).into_bytes()),
        _ => ("text/plain", lines.join("\n").into_bytes()),
    };
    Made { media_type, bytes }
}

/// The lines of each page.
fn pages(text: &str) -> Vec<Vec<&str>> {
    text.split(" // ")
        .map(|page| page.split(" / ").map(str::trim).collect())
        .collect()
}

fn rows<'a>(lines: &[&'a str]) -> Vec<Vec<&'a str>> {
    lines
        .iter()
        .map(|line| line.split(", ").map(str::trim).collect())
        .collect()
}

/// The numbers in a text, which a picture draws as columns.
fn numbers(text: &str) -> Vec<u32> {
    text.split(|sign: char| !sign.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

fn csv(rows: &[Vec<&str>]) -> String {
    let cell = |text: &&str| match text.contains(['"', ',', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => (*text).to_owned(),
    };
    rows.iter()
        .map(|row| row.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n")
        .collect()
}
