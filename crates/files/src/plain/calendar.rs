//! Given a calendar (iCalendar), gives its events with what people see of them.

use crate::pieces::Pieces;

pub fn read(text: &str, out: &mut Pieces) {
    // A line that begins with a blank goes on the one before.
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    for line in unfolded.lines() {
        let Some((name, value)) = property(line) else {
            continue;
        };
        let value = value
            .replace("\\n", "\n")
            .replace("\\N", "\n")
            .replace("\\,", ",")
            .replace("\\;", ";");
        let value = value.replace("\\\\", "\\");
        match name.to_ascii_uppercase().as_str() {
            "SUMMARY" => out.heading(2, &value),
            "X-WR-CALNAME" => out.heading(1, &value),
            "DESCRIPTION" | "COMMENT" | "X-WR-CALDESC" => out.paragraph(&value),
            "DTSTART" => out.paragraph(&format!("Start: {}", moment(&value))),
            "DTEND" | "DUE" => out.paragraph(&format!("End: {}", moment(&value))),
            "LOCATION" => out.paragraph(&format!("Location: {value}")),
            "ORGANIZER" => out.paragraph(&format!("Organizer: {}", person(line, &value))),
            "ATTENDEE" => out.paragraph(&format!("Attendee: {}", person(line, &value))),
            "CATEGORIES" => out.paragraph(&format!("Categories: {value}")),
            "URL" => out.paragraph(&value),
            _ => {}
        }
    }
}

/// A line's name without its parameters, and its value behind the first colon that no quotes hold.
fn property(line: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let colon = line.char_indices().find_map(|(at, c)| {
        if c == '"' {
            quoted = !quoted;
        }
        (c == ':' && !quoted).then_some(at)
    })?;
    let name = line[..colon].split(';').next()?;
    Some((name, &line[colon + 1..]))
}

/// `20260131T093000Z` as people read it.
fn moment(value: &str) -> String {
    let digits = |range: std::ops::Range<usize>| {
        value
            .get(range)
            .filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (Some(year), Some(month), Some(day)) = (digits(0..4), digits(4..6), digits(6..8)) else {
        return value.to_owned();
    };
    match (digits(9..11), digits(11..13)) {
        (Some(hour), Some(minute)) => format!("{year}-{month}-{day} {hour}:{minute}"),
        _ => format!("{year}-{month}-{day}"),
    }
}

/// The name that a line gives a person, or else the address.
fn person(line: &str, value: &str) -> String {
    let named = line.split(';').find_map(|parameter| parameter.strip_prefix("CN="));
    let name = named.map(|name| name.split(':').next().unwrap_or(name).trim_matches('"'));
    let address = value.trim_start_matches("mailto:").trim_start_matches("MAILTO:");
    match name {
        Some(name) if name != address => format!("{name} ({address})"),
        _ => address.to_owned(),
    }
}
