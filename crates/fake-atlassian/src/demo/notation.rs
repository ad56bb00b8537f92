//! The notation of the authored text. Given a space's text, gives its pages, parents first, and its blog posts.
//!
//! `= Title` starts a page, more `=` a deeper one, `=blog Title` a blog post. Lines `key: value` follow (`by`,
//! `editor`, `date`, `edited`, `version`, `labels`, `status`, `only`, `entities`), then an empty line and the body in
//! the notation of `markup`. Last come files, `+ name.pdf | Title | text`, and comments: `~ mara: text` below the page,
//! `~ mara on "some words" open: text` in it, `~~` and `~~~` for replies.

use super::calendar::{self, DAY_MS, between, moment, pick};
use super::people::account;
use super::{files, markup};
use crate::seed::{Readers, SeedAttachment, SeedComment, SeedPage};

/// What a space's text holds.
#[derive(Default)]
pub(super) struct Written {
    pub pages: Vec<SeedPage>,
    pub blog_posts: Vec<SeedPage>,
}

/// The highest version a page of this world has.
const VERSION_MAX: usize = 30;

/// Reads a space's text. Whoever is not named by the text is picked from the team.
pub(super) fn read(space_key: &str, text: &str, team: &[&str]) -> Written {
    let mut written = Written::default();
    // The way from the root to the page read last: the depth and the place of each.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for (heading, lines) in sections(text) {
        let (mark, title) = heading.split_once(' ').unwrap_or((heading, ""));
        let mut page = page(space_key, title.trim(), &lines, team);
        if mark == "=blog" {
            written.blog_posts.push(page);
            continue;
        }
        let depth = mark.len();
        path.retain(|(above, _)| *above < depth);
        page.parent = path.last().map(|(_, place)| *place);
        path.push((depth, written.pages.len()));
        written.pages.push(page);
    }
    written
}

/// Each heading with the lines below it. A heading inside a code block would be one too, so there is none.
fn sections(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        let is_heading =
            line.starts_with("=blog ") || line.trim_start_matches('=').starts_with(' ') && line.starts_with('=');
        match sections.last_mut() {
            _ if is_heading => sections.push((line, Vec::new())),
            Some((_, lines)) => lines.push(line),
            None => {}
        }
    }
    sections
}

fn page(space_key: &str, title: &str, lines: &[&str], team: &[&str]) -> SeedPage {
    let head_end = lines
        .iter()
        .position(|line| line.trim().is_empty())
        .unwrap_or(lines.len());
    let head = |key: &str| {
        lines[..head_end]
            .iter()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
            .map(str::trim)
    };
    let (tail, body): (Vec<&str>, Vec<&str>) = lines[head_end..]
        .iter()
        .partition(|line| line.starts_with('~') || line.starts_with("+ "));

    let seed = format!("{space_key}/{title}");
    let someone = |what: &str| account(team[pick(&format!("{seed}/{what}"), team.len())]);
    let author = head("by").map_or_else(|| someone("author"), account);
    let now = calendar::now();
    let created_at = match head("date") {
        Some(day) => moment(day, &seed),
        None => between(now - calendar::PAST_DAYS * DAY_MS, now - 5 * DAY_MS, &seed),
    };
    let edited = head("edited").map(|day| moment(day, &format!("{seed}/edited")));
    let version = match head("version").and_then(|version| version.parse().ok()) {
        Some(version) => version,
        None if edited.is_some() => 2 + pick(&format!("{seed}/version"), VERSION_MAX - 1),
        // Most pages are written once or touched a few times; a few are never left alone.
        None => 1 + pick(&format!("{seed}/version"), VERSION_MAX).min(pick(&format!("{seed}/calm"), VERSION_MAX)),
    };
    let modified_at = match edited {
        Some(at) => at,
        None if version == 1 => created_at,
        None => between(
            created_at,
            now.min(created_at + 400 * DAY_MS),
            &format!("{seed}/modified"),
        ),
    };
    let editor = match head("editor") {
        Some(handle) => account(handle),
        None if version == 1 => author.clone(),
        None => someone("editor"),
    };

    let mut body = markup::storage(&body);
    if head("entities").is_some() {
        body = markup::with_entities(&body);
    }
    let (files, remarks): (Vec<&str>, Vec<&str>) = tail.iter().partition(|line| line.starts_with('+'));
    let comments = comments(&remarks, created_at, now);
    for comment in &comments {
        markup::mark_quoted(&mut body, comment);
    }
    SeedPage {
        title: title.to_owned(),
        parent: None,
        status: head("status").unwrap_or("current").to_owned(),
        body,
        author,
        editor,
        created_at,
        modified_at,
        version: u32::try_from(version).unwrap_or(1),
        labels: head("labels")
            .map(|names| listed(&names.to_lowercase().replace(' ', "-").replace(",-", ",")))
            .unwrap_or_default(),
        restricted_to: head("only").map(readers),
        live: false,
        comments,
        attachments: files
            .iter()
            .map(|line| attachment(line, &seed, created_at, now, team))
            .collect(),
    }
}

fn listed(names: &str) -> Vec<String> {
    names
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// `leila, %board`: a person and a group.
fn readers(names: &str) -> Readers {
    let (groups, handles): (Vec<String>, Vec<String>) =
        listed(names).into_iter().partition(|name| name.starts_with('%'));
    Readers::Only {
        accounts: handles.iter().map(|handle| account(handle)).collect(),
        groups: groups
            .iter()
            .map(|group| group.trim_start_matches('%').to_owned())
            .collect(),
    }
}

/// The comments of a page, spread over the time since it was written, replies in their place.
fn comments(lines: &[&str], created_at: i64, now: i64) -> Vec<SeedComment> {
    let mut roots: Vec<SeedComment> = Vec::new();
    let step = ((now - created_at) / (lines.len() as i64 + 1)).min(9 * DAY_MS);
    for (at, line) in (1_i64..).zip(lines) {
        let text = line.trim_start_matches('~');
        let depth = line.len() - text.len();
        let mut comment = comment(text.trim(), created_at + at * step - step / 3);
        let parent = (2..depth).fold(if depth > 1 { roots.last_mut() } else { None }, |above, _| {
            above.and_then(|above| above.replies.last_mut())
        });
        match parent {
            Some(parent) => {
                comment.inline = parent.inline;
                parent.replies.push(comment);
            }
            None => roots.push(comment),
        }
    }
    roots
}

/// `mara: text` or `mara on "some words" open: text`.
fn comment(line: &str, created_at: i64) -> SeedComment {
    let (who, text) = line.split_once(": ").unwrap_or((line, ""));
    let quoted = who.split_once(" on \"").and_then(|(handle, rest)| {
        let (quoted, resolution) = rest.rsplit_once("\" ")?;
        Some((handle, quoted.to_owned(), resolution.trim().to_owned()))
    });
    let handle = quoted.as_ref().map_or(who, |(handle, ..)| handle);
    SeedComment {
        inline: quoted.is_some(),
        body: markup::storage(&[text]),
        author: account(handle.trim()),
        created_at,
        resolution: quoted.as_ref().map(|(_, _, resolution)| resolution.clone()),
        quoted: quoted.map(|(_, quoted, _)| quoted),
        replies: Vec::new(),
    }
}

/// `+ name.pdf | Title | text`.
fn attachment(line: &str, seed: &str, created_at: i64, now: i64, team: &[&str]) -> SeedAttachment {
    let mut parts = line.trim_start_matches("+ ").splitn(3, " | ").map(str::trim);
    let (name, title, text) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let seed = format!("{seed}/{name}");
    let file = files::made(name, title, text);
    SeedAttachment {
        file_name: name.to_owned(),
        media_type: file.media_type.to_owned(),
        bytes: file.bytes,
        author: account(team[pick(&seed, team.len())]),
        created_at: between(created_at, now.min(created_at + 60 * DAY_MS), &seed),
        version: 1 + u32::try_from(pick(&format!("{seed}/version"), 3)).unwrap_or(0),
        comment: (pick(&format!("{seed}/comment"), 2) == 0).then(|| title.to_owned()),
    }
}
