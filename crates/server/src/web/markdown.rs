//! Given a document's Markdown, gives HTML that is safe to show: made of a few elements only, whatever the text holds.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
};

use app::reading::Heading;
use domain::{DocumentId, IndexId};
use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use url::form_urlencoded;

/// The most of a document's Markdown that one page shows, in bytes: about as long as a novel. A browser lays that out in
/// some seconds, on a phone too.
pub const SHOWN_BYTES_MAX: usize = 512 << 10;
/// Headings in the outline; a longer one is no help.
pub const OUTLINE_MAX: usize = 200;
/// Deeper headings of a page look alike.
const LEVEL_MAX: usize = 6;
/// The page's own headings stand below the app's, which has one `h1`.
const LEVEL_BELOW: usize = 1;
/// Elements within one another; deeper ones are left out and their text stays.
const DEPTH_MAX: usize = 100;
/// The longest anchor that becomes an id, in bytes, as in the addresses of hits.
const ANCHOR_BYTES_MAX: usize = 500;
/// Ids of the page around the text.
const TAKEN: [&str; 4] = ["main", "about.", "attachments.", "comments."];

/// What is known of a text beside itself.
pub struct Known<'a> {
    pub index: IndexId,
    /// Its headings, in order, with the ids that they get.
    pub outline: &'a [Heading],
    /// Addresses that lead to a document of the index.
    pub links: &'a BTreeMap<String, DocumentId>,
}

/// A document as a page shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub html: String,
    pub outline: Vec<Entry>,
    /// The end of the text is left out.
    pub is_cut: bool,
}

/// A heading in the outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its element's: 2 to 6.
    pub level: usize,
    pub text: String,
    /// Leads to it, from this page.
    pub link: String,
}

/// Reads CommonMark with tables, struck text and tasks. Raw HTML is shown as text; links lead to http, https and mailto, to
/// places of this page and to documents of the index; images are their words.
pub fn shown(markdown: &str, known: &Known<'_>) -> Shown {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let (text, is_cut) = beginning(markdown);
    let mut page = Writer::new(known);
    for event in Parser::new_ext(text, options) {
        page.event(event);
    }
    Shown { is_cut, ..page.shown }
}

/// As much as is shown, to the end of a block; whether anything is left out.
fn beginning(markdown: &str) -> (&str, bool) {
    if markdown.len() <= SHOWN_BYTES_MAX {
        return (markdown, false);
    }
    let begun = &markdown[..markdown.floor_char_boundary(SHOWN_BYTES_MAX)];
    let end = begun.rfind("\n\n").or_else(|| begun.rfind('\n')).unwrap_or(begun.len());
    (&begun[..end], true)
}

struct Writer<'a> {
    known: &'a Known<'a>,
    shown: Shown,
    /// The closing tags of what is open; none for what was left out.
    open: Vec<Option<&'static str>>,
    /// Within a heading: where its HTML begins, its level and its text.
    heading: Option<(usize, usize, String)>,
    /// The level of the heading before; the title's at first.
    level: usize,
    anchors: Anchors<'a>,
    alignments: Vec<Alignment>,
    column: usize,
    /// Within the head of a table: where its HTML begins, and whether it has words.
    head: Option<(usize, bool)>,
    in_link: bool,
}

impl<'a> Writer<'a> {
    fn new(known: &'a Known<'a>) -> Self {
        Self {
            known,
            shown: Shown::default(),
            open: Vec::new(),
            heading: None,
            level: LEVEL_BELOW,
            anchors: Anchors::new(known.outline),
            alignments: Vec::new(),
            column: 0,
            head: None,
            in_link: false,
        }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            // Our own sign for a new line in a cell.
            Event::InlineHtml(html) if &*html == "<br>" => self.push("<br>"),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Code(text) => {
                self.push("<code>");
                self.text(&text);
                self.push("</code>");
            }
            Event::SoftBreak => self.push("\n"),
            Event::HardBreak => self.push("<br>"),
            Event::Rule => self.push("<hr>"),
            Event::TaskListMarker(done) => self.push(match done {
                true => "<input type=\"checkbox\" disabled checked aria-label=\"Done\"> ",
                false => "<input type=\"checkbox\" disabled aria-label=\"To do\"> ",
            }),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text),
            Event::FootnoteReference(name) => self.text(&name),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        if self.open.len() >= DEPTH_MAX {
            return self.open.push(None);
        }
        match tag {
            Tag::Paragraph => self.element("<p>", "</p>"),
            Tag::Heading { level, .. } => {
                // Who listens to a page is told of each level: none is passed over.
                self.level = (number(level) + LEVEL_BELOW).min(self.level + 1).min(LEVEL_MAX);
                self.heading = Some((self.shown.html.len(), self.level, String::new()));
                self.open.push(None);
            }
            Tag::BlockQuote(_) => self.element("<blockquote>", "</blockquote>"),
            Tag::CodeBlock(kind) => self.code(&kind),
            Tag::List(None) => self.element("<ul>", "</ul>"),
            Tag::List(Some(first)) => {
                let _ = write!(self.shown.html, "<ol start=\"{first}\">");
                self.open.push(Some("</ol>"));
            }
            Tag::Item => self.element("<li>", "</li>"),
            Tag::Table(alignments) => {
                self.alignments = alignments;
                let opening = "<div class=\"scroll\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table>";
                self.element(opening, "</tbody></table></div>");
            }
            Tag::TableHead => {
                (self.head, self.column) = (Some((self.shown.html.len(), false)), 0);
                self.element("<thead><tr>", "</tr></thead>");
            }
            Tag::TableRow => {
                self.column = 0;
                self.element("<tr>", "</tr>");
            }
            Tag::TableCell => self.cell(),
            Tag::Emphasis => self.element("<em>", "</em>"),
            Tag::Strong => self.element("<strong>", "</strong>"),
            Tag::Strikethrough => self.element("<del>", "</del>"),
            Tag::Link { dest_url, .. } => self.link(&dest_url),
            Tag::Image { dest_url, .. } => self.image(&dest_url),
            Tag::HtmlBlock
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => self.open.push(None),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        let closing = self.open.pop().flatten();
        match tag {
            TagEnd::Heading(_) => self.end_heading(),
            TagEnd::TableHead => self.end_head(closing),
            TagEnd::Link => {
                self.in_link = false;
                self.push(closing.unwrap_or_default());
            }
            _ => self.push(closing.unwrap_or_default()),
        }
    }

    fn code(&mut self, kind: &CodeBlockKind<'_>) {
        let language = match kind {
            CodeBlockKind::Fenced(language) => &**language,
            CodeBlockKind::Indented => "",
        };
        self.push("<div class=\"code\">");
        if !language.is_empty() {
            self.push("<span class=\"language\">");
            self.escaped(language);
            self.push("</span>");
        }
        let opening = "<pre role=\"group\" aria-label=\"Code\" tabindex=\"0\"><code>";
        self.element(opening, "</code></pre></div>");
    }

    fn end_heading(&mut self) {
        let Some((from, level, text)) = self.heading.take() else {
            return;
        };
        let inner = self.shown.html.split_off(from);
        let Some(anchor) = self.anchors.of(&text) else {
            let _ = write!(self.shown.html, "<h{level}>{inner}</h{level}>");
            return;
        };
        let id = match TAKEN.contains(&anchor) {
            true => format!("{anchor}."),
            false => anchor.to_owned(),
        };
        let _ = write!(self.shown.html, "<h{level} id=\"");
        self.escaped(&id);
        let _ = write!(self.shown.html, "\">{inner}</h{level}>");
        self.shown.outline.push(Entry {
            level,
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            link: format!("#{}", encoded(&id)),
        });
    }

    /// A head without words is one that Markdown asks for and the page does not have.
    fn end_head(&mut self, closing: Option<&'static str>) {
        let Some(closing) = closing else { return };
        match self.head.take() {
            Some((from, false)) => self.shown.html.truncate(from),
            Some((_, true)) | None => self.push(closing),
        }
        self.push("<tbody>");
    }

    fn cell(&mut self) {
        let (opening, closing) = match self.head {
            Some(_) => ("<th scope=\"col\"", "</th>"),
            None => ("<td", "</td>"),
        };
        let side = match self.alignments.get(self.column) {
            Some(Alignment::Right) => " class=\"right\"",
            Some(Alignment::Center) => " class=\"centre\"",
            Some(Alignment::Left | Alignment::None) | None => "",
        };
        self.column += 1;
        let _ = write!(self.shown.html, "{opening}{side}>");
        self.open.push(Some(closing));
    }

    fn link(&mut self, to: &str) {
        let here = self.known.links.get(to);
        let (to, attributes) = match here {
            Some(document) => {
                let place = to
                    .split_once('#')
                    .map_or(String::new(), |(_, place)| format!("#{place}"));
                let index = self.known.index;
                (format!("/indexes/{index}/documents/{document}{place}"), "")
            }
            None if to.len() > 1 && to.starts_with('#') => (to.to_owned(), ""),
            None if leads_somewhere(to) => (to.to_owned(), ELSEWHERE),
            None => return self.open.push(None),
        };
        self.in_link = true;
        self.anchor(&to, attributes);
        self.element("", "</a>");
    }

    /// Never shown, for it would be asked for from elsewhere: its words say that there is one, and lead to it.
    fn image(&mut self, to: &str) {
        if self.in_link || !leads_somewhere(to) {
            return self.element("<span class=\"image\">Image<span>", "</span></span>");
        }
        self.push("<span class=\"image\">");
        self.anchor(to, ELSEWHERE);
        self.element("Image<span>", "</span></a></span>");
    }

    fn anchor(&mut self, to: &str, attributes: &str) {
        self.push("<a");
        self.push(attributes);
        self.push(" href=\"");
        self.escaped(to);
        self.push("\">");
    }

    fn element(&mut self, opening: &str, closing: &'static str) {
        self.push(opening);
        self.open.push(Some(closing));
    }

    fn push(&mut self, html: &str) {
        self.shown.html.push_str(html);
    }

    fn text(&mut self, text: &str) {
        if let Some((_, _, heading)) = &mut self.heading {
            heading.push_str(text);
        }
        if let Some((_, has_words)) = &mut self.head {
            *has_words |= !text.trim().is_empty();
        }
        self.escaped(text);
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.push("&amp;"),
                '<' => self.push("&lt;"),
                '>' => self.push("&gt;"),
                '"' => self.push("&quot;"),
                '\'' => self.push("&#39;"),
                '\0' => self.shown.html.push(char::REPLACEMENT_CHARACTER),
                other => self.shown.html.push(other),
            }
        }
    }
}

/// A link that leads away tells nobody from where, and opens beside.
const ELSEWHERE: &str = " target=\"_blank\" rel=\"noopener noreferrer nofollow\"";

/// The anchors of a document's headings, found again by their words, in order: not every heading becomes one in Markdown.
struct Anchors<'a> {
    outline: &'a [Heading],
    /// Where headings of these words stand.
    places: BTreeMap<String, VecDeque<usize>>,
    next: usize,
}

impl<'a> Anchors<'a> {
    fn new(outline: &'a [Heading]) -> Self {
        let mut places: BTreeMap<String, VecDeque<usize>> = BTreeMap::new();
        for (place, heading) in outline.iter().enumerate() {
            places.entry(letters(&heading.text)).or_default().push_back(place);
        }
        Self {
            outline,
            places,
            next: 0,
        }
    }

    fn of(&mut self, text: &str) -> Option<&'a str> {
        let places = self.places.get_mut(&letters(text))?;
        let place = loop {
            let place = places.pop_front()?;
            if place >= self.next {
                break place;
            }
        };
        self.next = place + 1;
        let anchor = self.outline[place].anchor.as_str();
        (!anchor.is_empty() && anchor.len() <= ANCHOR_BYTES_MAX).then_some(anchor)
    }
}

/// What two ways of writing a heading have in common.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// As a fragment.
fn encoded(anchor: &str) -> String {
    form_urlencoded::byte_serialize(anchor.as_bytes()).collect()
}

/// Whether a link may be followed; any other is only its words.
fn leads_somewhere(to: &str) -> bool {
    url::Url::parse(to).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto"))
}

fn number(level: HeadingLevel) -> usize {
    level as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(markdown: &str) -> String {
        let known = Known {
            index: IndexId(1),
            outline: &[],
            links: &BTreeMap::new(),
        };
        shown(markdown, &known).html
    }

    fn heading(level: u8, text: &str, anchor: &str) -> Heading {
        Heading {
            level,
            text: text.into(),
            anchor: anchor.into(),
        }
    }

    #[test]
    fn what_is_written_in_markdown_is_shown_as_it_was_meant() {
        assert_eq!(
            html("a *b* **c** `d<e`"),
            "<p>a <em>b</em> <strong>c</strong> <code>d&lt;e</code></p>"
        );
        assert_eq!(html("3. x\n4. y"), "<ol start=\"3\"><li>x</li><li>y</li></ol>");
        assert_eq!(
            html("| a | b |\n|---|--:|\n| 1 | 2<br>3 |"),
            "<div class=\"scroll\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">a\
             </th><th scope=\"col\" class=\"right\">b</th></tr></thead><tbody><tr><td>1</td><td class=\"right\">2<br>3</td>\
             </tr></tbody></table></div>"
        );
        assert!(
            html("| | |\n|---|---|\n| 1 | 2 |").contains("<table><tbody><tr><td>1"),
            "no empty head"
        );
        assert_eq!(
            html("```sql\nselect 1 < 2;\n```"),
            "<div class=\"code\"><span class=\"language\">sql</span><pre role=\"group\" aria-label=\"Code\" tabindex=\"0\">\
             <code>select 1 &lt; 2;\n</code></pre></div>"
        );
        assert!(html("- [x] done").contains("checked aria-label=\"Done\""));
    }

    #[test]
    fn nothing_that_a_page_holds_becomes_an_element_or_a_script() {
        for hostile in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "a <br onclick=alert(1)> b",
            "<!-- x --><b onclick=x>y</b>",
            "```\"><script>alert(1)</script>\nx\n```",
            "# <script>alert(1)</script>",
            "| <script>x</script> |\n|---|\n| <iframe> |",
        ] {
            let html = html(hostile);
            for element in ["<script", "<img", "<b ", "<br ", "<iframe", "<!--"] {
                assert!(!html.contains(element), "{hostile:?} gave {html}");
            }
        }
        assert_eq!(html("[a](javascript:alert(1))"), "<p>a</p>");
        assert_eq!(html("[a](data:text/html,x)"), "<p>a</p>");
        assert_eq!(html("[a](//evil.example)"), "<p>a</p>");
        assert!(html("[a](https://a.example/?\"onclick=\"x)").contains("&quot;onclick"));
    }

    #[test]
    fn an_image_is_a_note_that_leads_to_it() {
        assert_eq!(
            html("![a map](https://a.example/x.png)"),
            "<p><span class=\"image\"><a target=\"_blank\" rel=\"noopener noreferrer nofollow\" \
             href=\"https://a.example/x.png\">Image<span>a map</span></a></span></p>"
        );
        assert_eq!(
            html("![a map](javascript:x)"),
            "<p><span class=\"image\">Image<span>a map</span></span></p>"
        );
        let linked = html("[![a map](https://a.example/x.png)](https://b.example/)");
        assert_eq!(linked.matches("<a ").count(), 1, "{linked}");
    }

    #[test]
    fn headings_have_the_ids_of_confluence_and_pass_over_no_level() {
        let outline = [
            heading(1, "Straße nach Oslo", "Straße-nach-Oslo"),
            heading(2, "In a cell", "In-a-cell"),
            heading(4, "Set “up”", "Set-“up”"),
            heading(2, "main", "main"),
            heading(2, "Set “up”", "Set-“up”.1"),
        ];
        let known = Known {
            index: IndexId(1),
            outline: &outline,
            links: &BTreeMap::new(),
        };
        let markdown = "# Straße *nach* Oslo\n\n#### Set “up”\n\n## main\n\n## Set “up”\n\n## Unknown";
        let page = shown(markdown, &known);
        assert_eq!(
            page.html,
            "<h2 id=\"Straße-nach-Oslo\">Straße <em>nach</em> Oslo</h2><h3 id=\"Set-“up”\">Set “up”</h3>\
             <h3 id=\"main.\">main</h3><h3 id=\"Set-“up”.1\">Set “up”</h3><h3>Unknown</h3>"
        );
        let links: Vec<&str> = page.outline.iter().map(|entry| entry.link.as_str()).collect();
        assert_eq!(links[0], "#Stra%C3%9Fe-nach-Oslo");
        assert_eq!((links.len(), links[2]), (4, "#main."));
    }

    #[test]
    fn a_link_leads_to_the_index_where_it_holds_the_page() {
        let here = "https://acme.example/wiki/spaces/ENG/pages/7#Steps";
        let links = BTreeMap::from([(here.to_owned(), "site-1:7".parse().unwrap())]);
        let known = Known {
            index: IndexId(3),
            outline: &[],
            links: &links,
        };
        let html = |markdown: &str| shown(markdown, &known).html;
        assert_eq!(
            html(&format!("[a]({here})")),
            "<p><a href=\"/indexes/3/documents/site-1:7#Steps\">a</a></p>"
        );
        assert_eq!(html("[a](#Steps)"), "<p><a href=\"#Steps\">a</a></p>");
        assert!(html("[a](https://acme.example/wiki/x)").contains("rel=\"noopener noreferrer nofollow\""));
    }

    #[test]
    fn a_long_text_ends_with_a_block_and_says_so() {
        let paragraph = "word ".repeat(200) + "\n\n";
        let long = paragraph.repeat(SHOWN_BYTES_MAX / paragraph.len() + 2);
        let known = Known {
            index: IndexId(1),
            outline: &[],
            links: &BTreeMap::new(),
        };
        let page = shown(&long, &known);
        assert!(page.is_cut && page.html.len() <= SHOWN_BYTES_MAX * 2);
        assert!(page.html.ends_with("word</p>"), "no block is cut in two");
        assert!(!shown(&paragraph, &known).is_cut);
    }

    #[test]
    fn what_is_nested_without_end_keeps_its_text_and_closes_what_it_opened() {
        let page = html(&format!("{} deep", ">".repeat(5_000)));
        assert!(page.contains("deep"));
        assert_eq!(
            page.matches("<blockquote>").count(),
            page.matches("</blockquote>").count()
        );
        assert!(page.matches("<blockquote>").count() <= DEPTH_MAX);
    }
}
