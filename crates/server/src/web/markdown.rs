//! Given a document's Markdown, gives HTML that is safe to show: made of a few elements only, whatever the text holds.

use std::fmt::Write;

use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// Deeper headings of a page look alike.
const LEVEL_MAX: usize = 6;
/// The page's own headings stand below the app's, which has one `h1`.
const LEVEL_BELOW: usize = 1;
/// Elements within one another; deeper ones are left out and their text stays.
const DEPTH_MAX: usize = 100;

/// A heading of a document, for its outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    pub level: usize,
    pub text: String,
    /// The element's id on this page.
    pub anchor: String,
}

/// A document as a page shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub html: String,
    pub outline: Vec<Heading>,
}

/// Reads CommonMark with tables, struck text and tasks. Raw HTML is shown as text; links lead to http, https and mailto;
/// images are their words.
pub fn shown(markdown: &str) -> Shown {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut page = Writer::default();
    for event in Parser::new_ext(markdown, options) {
        page.event(event);
    }
    page.shown
}

#[derive(Default)]
struct Writer {
    shown: Shown,
    /// The closing tags of what is open; none for what was left out.
    open: Vec<Option<&'static str>>,
    /// Within a heading: where its HTML begins, its level and its text.
    heading: Option<(usize, usize, String)>,
    alignments: Vec<Alignment>,
    column: usize,
    in_head: bool,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
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
                let level = (number(level) + LEVEL_BELOW).min(LEVEL_MAX);
                self.heading = Some((self.shown.html.len(), level, String::new()));
                self.open.push(None);
            }
            Tag::BlockQuote(_) => self.element("<blockquote>", "</blockquote>"),
            Tag::CodeBlock(kind) => {
                self.push("<pre tabindex=\"0\">");
                if let CodeBlockKind::Fenced(language) = &kind
                    && !language.is_empty()
                {
                    self.push("<span class=\"language\">");
                    self.text(language);
                    self.push("</span>");
                }
                self.element("<code>", "</code></pre>");
            }
            Tag::List(None) => self.element("<ul>", "</ul>"),
            Tag::List(Some(first)) => {
                let _ = write!(self.shown.html, "<ol start=\"{first}\">");
                self.open.push(Some("</ol>"));
            }
            Tag::Item => self.element("<li>", "</li>"),
            Tag::Table(alignments) => {
                self.alignments = alignments;
                self.element("<div class=\"wide\" tabindex=\"0\"><table>", "</tbody></table></div>");
            }
            Tag::TableHead => {
                (self.in_head, self.column) = (true, 0);
                self.element("<thead><tr>", "</tr></thead><tbody>");
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
            Tag::Image { .. } => self.element("<span class=\"image\">", "</span>"),
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
        if let TagEnd::Heading(_) = tag {
            return self.end_heading();
        }
        if tag == TagEnd::TableHead {
            self.in_head = false;
        }
        self.push(closing.unwrap_or_default());
    }

    fn end_heading(&mut self) {
        let Some((from, level, text)) = self.heading.take() else {
            return;
        };
        let anchor = self.anchor(&text);
        let inner = self.shown.html.split_off(from);
        let _ = write!(self.shown.html, "<h{level} id=\"{anchor}\">{inner}</h{level}>");
        self.shown.outline.push(Heading { level, text, anchor });
    }

    /// An id of its own: of letters, digits and hyphens, behind a word that no id of the app begins with.
    fn anchor(&self, text: &str) -> String {
        let words: Vec<String> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let plain = format!("h-{}", words.join("-"));
        let taken = |anchor: &str| self.shown.outline.iter().any(|heading| heading.anchor == anchor);
        match taken(&plain) {
            false => plain,
            // As many as there are headings before it: free, or the next is.
            true => format!("{plain}--{}", self.shown.outline.len()),
        }
    }

    fn cell(&mut self) {
        let name = if self.in_head { "th" } else { "td" };
        let side = match self.alignments.get(self.column) {
            Some(Alignment::Right) => " class=\"right\"",
            Some(Alignment::Center) => " class=\"centre\"",
            Some(Alignment::Left | Alignment::None) | None => "",
        };
        self.column += 1;
        let _ = write!(self.shown.html, "<{name}{side}>");
        self.open.push(Some(if self.in_head { "</th>" } else { "</td>" }));
    }

    fn link(&mut self, to: &str) {
        if !leads_somewhere(to) {
            return self.open.push(None);
        }
        self.push("<a target=\"_blank\" rel=\"noopener noreferrer nofollow\" href=\"");
        self.escaped(to);
        self.element("\">", "</a>");
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
        shown(markdown).html
    }

    #[test]
    fn what_is_written_in_markdown_is_shown_as_it_was_meant() {
        assert_eq!(
            html("a *b* **c** `d<e`"),
            "<p>a <em>b</em> <strong>c</strong> <code>d&lt;e</code></p>"
        );
        assert_eq!(html("3. x\n4. y"), "<ol start=\"3\"><li>x</li><li>y</li></ol>");
        assert_eq!(
            html("| a | b |\n|---|--:|\n| 1 | 2 |"),
            "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>a</th><th class=\"right\">b</th></tr></thead><tbody>\
             <tr><td>1</td><td class=\"right\">2</td></tr></tbody></table></div>"
        );
        assert_eq!(
            html("```sql\nselect 1 < 2;\n```"),
            "<pre tabindex=\"0\"><span class=\"language\">sql</span><code>select 1 &lt; 2;\n</code></pre>"
        );
        assert!(html("- [x] done").contains("checked aria-label=\"Done\""));
    }

    #[test]
    fn nothing_that_a_page_holds_becomes_an_element_or_a_script() {
        for hostile in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<!-- x --><b onclick=x>y</b>",
            "```\"><script>alert(1)</script>\nx\n```",
            "# <script>alert(1)</script>",
            "| <script>x</script> |\n|---|\n| <iframe> |",
        ] {
            let html = html(hostile);
            for element in ["<script", "<img", "<b ", "<iframe", "<!--"] {
                assert!(!html.contains(element), "{hostile:?} gave {html}");
            }
        }
        assert_eq!(html("[a](javascript:alert(1))"), "<p>a</p>");
        assert_eq!(html("[a](data:text/html,x)"), "<p>a</p>");
        assert_eq!(html("[a](//evil.example)"), "<p>a</p>");
        assert!(html("[a](https://a.example/?\"onclick=\"x)").contains("&quot;onclick"));
        assert_eq!(
            html("![a map](https://a.example/x.png)"),
            "<p><span class=\"image\">a map</span></p>"
        );
    }

    #[test]
    fn headings_make_an_outline_with_ids_of_their_own() {
        let page = shown("# Straße *nach* Oslo\n\n## Setup\n\n## Setup\n\n####### x");
        let outline: Vec<_> = page
            .outline
            .iter()
            .map(|heading| (heading.level, heading.text.as_str(), heading.anchor.as_str()))
            .collect();
        assert_eq!(
            outline,
            [
                (2, "Straße nach Oslo", "h-straße-nach-oslo"),
                (3, "Setup", "h-setup"),
                (3, "Setup", "h-setup--2")
            ]
        );
        assert!(
            page.html
                .starts_with("<h2 id=\"h-straße-nach-oslo\">Straße <em>nach</em> Oslo</h2>")
        );
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
