//! Given spans, gives a line of Markdown, its words escaped.

use crate::{
    People, Surroundings,
    block::{Image, Inline, Manner, Span, Style, Target},
    text::push_words,
};

/// Where the line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    Paragraph,
    /// One line, and number signs at its end mean something.
    Heading,
    /// One line, and every bar ends a cell.
    Cell,
}

pub struct Line<'a> {
    surroundings: &'a Surroundings<'a>,
    setting: Setting,
}

/// What wraps a run of spans.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrap {
    Link,
    Style(Style),
}

const WRAPS: [Wrap; 5] = [
    Wrap::Link,
    Wrap::Style(Style::STRONG),
    Wrap::Style(Style::EMPHASIS),
    Wrap::Style(Style::STRUCK),
    Wrap::Style(Style::CODE),
];

impl<'a> Line<'a> {
    pub fn new(surroundings: &'a Surroundings<'a>, setting: Setting) -> Self {
        Self { surroundings, setting }
    }

    pub fn render(&self, spans: &[Span]) -> String {
        let mut out = String::new();
        self.runs(spans, &mut out, Around::default());
        out.truncate(out.trim_end().len());
        if out.ends_with('\\') && trailing(&out, '\\') % 2 == 1 {
            // A hard break at the end of a paragraph would be a backslash.
            out.pop();
        }
        out
    }

    /// Spans as runs that share what wraps them, the longest run outermost.
    fn runs(&self, spans: &[Span], out: &mut String, around: Around) {
        let mut at = 0;
        while at < spans.len() {
            let longest = WRAPS
                .into_iter()
                .filter(|wrap| has(&spans[at].manner, *wrap))
                .map(|wrap| (run_length(&spans[at..], wrap), wrap))
                .max_by_key(|(length, wrap)| (*length, *wrap == Wrap::Link, *wrap != Wrap::Style(Style::CODE)));
            let Some((length, wrap)) = longest else {
                let next = spans.get(at + 1).map_or(around.next, first_char);
                self.single(&spans[at].inline, out, Around { next, ..around });
                at += 1;
                continue;
            };
            let run: Vec<Span> = spans[at..at + length]
                .iter()
                .map(|span| unwrapped(span, wrap))
                .collect();
            let next = spans.get(at + length).map_or(around.next, first_char);
            self.wrapped(wrap, &spans[at].manner, &run, out, Around { next, ..around });
            at += length;
        }
    }

    fn wrapped(&self, wrap: Wrap, manner: &Manner, run: &[Span], out: &mut String, around: Around) {
        match wrap {
            Wrap::Link => self.link(manner.link.as_deref(), run, out, around),
            Wrap::Style(Style::CODE) => self.code(run, out),
            Wrap::Style(Style::STRONG) => self.emphasized("**", run, out, around),
            Wrap::Style(Style::EMPHASIS) => self.emphasized("*", run, out, around),
            Wrap::Style(_) => self.emphasized("~~", run, out, around),
        }
    }

    /// The run between two marks, where CommonMark will read them as such; else without them.
    fn emphasized(&self, mark: &str, run: &[Span], out: &mut String, around: Around) {
        let mut inner = String::new();
        let inside = Around {
            begins_line: false,
            next: Some('*'),
        };
        self.runs(run, &mut inner, inside);
        let words = inner.trim();
        let before = out.chars().next_back();
        let (lead, tail) = match words.is_empty() {
            true => ("", inner.as_str()),
            false => (
                &inner[..inner.len() - inner.trim_start().len()],
                &inner[inner.trim_end().len()..],
            ),
        };
        let (blank_before, blank_after) = (!lead.is_empty(), !tail.is_empty());
        let before = if blank_before { Some(' ') } else { before };
        let after = if blank_after { Some(' ') } else { around.next };
        let sign = mark.chars().next().unwrap_or('*');
        let joins_mark = before == Some(sign) && !ends_escaped(out, sign);
        if words.is_empty() || joins_mark || !opens(before, words) || !closes(words, after) {
            // The words alone, escaped as their place in the line asks.
            return self.runs(run, out, around);
        }
        if !out.is_empty() || !around.begins_line {
            out.push_str(lead);
        }
        out.push_str(mark);
        out.push_str(words);
        out.push_str(mark);
        out.push_str(tail);
    }

    fn link(&self, target: Option<&Target>, run: &[Span], out: &mut String, around: Around) {
        let Some(address) = target.and_then(|target| self.surroundings.address(target)) else {
            return self.runs(run, out, around);
        };
        let inside = Around {
            begins_line: false,
            next: Some(']'),
        };
        let mut inner = String::new();
        self.runs(run, &mut inner, inside);
        let words = inner.trim();
        if words.is_empty() {
            return out.push_str(&inner);
        }
        if inner.starts_with(' ') && !out.is_empty() {
            out.push(' ');
        }
        let begins_line = out.is_empty() || out.ends_with('\n');
        out.push('[');
        match begins_line && closes_definition(words) {
            true => self.escape(
                plain_words(run, self.surroundings.people).trim(),
                out,
                false,
                inside.next,
            ),
            false => out.push_str(words),
        }
        out.push_str("](");
        out.push_str(&address);
        out.push(')');
        if inner.ends_with(' ') {
            out.push(' ');
        }
    }

    fn code(&self, run: &[Span], out: &mut String) {
        let text = plain_words(run, self.surroundings.people);
        let words = text.trim();
        if words.is_empty() {
            return out.push_str(&text);
        }
        if text.starts_with(' ') && !out.is_empty() {
            out.push(' ');
        }
        self.code_span(words, out);
        if text.ends_with(' ') {
            out.push(' ');
        }
    }

    fn code_span(&self, words: &str, out: &mut String) {
        if self.setting == Setting::Cell && words.contains("\\|") {
            // A bar of a cell is escaped before the code is read, and a backslash before it would be part of that.
            return self.escape(words, out, false, None);
        }
        // A backtick before it would make the fence longer than it is.
        if out.ends_with('`') && !ends_escaped(out, '`') {
            out.push(' ');
        }
        let fence = "`".repeat(super::longest_run(words, '`') + 1);
        let pad = if words.starts_with('`') || words.ends_with('`') {
            " "
        } else {
            ""
        };
        out.push_str(&fence);
        out.push_str(pad);
        match self.setting {
            Setting::Cell => out.push_str(&words.replace('|', "\\|")),
            Setting::Paragraph | Setting::Heading => out.push_str(words),
        }
        out.push_str(pad);
        out.push_str(&fence);
    }

    fn single(&self, inline: &Inline, out: &mut String, around: Around) {
        match inline {
            Inline::Words(words) => {
                let line_start = out.is_empty() || out.ends_with('\n');
                let begins_line = around.begins_line && line_start && self.setting == Setting::Paragraph;
                self.escape(words, out, begins_line, around.next);
            }
            Inline::Break => {
                out.truncate(out.trim_end_matches(' ').len());
                out.push_str(match self.setting {
                    Setting::Paragraph => "\\\n",
                    Setting::Heading => " ",
                    Setting::Cell => "<br>",
                });
            }
            Inline::Status(words) => self.code_span(words.trim(), out),
            Inline::Math(tex) => {
                let tex = tex.split_whitespace().collect::<Vec<_>>().join(" ");
                out.push('$');
                self.code_span(&tex, out);
                out.push('$');
            }
            Inline::Image(image) => self.image(image, out),
            Inline::Date(_) | Inline::Mention { .. } => {
                let mut words = String::new();
                push_words(&mut words, inline, self.surroundings.people);
                self.escape(&words, out, false, around.next);
            }
        }
    }

    fn image(&self, image: &Image, out: &mut String) {
        let target = image.target.as_deref();
        let named = || match target {
            Some(Target::Attachment { name, .. }) => Some(name.as_str()),
            _ => None,
        };
        let alt = image.alt.as_deref().or_else(named).unwrap_or_default();
        let alt = super::squeezed(alt);
        match target.and_then(|target| self.surroundings.address(target)) {
            Some(address) => {
                out.push_str("![");
                self.escape(&alt, out, false, Some(']'));
                out.push_str("](");
                out.push_str(&address);
                out.push(')');
            }
            None => self.escape(&alt, out, out.is_empty(), None),
        }
    }

    fn escape(&self, words: &str, out: &mut String, begins_line: bool, next: Option<char>) {
        let words = if begins_line { words.trim_start() } else { words };
        if begins_line {
            escape_beginning(words, out);
        }
        // What `escape_beginning` wrote is part of the words.
        let start = if begins_line { beginning_length(words) } else { 0 };
        let mut before = if start > 0 {
            words[..start].chars().next_back()
        } else {
            out.chars().next_back()
        };
        for (at, c) in words[start..].char_indices() {
            let rest = &words[start + at + c.len_utf8()..];
            let after = rest.chars().next();
            let escaped = match c {
                '\\' | '`' | '*' | '[' | ']' | '<' | '~' => true,
                '_' => {
                    !(before.is_some_and(char::is_alphanumeric) && after.or(next).is_some_and(char::is_alphanumeric))
                }
                '&' => begins_reference(rest),
                '!' => after.is_none(),
                '|' => self.setting == Setting::Cell,
                '#' => self.setting == Setting::Heading && after.is_none(),
                _ => false,
            };
            if escaped {
                out.push('\\');
            }
            out.push(c);
            before = Some(c);
        }
    }
}

/// The words of a run in one line.
fn plain_words(run: &[Span], people: &People) -> String {
    let mut text = String::new();
    for span in run {
        push_words(&mut text, &span.inline, people);
    }
    text.replace('\n', " ")
}

/// Whether these words after a bracket that begins a line could be read as the definition of a link: that is looked for
/// before code is, where nothing can be escaped.
fn closes_definition(words: &str) -> bool {
    words
        .match_indices("]:")
        .any(|(at, _)| !ends_escaped(&words[..at + 1], ']'))
}

/// Whether an ampersand before these words could begin a character reference, perhaps with words that follow them.
fn begins_reference(rest: &str) -> bool {
    let name = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
        .count();
    name == rest.len() || rest[name..].starts_with(';')
}

/// What is known of the line around a run.
#[derive(Clone, Copy, Debug)]
struct Around {
    /// Nothing but the run's own words stands before them in their line.
    begins_line: bool,
    /// What is written after the run.
    next: Option<char>,
}

impl Default for Around {
    fn default() -> Self {
        Self {
            begins_line: true,
            next: None,
        }
    }
}

/// Escapes what would make a line a heading, an item, a quote, a rule, a table or an underline.
fn escape_beginning(words: &str, out: &mut String) {
    let length = beginning_length(words);
    let beginning = &words[..length];
    match beginning.strip_suffix(['.', ')']) {
        Some(number) => {
            out.push_str(number);
            out.push('\\');
            out.push_str(&beginning[number.len()..]);
        }
        None if length > 0 => {
            out.push('\\');
            out.push_str(beginning);
        }
        None => {}
    }
}

/// How much of a line's beginning would be read as a sign, in bytes.
fn beginning_length(words: &str) -> usize {
    let mut chars = words.chars();
    let first = chars.next();
    let second = chars.next().filter(|c| !c.is_whitespace());
    let is_sign = match first {
        Some('>' | '|') => true,
        Some('+') => second.is_none(),
        Some('-') => matches!(second, None | Some('-' | '|' | ':')),
        Some('#') => matches!(second, None | Some('#')),
        Some('=') => matches!(second, None | Some('=')),
        Some(':') => second == Some('-'),
        _ => false,
    };
    if is_sign {
        return 1;
    }
    let digits = words.bytes().take_while(u8::is_ascii_digit).count();
    let is_number = (1..=9).contains(&digits) && words[digits..].starts_with(['.', ')']);
    let ends = words[digits..].chars().nth(1).is_none_or(char::is_whitespace);
    if is_number && ends { digits + 1 } else { 0 }
}

fn has(manner: &Manner, wrap: Wrap) -> bool {
    match wrap {
        Wrap::Link => manner.link.is_some(),
        Wrap::Style(style) => manner.style.has(style),
    }
}

fn run_length(spans: &[Span], wrap: Wrap) -> usize {
    let first = &spans[0].manner;
    let same = |span: &&Span| match wrap {
        // A break ends a run, for marks do not reach over lines safely.
        _ if span.inline == Inline::Break => false,
        Wrap::Link => {
            let (one, other) = (
                Manner::default().linked(first.link.clone()),
                Manner::default().linked(span.manner.link.clone()),
            );
            one.continues(&other)
        }
        Wrap::Style(style) => span.manner.style.has(style),
    };
    spans.iter().take_while(same).count().max(1)
}

fn unwrapped(span: &Span, wrap: Wrap) -> Span {
    let mut span = span.clone();
    match wrap {
        Wrap::Link => span.manner.link = None,
        Wrap::Style(style) => span.manner.style = span.manner.style.without(style),
    }
    span
}

/// The first character that a span will write, as far as emphasis next to it cares.
fn first_char(span: &Span) -> Option<char> {
    let plain = span.manner == Manner::default();
    match &span.inline {
        Inline::Words(words) if plain || words.starts_with(' ') => words.chars().next(),
        Inline::Break => Some(' '),
        _ => Some('*'),
    }
}

/// Whether a mark before these words begins something.
fn opens(before: Option<char>, words: &str) -> bool {
    let apart = before.is_none_or(|c| !c.is_alphanumeric());
    words.starts_with(char::is_alphanumeric) || apart
}

/// Whether a mark after these words ends something.
fn closes(words: &str, after: Option<char>) -> bool {
    let apart = after.is_none_or(|c| !c.is_alphanumeric());
    words.ends_with(char::is_alphanumeric) || apart
}

fn ends_escaped(text: &str, sign: char) -> bool {
    text.strip_suffix(sign)
        .is_some_and(|before| trailing(before, '\\') % 2 == 1)
}

fn trailing(text: &str, sign: char) -> usize {
    text.len() - text.trim_end_matches(sign).len()
}
