//! Pages by the table. Given a text with lines such as `%family == pumps`, gives the text with a page for each row of
//! that table in their place, at that depth.
//!
//! A table is one or more `%template` parts, which take turns, and a `%rows` part: a row of field names, then the
//! rows, with ` | ` between fields. `{field}` is the field's text; a line with `{field*}` is repeated for each
//! `; `-separated item; a line whose field is empty is left out.

const TABLES: &[(&str, &str)] = &[
    ("pumps", include_str!("facts/pumps.txt")),
    ("firmware", include_str!("facts/firmware.txt")),
    ("kits", include_str!("facts/kits.txt")),
    ("failures", include_str!("facts/failures.txt")),
    ("visits", include_str!("facts/visits.txt")),
    ("incidents", include_str!("facts/incidents.txt")),
    ("decisions", include_str!("facts/decisions.txt")),
    ("meetings", include_str!("facts/meetings.txt")),
    ("benches", include_str!("facts/benches.txt")),
    ("offices", include_str!("facts/offices.txt")),
    ("roles", include_str!("facts/roles.txt")),
    ("budgets", include_str!("facts/budgets.txt")),
    ("contracts", include_str!("facts/contracts.txt")),
    ("courses", include_str!("facts/courses.txt")),
    ("endpoints", include_str!("facts/endpoints.txt")),
    ("releases", include_str!("facts/releases.txt")),
];

/// The text with its families in place.
///
/// # Panics
///
/// When the authored text asks for a family that is not there.
pub(super) fn spliced(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match line.strip_prefix("%family ").and_then(|rest| rest.split_once(' ')) {
            Some((depth, name)) => match TABLES.iter().find(|(table, _)| *table == name.trim()) {
                Some((_, table)) => out.push_str(&pages(table, depth)),
                None => panic!("the demo has no family {name:?}"),
            },
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// A page for each row, its title's `=` replaced by `depth`.
fn pages(table: &str, depth: &str) -> String {
    let (templates, rows) = table.split_once("%rows\n").unwrap_or((table, ""));
    let templates: Vec<&str> = templates.split("%template\n").skip(1).collect();
    let mut rows = rows.lines().filter(|line| !line.trim().is_empty());
    let names: Vec<&str> = rows.next().unwrap_or_default().split('|').map(str::trim).collect();
    let mut out = String::new();
    for (template, row) in templates.iter().cycle().zip(rows) {
        let fields: Vec<&str> = row.split(" | ").map(str::trim).collect();
        assert_eq!(
            fields.len(),
            names.len(),
            "a row of the demo has too many fields or too few: {row}"
        );
        // A `|` of a table inside a field is written `\\|`.
        let fields: Vec<String> = fields.iter().map(|field| field.replace("\\|", "|")).collect();
        let record: Vec<(&str, &str)> = names.iter().copied().zip(fields.iter().map(String::as_str)).collect();
        for line in template.lines().flat_map(|line| filled(line, &record)) {
            match line.strip_prefix("= ") {
                Some(title) => out.push_str(&format!("{depth} {title}")),
                None => out.push_str(&line),
            }
            out.push('\n');
        }
    }
    out
}

/// A template's line with a row's fields: no line, one, or one for each item.
fn filled(line: &str, record: &[(&str, &str)]) -> Vec<String> {
    let mut lines = vec![line.to_owned()];
    for (name, value) in record {
        let each = format!("{{{name}*}}");
        let whole = format!("{{{name}}}");
        if !line.contains(&each) && !line.contains(&whole) {
            continue;
        }
        if value.is_empty() || *value == "-" {
            return Vec::new();
        }
        lines = lines
            .iter()
            .flat_map(|line| match line.contains(&each) {
                true => value.split("; ").map(|item| line.replace(&each, item)).collect(),
                false => vec![line.clone()],
            })
            .map(|line| line.replace(&whole, value))
            .collect();
    }
    lines
}
