//! Given the words of a line, gives them in storage format.
//!
//! Marks: `**strong**`, `_emphasis_`, `` `code` ``, `@handle`, `[[Page]]`, `[[KEY:Page|words]]`, `{status:Green:DONE}`,
//! `{date:2026-03-01}`, `{emoji:warning}`, `<https://address>`.

use super::markup::escaped;
use super::people::account_of;

type RenderWords = fn(&str) -> String;

/// Marks inside a line: where each begins and ends, and who renders what is between.
const MARKS: &[(&str, &str, RenderWords)] = &[
    ("**", "**", |words| format!("<strong>{}</strong>", inline(words))),
    ("`", "`", |words| format!("<code>{}</code>", escaped(words))),
    ("[[", "]]", page_link),
    ("{status:", "}", status),
    ("{date:", "}", |day| format!("<time datetime=\"{}\"/>", escaped(day))),
    ("{emoji:", "}", |name| {
        format!(
            "<ac:emoticon ac:name=\"{0}\" ac:emoji-shortname=\":{0}:\"/>",
            escaped(name)
        )
    }),
    ("<https://", ">", |rest| {
        format!("<a href=\"https://{0}\">https://{0}</a>", escaped(rest))
    }),
];

/// The words of a line, with what is marked in them.
pub(super) fn inline(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let marked = MARKS.iter().find_map(|(begin, end, render)| {
            let (words, after) = rest.strip_prefix(begin)?.split_once(end)?;
            Some((render(words), after))
        });
        let starts_word = !before.is_alphanumeric();
        let marked = marked.or_else(|| {
            if starts_word {
                emphasis(rest).or_else(|| mention(rest))
            } else {
                None
            }
        });
        match marked {
            Some((rendered, after)) => {
                out.push_str(&rendered);
                before = ' ';
                rest = after;
            }
            None => {
                let (one, after) = rest.split_at(first.len_utf8());
                out.push_str(&escaped(one));
                before = first;
                rest = after;
            }
        }
    }
    out
}

fn emphasis(rest: &str) -> Option<(String, &str)> {
    let (words, after) = rest.strip_prefix('_')?.split_once('_')?;
    Some((format!("<em>{}</em>", inline(words)), after))
}

fn mention(rest: &str) -> Option<(String, &str)> {
    let words = rest.strip_prefix('@')?;
    let len = words
        .find(|sign: char| !sign.is_ascii_lowercase())
        .unwrap_or(words.len());
    let account_id = account_of(&words[..len])?;
    Some((
        format!("<ac:link><ri:user ri:account-id=\"{account_id}\"/></ac:link>"),
        &words[len..],
    ))
}

/// `Page`, `KEY:Page`, either with `|words`.
fn page_link(inside: &str) -> String {
    let (target, words) = inside
        .split_once('|')
        .map_or((inside, None), |(target, words)| (target, Some(words)));
    let space = target.split_once(':').filter(|(key, title)| {
        !title.starts_with(' ') && !key.is_empty() && key.chars().all(|sign| sign.is_ascii_uppercase())
    });
    let (space, title) = match space {
        Some((key, title)) => (format!(" ri:space-key=\"{key}\""), title),
        None => (String::new(), target),
    };
    let body = words
        .map(|words| format!("<ac:link-body>{}</ac:link-body>", inline(words)))
        .unwrap_or_default();
    format!(
        "<ac:link><ri:page{space} ri:content-title=\"{}\"/>{body}</ac:link>",
        escaped(title)
    )
}

/// `Green:DONE`.
fn status(inside: &str) -> String {
    let (colour, title) = inside.split_once(':').unwrap_or(("Grey", inside));
    format!(
        "<ac:structured-macro ac:name=\"status\" ac:schema-version=\"1\"><ac:parameter ac:name=\"title\">{}\
         </ac:parameter><ac:parameter ac:name=\"colour\">{}</ac:parameter></ac:structured-macro>",
        escaped(title),
        escaped(colour),
    )
}
