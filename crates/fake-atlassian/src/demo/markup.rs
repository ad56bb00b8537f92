//! Given lines of light notation, gives Confluence's storage format, well formed.
//!
//! Blocks: `# heading`, `- item` (`-- nested`), `1. step`, `[ ] task`, `[x] done`, `|| head || head`, `| cell | cell`,
//! `> quote`, `---`, fenced code, `!info Title :: text` (also `tip`, `note`, `warning`), `!expand Title` to `!end`
//! (panels too, when they have no ` :: `), `!image file :: what it shows`, `!toc`, `!children`, `!raw <p/>`.
//! What may stand inside a line is in `inline`.

use super::calendar::seed_of;
use super::inline::inline;
use crate::seed::SeedComment;

const PANELS: [&str; 4] = ["info", "tip", "note", "warning"];

/// The lines as storage format.
pub(super) fn storage(lines: &[&str]) -> String {
    let mut out = String::new();
    let mut rest = lines;
    while let Some((first, after)) = rest.split_first() {
        let line = first.trim_end();
        rest = after;
        if line.is_empty() {
            continue;
        }
        if let Some(language) = line.strip_prefix("```") {
            let (code, after) = until(rest, "```");
            out.push_str(&code_block(language, &code.join("\n")));
            rest = after;
        } else if let Some(macro_line) = line.strip_prefix('!') {
            rest = macro_block(macro_line, rest, &mut out);
        } else if let Some((mark, render)) = grouped(line) {
            let len = 1 + rest.iter().take_while(|next| next.starts_with(mark)).count();
            let group: Vec<&str> = lines[lines.len() - rest.len() - 1..][..len].to_vec();
            out.push_str(&render(&group));
            rest = &rest[len - 1..];
        } else {
            out.push_str(&single(line));
        }
    }
    out
}

/// The lines before the end mark, and those after it.
fn until<'a>(lines: &'a [&'a str], end: &str) -> (&'a [&'a str], &'a [&'a str]) {
    let len = lines
        .iter()
        .position(|line| line.trim_end() == end)
        .unwrap_or(lines.len());
    (&lines[..len], lines.get(len + 1..).unwrap_or_default())
}

type RenderLines = fn(&[&str]) -> String;

/// Blocks of several lines: the mark each line begins with, and who renders them together.
fn grouped(line: &str) -> Option<(&'static str, RenderLines)> {
    let kinds: [(&'static str, RenderLines); 5] = [
        ("-", bullets),
        ("1. ", steps),
        ("[", tasks),
        ("|", table),
        ("> ", quote),
    ];
    kinds.into_iter().find(|(mark, _)| match *mark {
        "-" => line.starts_with("- "),
        "[" => line.starts_with("[ ] ") || line.starts_with("[x] "),
        mark => line.starts_with(mark),
    })
}

fn single(line: &str) -> String {
    if line == "---" {
        return "<hr/>".to_owned();
    }
    let level = line.len() - line.trim_start_matches('#').len();
    match line[level..].strip_prefix(' ') {
        Some(heading) if (1..=4).contains(&level) => format!("<h{level}>{}</h{level}>", inline(heading)),
        _ => format!("<p>{}</p>", inline(line)),
    }
}

fn bullets(lines: &[&str]) -> String {
    let mut out = String::from("<ul>");
    let mut rest = lines;
    while let Some((first, after)) = rest.split_first() {
        let nested = after.iter().take_while(|line| line.starts_with("--")).count();
        out.push_str(&format!("<li><p>{}</p>", inline(first.trim_start_matches('-').trim())));
        if nested > 0 {
            let items = after[..nested]
                .iter()
                .map(|line| format!("<li><p>{}</p></li>", inline(line[2..].trim())));
            out.push_str(&format!("<ul>{}</ul>", items.collect::<String>()));
        }
        out.push_str("</li>");
        rest = &after[nested..];
    }
    out + "</ul>"
}

fn steps(lines: &[&str]) -> String {
    let items = lines
        .iter()
        .map(|line| format!("<li><p>{}</p></li>", inline(line[3..].trim())));
    format!("<ol>{}</ol>", items.collect::<String>())
}

fn tasks(lines: &[&str]) -> String {
    let items = lines.iter().zip(1..).map(|(line, id)| {
        let status = if line.starts_with("[x]") {
            "complete"
        } else {
            "incomplete"
        };
        let words = inline(line[3..].trim());
        format!(
            "<ac:task><ac:task-id>{id}</ac:task-id><ac:task-status>{status}</ac:task-status><ac:task-body><span \
             class=\"placeholder-inline-tasks\">{words}</span></ac:task-body></ac:task>"
        )
    });
    format!("<ac:task-list>{}</ac:task-list>", items.collect::<String>())
}

fn table(lines: &[&str]) -> String {
    let rows = lines.iter().map(|line| {
        let (tag, separator) = if line.starts_with("||") {
            ("th", "||")
        } else {
            ("td", " | ")
        };
        let cells = line
            .trim_start_matches('|')
            .trim()
            .trim_end_matches('|')
            .split(separator);
        let cells = cells.map(|cell| format!("<{tag}><p>{}</p></{tag}>", inline(cell.trim())));
        format!("<tr>{}</tr>", cells.collect::<String>())
    });
    format!(
        "<table data-layout=\"default\"><tbody>{}</tbody></table>",
        rows.collect::<String>()
    )
}

fn quote(lines: &[&str]) -> String {
    let paragraphs = lines.iter().map(|line| format!("<p>{}</p>", inline(line[2..].trim())));
    format!("<blockquote>{}</blockquote>", paragraphs.collect::<String>())
}

fn code_block(language: &str, code: &str) -> String {
    format!(
        "<ac:structured-macro ac:name=\"code\" ac:schema-version=\"1\" ac:macro-id=\"{}\"><ac:parameter \
         ac:name=\"language\">{}</ac:parameter><ac:plain-text-body><![CDATA[{code}]]></ac:plain-text-body>\
         </ac:structured-macro>",
        uuid(code),
        if language.is_empty() { "text" } else { language },
    )
}

/// A line that began with `!`, and the lines it takes along. Gives the lines that are left.
fn macro_block<'a>(line: &str, rest: &'a [&'a str], out: &mut String) -> &'a [&'a str] {
    let (name, argument) = line.split_once(' ').unwrap_or((line, ""));
    match name {
        "raw" => out.push_str(argument),
        "toc" => out.push_str(
            "<ac:structured-macro ac:name=\"toc\" ac:schema-version=\"1\"><ac:parameter ac:name=\"maxLevel\">3\
             </ac:parameter></ac:structured-macro>",
        ),
        "children" => {
            out.push_str("<ac:structured-macro ac:name=\"children\" ac:schema-version=\"2\"></ac:structured-macro>");
        }
        "image" => {
            let (file, shows) = argument.split_once(" :: ").unwrap_or((argument, ""));
            out.push_str(&format!(
                "<ac:image ac:align=\"center\" ac:layout=\"center\" ac:alt=\"{shows}\"><ri:attachment \
                 ri:filename=\"{file}\"/><ac:caption><p>{shows}</p></ac:caption></ac:image>",
                shows = escaped(shows),
                file = escaped(file),
            ));
        }
        _ if name == "expand" || PANELS.contains(&name) => {
            let (title, body, rest) = match argument.split_once(" :: ") {
                Some((title, text)) => (title, storage(&[text]), rest),
                None => {
                    let (inside, after) = until(rest, "!end");
                    (argument, storage(inside), after)
                }
            };
            let title = match title.trim() {
                "" => String::new(),
                title => format!("<ac:parameter ac:name=\"title\">{}</ac:parameter>", escaped(title)),
            };
            out.push_str(&format!(
                "<ac:structured-macro ac:name=\"{name}\" ac:schema-version=\"1\" ac:macro-id=\"{}\">{title}\
                 <ac:rich-text-body>{body}</ac:rich-text-body></ac:structured-macro>",
                uuid(&body),
            ));
            return rest;
        }
        _ => out.push_str(&format!("<p>!{}</p>", inline(line))),
    }
    rest
}

/// Text as it may stand in XML, attributes included.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The same body as Confluence's older editor kept it: letters outside ASCII as named entities. Attributes are left
/// alone, as a title in a link is.
pub(super) fn with_entities(body: &str) -> String {
    const NAMED: [(char, &str); 17] = [
        ('ä', "&auml;"),
        ('ö', "&ouml;"),
        ('ü', "&uuml;"),
        ('Ä', "&Auml;"),
        ('Ö', "&Ouml;"),
        ('Ü', "&Uuml;"),
        ('ß', "&szlig;"),
        ('å', "&aring;"),
        ('Å', "&Aring;"),
        ('é', "&eacute;"),
        ('\u{a0}', "&nbsp;"),
        ('–', "&ndash;"),
        ('„', "&bdquo;"),
        ('“', "&ldquo;"),
        ('”', "&rdquo;"),
        ('°', "&deg;"),
        ('…', "&hellip;"),
    ];
    let mut in_tag = false;
    let mut out = String::with_capacity(body.len());
    for sign in body.chars() {
        in_tag = match sign {
            '<' => true,
            '>' => false,
            _ => in_tag,
        };
        match NAMED.iter().find(|(named, _)| *named == sign) {
            Some((_, entity)) if !in_tag => out.push_str(entity),
            _ => out.push(sign),
        }
    }
    out
}

/// Puts the marker of an inline comment around the words it is about, unless it lost them.
pub(super) fn mark_quoted(body: &mut String, comment: &SeedComment) {
    let Some(quoted) = comment
        .quoted
        .as_deref()
        .filter(|_| comment.resolution.as_deref() != Some("dangling"))
    else {
        return;
    };
    let quoted = escaped(quoted);
    let place = body.match_indices(&quoted).map(|(at, _)| at).find(|at| {
        let before = &body[..*at];
        let in_tag = before.rfind('<') > before.rfind('>');
        let in_title = before.ends_with("ac:name=\"title\">");
        !in_tag && !in_title
    });
    if let Some(at) = place {
        let marked = format!(
            "<ac:inline-comment-marker ac:ref=\"{}\">{quoted}</ac:inline-comment-marker>",
            uuid(&comment.body),
        );
        body.replace_range(at..at + quoted.len(), &marked);
    }
}

/// An id that looks like a UUID, always the same for a text.
fn uuid(text: &str) -> String {
    let high = seed_of(text);
    let low = seed_of(&format!("{text}/"));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff,
    )
}
