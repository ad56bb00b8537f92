//! Given captions (WebVTT), gives what is said, without times.

use crate::{markup::html, pieces::Pieces};

pub fn read(text: &str, out: &mut Pieces) {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut said = String::new();
    for block in unix.split("\n\n") {
        let block = block.trim();
        let first = block.lines().next().unwrap_or_default();
        if first.starts_with("STYLE") || first.starts_with("REGION") {
            continue;
        }
        if let Some(note) = block.strip_prefix("NOTE") {
            out.paragraph(note);
            continue;
        }
        if let Some(title) = first.strip_prefix("WEBVTT") {
            out.paragraph(title.trim_start_matches([' ', '-', '\u{feff}']));
        }
        // What stands before the times only names the cue.
        let lines = block.lines().skip_while(|line| !line.contains("-->")).skip(1);
        for line in lines {
            let line = spoken(line);
            if line != said {
                out.paragraph(&line);
                said = line;
            }
        }
    }
}

/// A line with its speaker before it, where `<v Name>` tells.
fn spoken(line: &str) -> String {
    let speaker = line.split("<v").nth(1).and_then(|rest| rest.split('>').next());
    let name = speaker
        .and_then(|rest| rest.split_once(' '))
        .map(|(_, name)| name.trim());
    let words = html::inline_text(line);
    match name {
        Some(name) if !name.is_empty() => format!("{name}: {words}"),
        _ => words,
    }
}
