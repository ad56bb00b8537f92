//! Given a macro as a page calls it, gives what a reader of the page sees of it. One table for both formats.

use std::sync::Arc;

use domain::AccountId;
use serde_json::Value;

use crate::{
    address::percent_decoded,
    block::{Block, Image, Inline, Manner, PanelKind, Span, Style, Target},
    flow::Flow,
    storage_format::{self, Reference},
};

/// A macro, its parameters and what is in it.
pub struct Call {
    name: String,
    /// It stands in the middle of a line.
    in_line: bool,
    depth: usize,
    pub parameters: Vec<Parameter>,
    /// A body that is kept verbatim.
    pub plain: Option<String>,
    /// A body of blocks.
    pub rich: Flow,
}

pub struct Parameter {
    pub name: String,
    pub value: String,
    pub target: Option<Reference>,
}

impl Call {
    pub fn new(name: &str, in_line: bool, depth: usize) -> Self {
        Self {
            name: name.trim().to_ascii_lowercase(),
            in_line,
            depth,
            parameters: Vec::new(),
            plain: None,
            rich: Flow::default(),
        }
    }

    fn parameter(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| {
            let found = self
                .parameters
                .iter()
                .find(|parameter| parameter.name.eq_ignore_ascii_case(name))?;
            Some(found.value.as_str()).filter(|value| !value.is_empty())
        })
    }

    fn reference(&self) -> Option<&Reference> {
        self.parameters.iter().find_map(|parameter| parameter.target.as_ref())
    }

    fn is_hidden(&self) -> bool {
        self.parameter(&["hidden"])
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn title(&self) -> Option<String> {
        self.parameter(&["title"]).map(str::to_owned)
    }
}

/// What a reader sees of a macro.
enum Rule {
    /// Nothing, or nothing that is in the page.
    Nothing,
    /// A list that is made when the page is shown.
    Listing(&'static str),
    /// Verbatim, in this language if the macro does not name one.
    Code(Option<&'static str>),
    Panel(PanelKind),
    Expand,
    /// The body, unless the macro hides it.
    Body,
    Status,
    Issue,
    /// Another page, or a part of it.
    Include,
    InlineMath,
    Math,
    File,
    /// Something from elsewhere, by its address.
    Embedded,
    /// A picture that is kept elsewhere, by its name.
    Diagram,
    Roadmap,
    Person,
    Html,
    /// Words beside the line.
    Footnote,
    /// What is not in the table: titles, and the body.
    Unknown,
}

fn rule(name: &str) -> Rule {
    match name {
        "toc"
        | "toc-zone"
        | "anchor"
        | "style"
        | "livesearch"
        | "pagetreesearch"
        | "create-from-template"
        | "create-space-button"
        | "scroll-bookmark"
        | "scroll-pagebreak"
        | "scroll-exportbutton"
        | "scroll-indexterm"
        | "scroll-title"
        | "scroll-pagetitle"
        | "scroll-tablelayout"
        | "display-footnotes"
        | "viewport-redirect"
        | "viewport-url-redirect"
        | "redirect"
        | "html-include"
        | "navmap"
        | "favpages"
        | "change-history"
        | "loremipsum" => Rule::Nothing,
        "children" => Rule::Listing("child pages"),
        "pagetree" | "rw-pagetree" | "content-tree" => Rule::Listing("page tree"),
        "recently-updated" | "recently-updated-dashboard" => Rule::Listing("recently updated pages"),
        "contentbylabel" | "content-report-table" | "contentbyuser" => Rule::Listing("pages by label"),
        "detailssummary" => Rule::Listing("page properties report"),
        "attachments" | "space-attachments" => Rule::Listing("attachments"),
        "gallery" => Rule::Listing("gallery of images"),
        "blog-posts" => Rule::Listing("blog posts"),
        "contributors" | "contributors-summary" => Rule::Listing("contributors"),
        "tasks-report-macro" => Rule::Listing("task report"),
        "space-details" | "spaces" => Rule::Listing("spaces"),
        "listlabels" | "popular-labels" | "related-labels" | "labels" => Rule::Listing("labels"),
        "outgoing-links" | "incoming-links" => Rule::Listing("links"),
        "code" | "paste-code-macro" | "codeblock" | "noformat" | "code-pro" | "github-code" => Rule::Code(None),
        "mermaid" | "mermaid-macro" | "mermaid-cloud" | "mermaid-diagram" => Rule::Code(Some("mermaid")),
        "plantuml" | "plantumlcloud" | "plantumlrender" => Rule::Code(Some("plantuml")),
        "graphviz" | "flowchart" | "digraph" => Rule::Code(Some("dot")),
        "markdown" | "markdown-macro" => Rule::Code(Some("markdown")),
        "sql" | "sql-query" => Rule::Code(Some("sql")),
        "info" => Rule::Panel(PanelKind::Info),
        "note" => Rule::Panel(PanelKind::Warning),
        "tip" => Rule::Panel(PanelKind::Success),
        "warning" => Rule::Panel(PanelKind::Error),
        "panel" => Rule::Panel(PanelKind::Plain),
        "expand" | "ui-expand" => Rule::Expand,
        "excerpt" | "details" | "section" | "column" => Rule::Body,
        "status" | "status-handy" | "lozenge" => Rule::Status,
        "jira" | "jiraissues" => Rule::Issue,
        "include"
        | "excerpt-include"
        | "multiexcerpt-include"
        | "multiexcerpt-include-macro"
        | "excerpt-include-plus"
        | "include-shared-block" => Rule::Include,
        "mathinline" | "eazy-math-inline" | "easy-math-inline" | "latex-inline" | "math-inline" => Rule::InlineMath,
        "mathblock" | "eazy-math-block" | "easy-math-block" | "latex" | "latex-formatting" | "math-block" | "katex" => {
            Rule::Math
        }
        "view-file" | "viewfile" | "viewpdf" | "viewdoc" | "viewxls" | "viewppt" | "multimedia" | "office-word"
        | "office-excel" | "office-powerpoint" => Rule::File,
        "widget" | "iframe" | "html-iframe" | "figma" | "video" => Rule::Embedded,
        "drawio" | "inc-drawio" | "drawio-sketch" | "gliffy" | "lucidchart" | "balsamiq" | "creately" => Rule::Diagram,
        "roadmap" => Rule::Roadmap,
        "profile" | "profile-picture" => Rule::Person,
        "html" | "html-bobswift" => Rule::Html,
        "footnote" | "cfm-footnote" | "tooltip" | "cfm-tooltip" => Rule::Footnote,
        _ => Rule::Unknown,
    }
}

/// Whether nothing is known of the macro.
pub fn is_unknown(name: &str) -> bool {
    matches!(rule(&name.trim().to_ascii_lowercase()), Rule::Unknown)
}

/// Parameters that a reader sees of a macro that nobody knows.
const SEEN_PARAMETERS: [&str; 5] = ["title", "label", "heading", "caption", "summary"];

/// The longest word that is the whole body of a macro, in bytes: a longer one is not for people.
const WORD_BYTES_MAX: usize = 400;

pub fn read(mut call: Call, flow: &mut Flow, manner: &Manner) {
    match rule(&call.name) {
        Rule::Nothing => {}
        Rule::Listing(what) => flow.block(Block::Listing(what)),
        Rule::Code(language) => code(call, language, flow),
        Rule::Panel(kind) => {
            let title = call.title();
            let blocks = body(call);
            flow.block(Block::Panel { kind, title, blocks });
        }
        Rule::Expand => {
            let title = call.title();
            let blocks = body(call);
            flow.block(Block::Expand { title, blocks });
        }
        Rule::Body if call.is_hidden() => {}
        Rule::Body => splice(call, flow),
        Rule::Status => match call.parameter(&["title", "status", ""]).map(str::to_owned) {
            Some(title) => flow.sign(Inline::Status(title), manner),
            None => splice(call, flow),
        },
        Rule::Issue => issue(&call, flow, manner),
        Rule::Include => include(&call, flow),
        Rule::InlineMath | Rule::Math => math(call, flow, manner),
        Rule::File => file(&call, flow, manner),
        Rule::Embedded => embedded(&call, flow, manner),
        Rule::Diagram => diagram(&call, flow),
        Rule::Roadmap => roadmap(call.parameter(&["source"]).unwrap_or_default(), flow),
        Rule::Person => person(&call, flow, manner),
        Rule::Html => {
            let markup = call.plain.take().unwrap_or_default();
            flow.blocks(storage_format::fragment(&markup, call.depth));
            splice(call, flow);
        }
        Rule::Footnote => footnote(call, flow, manner),
        Rule::Unknown => {
            let titles = SEEN_PARAMETERS.iter().filter_map(|name| call.parameter(&[name]));
            for title in titles.map(str::to_owned).collect::<Vec<_>>() {
                put_title(flow, &title, call.in_line, manner);
            }
            splice(call, flow);
        }
    }
}

fn put_title(flow: &mut Flow, title: &str, in_line: bool, manner: &Manner) {
    if in_line {
        flow.space();
        flow.words(title, manner);
        return flow.space();
    }
    flow.flush();
    flow.words(title, &manner.with(Style::STRONG));
    flow.flush();
}

/// What is in the macro, as blocks.
fn body(mut call: Call) -> Vec<Block> {
    if let Some(text) = call
        .plain
        .as_deref()
        .and_then(code_text)
        .filter(|text| !is_packed(text))
    {
        call.rich.flush();
        for line in text.lines() {
            call.rich.words(line, &Manner::default());
            call.rich.line_break();
        }
    }
    call.rich.finish()
}

/// What is in the macro, as if the macro were not there.
fn splice(call: Call, flow: &mut Flow) {
    let in_line = call.in_line;
    let blocks = body(call);
    match in_line {
        true => flow.within_line(blocks),
        false => flow.blocks(blocks),
    }
}

/// Text that is kept verbatim, without empty lines around it; None when there is none.
pub fn code_text(text: &str) -> Option<String> {
    let lines = text.trim_end();
    // The first line keeps its indentation.
    let first = lines.len() - lines.trim_start().len();
    let lines = &lines[lines[..first].rfind('\n').map_or(0, |at| at + 1)..];
    if lines.is_empty() {
        return None;
    }
    Some(match lines.contains('\r') {
        true => lines.replace("\r\n", "\n").replace('\r', "\n"),
        false => lines.to_owned(),
    })
}

/// Whether it is data that a macro packed for itself, such as base64.
fn is_packed(text: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_%".contains(&byte);
    text.trim().len() > WORD_BYTES_MAX && text.trim().bytes().all(sign)
}

fn code(mut call: Call, language: Option<&str>, flow: &mut Flow) {
    let named = call.parameter(&["language", "lang", "syntax"]).map(str::to_owned);
    let named = named.filter(|name| !name.eq_ignore_ascii_case("none"));
    let title = call.title();
    let plain = call.plain.take();
    let text = plain.or_else(|| call.parameter(&["code", "source", "__bodycontent"]).map(str::to_owned));
    if let Some(text) = text.as_deref().and_then(code_text) {
        flow.block(Block::Code {
            language: named.or_else(|| language.map(str::to_owned)),
            title,
            text,
        });
    } else if let Some(title) = title {
        put_title(flow, &title, false, &Manner::default());
    }
    splice(call, flow);
}

fn issue(call: &Call, flow: &mut Flow, manner: &Manner) {
    match call.parameter(&["key", "issuekey"]) {
        Some(key) => {
            let linked = manner.linked(Some(Arc::new(Target::Issue(key.to_owned()))));
            flow.words(key, &linked);
        }
        None => flow.block(Block::Listing("Jira issues")),
    }
}

fn include(call: &Call, flow: &mut Flow) {
    let target = match call.reference() {
        Some(reference) => reference.clone().target(),
        None => call.parameter(&["", "page", "pagetitle", "name"]).map(page_named),
    };
    if let Some(target) = target {
        let words = target.words().unwrap_or_default().to_owned();
        flow.block(Block::Include(vec![Span {
            inline: Inline::Words(words),
            manner: Manner::default().linked(Some(Arc::new(target))),
        }]));
    }
}

/// `Title`, or `SPACE:Title` as old pages have it.
fn page_named(name: &str) -> Target {
    let key = |space: &str| {
        !space.is_empty()
            && space
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let (space, title) = match name.split_once(':') {
        Some((space, title)) if key(space) => (Some(space.to_owned()), title),
        _ => (None, name),
    };
    Target::Page {
        space,
        title: title.to_owned(),
        id: None,
        day: None,
        anchor: None,
    }
}

fn math(mut call: Call, flow: &mut Flow, manner: &Manner) {
    let plain = call.plain.take();
    let tex = plain.or_else(|| {
        call.parameter(&["body", "equation", "formula", "latex", "math", ""])
            .map(str::to_owned)
    });
    let Some(tex) = tex.as_deref().and_then(code_text) else {
        return splice(call, flow);
    };
    let inline = call.in_line || matches!(rule(&call.name), Rule::InlineMath);
    match inline {
        true => flow.sign(Inline::Math(tex.trim().to_owned()), manner),
        false => flow.block(Block::Math(tex)),
    }
}

fn file(call: &Call, flow: &mut Flow, manner: &Manner) {
    let target = match call.reference() {
        Some(reference) => reference.clone().target(),
        None => call
            .parameter(&["name", "file", "attachment"])
            .map(|name| Target::Attachment {
                name: name.to_owned(),
                page: None,
            }),
    };
    put_link_in(flow, target, call.in_line, manner);
}

fn embedded(call: &Call, flow: &mut Flow, manner: &Manner) {
    let target = match call.reference() {
        Some(reference) => reference.clone().target(),
        None => call
            .parameter(&["url", "src", "href", ""])
            .map(|url| Target::Url(url.to_owned())),
    };
    put_link_in(flow, target, call.in_line, manner);
}

/// A link that is read as what it leads to.
pub fn put_link(flow: &mut Flow, target: Option<Target>, manner: &Manner) {
    put_link_in(flow, target, false, manner);
}

fn put_link_in(flow: &mut Flow, target: Option<Target>, in_line: bool, manner: &Manner) {
    let Some(target) = target else { return };
    let Some(words) = target.words().map(str::to_owned) else {
        return;
    };
    let linked = manner.linked(Some(Arc::new(target)));
    match in_line {
        true => flow.space(),
        false => flow.flush(),
    }
    flow.words(&words, &linked);
    match in_line {
        true => flow.space(),
        false => flow.flush(),
    }
}

fn diagram(call: &Call, flow: &mut Flow) {
    let name = call.parameter(&["diagramdisplayname", "diagramname", "displayname", "title", "name"]);
    let target = call.reference().cloned().and_then(Reference::target);
    if name.is_some() || target.is_some() {
        flow.block(Block::Figure {
            image: Image {
                alt: name.map(str::to_owned),
                target: target.map(Arc::new),
            },
            caption: Vec::new(),
        });
    }
}

fn person(call: &Call, flow: &mut Flow, manner: &Manner) {
    let (account, name) = match call.reference() {
        Some(Reference::Person { account, name }) => (account.clone(), name.clone()),
        Some(Reference::To(_)) => return,
        None => match call.parameter(&["user", "account-id"]) {
            Some(account) => (Some(AccountId::new(account)), None),
            None => return,
        },
    };
    flow.sign(Inline::Mention { account, name }, manner);
}

fn footnote(mut call: Call, flow: &mut Flow, manner: &Manner) {
    let text = call.parameter(&["text", "footnote", "content"]).map(str::to_owned);
    if let Some(text) = text {
        call.rich.space();
        call.rich.words(&text, manner);
    }
    call.in_line = true;
    let blocks = body(call);
    if blocks.is_empty() {
        return;
    }
    flow.space();
    flow.words("(", manner);
    flow.within_line(blocks);
    flow.words(")", manner);
}

/// The lanes and bars of a roadmap, which it keeps as JSON in hexadecimal: titles, what is said of them, when they begin.
fn roadmap(source: &str, flow: &mut Flow) {
    let Ok(roadmap) = serde_json::from_str::<Value>(&percent_decoded(source)) else {
        return;
    };
    let words = |of: &Value, key: &str| {
        let words = of.get(key).and_then(Value::as_str).unwrap_or_default().trim();
        (!words.is_empty()).then(|| words.to_owned())
    };
    let list = |of: &Value, key: &str| of.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(title) = words(&roadmap, "title") {
        put_title(flow, &title, false, &Manner::default());
    }
    let entry = |text: Vec<String>| vec![Block::Paragraph(vec![Span::words(text.join(", "))])];
    let mut lanes = Vec::new();
    for lane in list(&roadmap, "lanes") {
        let mut item = entry(words(&lane, "title").into_iter().collect());
        let bars: Vec<_> = list(&lane, "bars")
            .iter()
            .map(|bar| {
                let day = words(bar, "startDate").map(|start| start.chars().take(10).collect());
                entry(
                    [words(bar, "title"), day, words(bar, "description")]
                        .into_iter()
                        .flatten()
                        .collect(),
                )
            })
            .collect();
        if !bars.is_empty() {
            item.push(Block::List {
                numbered_from: None,
                items: bars,
            });
        }
        lanes.push(item);
    }
    for marker in list(&roadmap, "markers") {
        let day = words(&marker, "markerDate").map(|date| date.chars().take(10).collect());
        lanes.push(entry([words(&marker, "title"), day].into_iter().flatten().collect()));
    }
    if !lanes.is_empty() {
        flow.block(Block::List {
            numbered_from: None,
            items: lanes,
        });
    }
}
