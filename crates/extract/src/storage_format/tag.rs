//! The names of elements, by what a reader does with them.

/// What an element is to a reader. Names that mean the same are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Tag {
    /// Nothing inside is for people.
    Hidden,
    /// Its words belong to the line.
    Inline,
    /// Its words stand apart from what is around it.
    Block,
    Paragraph,
    Heading1,
    Heading2,
    Heading3,
    Heading4,
    Heading5,
    Heading6,
    Strong,
    Emphasis,
    InlineCode,
    Struck,
    Anchor,
    Break,
    Rule,
    Quote,
    Preformatted,
    Bullets,
    Numbers,
    Item,
    Term,
    Table,
    TableSection,
    Row,
    HeaderCell,
    DataCell,
    Details,
    Summary,
    HtmlImage,
    HtmlFrame,
    Time,
    Math,
    Annotation,
    Macro,
    Parameter,
    PlainBody,
    RichBody,
    Link,
    LinkBody,
    PlainLinkBody,
    Image,
    Caption,
    Emoticon,
    TaskList,
    Task,
    TaskStatus,
    TaskBody,
    Layout,
    LayoutSection,
    LayoutCell,
    AdfExtension,
    AdfNode,
    AdfAttribute,
    AdfContent,
    AdfFallback,
    Page,
    BlogPost,
    Attachment,
    Url,
    Space,
    User,
    ContentEntity,
}

impl Tag {
    pub const COUNT: usize = Self::ContentEntity as usize + 1;

    /// None for an element that means nothing here: its words are read as if it were not there.
    pub fn of(name: &str) -> Option<Self> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Self::of_lower_case(&name.to_ascii_lowercase());
        }
        Self::of_lower_case(name)
    }

    fn of_lower_case(name: &str) -> Option<Self> {
        match name.split_once(':') {
            Some(("ac", construct)) => Self::of_construct(construct),
            Some(("ri", reference)) => Self::of_reference(reference),
            Some(_) => None,
            None => Self::of_html(name),
        }
    }

    /// Confluence's constructs, `ac:`.
    fn of_construct(name: &str) -> Option<Self> {
        Some(match name {
            "parameter" | "default-parameter" => Self::Parameter,
            "structured-macro" | "macro" => Self::Macro,
            "rich-text-body" => Self::RichBody,
            "plain-text-body" => Self::PlainBody,
            "link" => Self::Link,
            "link-body" => Self::LinkBody,
            "plain-text-link-body" => Self::PlainLinkBody,
            "image" => Self::Image,
            "caption" => Self::Caption,
            "emoticon" => Self::Emoticon,
            "inline-comment-marker" => Self::Inline,
            "layout" => Self::Layout,
            "layout-section" => Self::LayoutSection,
            "layout-cell" => Self::LayoutCell,
            "task-list" => Self::TaskList,
            "task" => Self::Task,
            "task-status" => Self::TaskStatus,
            "task-body" => Self::TaskBody,
            "task-id" | "task-uuid" | "placeholder" => Self::Hidden,
            "adf-extension" => Self::AdfExtension,
            "adf-node" => Self::AdfNode,
            "adf-attribute" => Self::AdfAttribute,
            "adf-content" => Self::AdfContent,
            "adf-fallback" => Self::AdfFallback,
            _ => return None,
        })
    }

    /// What Confluence refers to, `ri:`.
    fn of_reference(name: &str) -> Option<Self> {
        Some(match name {
            "page" => Self::Page,
            "blog-post" => Self::BlogPost,
            "attachment" => Self::Attachment,
            "url" => Self::Url,
            "space" => Self::Space,
            "user" => Self::User,
            "content-entity" => Self::ContentEntity,
            _ => return None,
        })
    }

    /// HTML, the names that pages are full of first.
    fn of_html(name: &str) -> Option<Self> {
        Some(match name {
            "p" => Self::Paragraph,
            "li" => Self::Item,
            "td" => Self::DataCell,
            "strong" | "b" => Self::Strong,
            "a" => Self::Anchor,
            "br" => Self::Break,
            "ul" | "menu" => Self::Bullets,
            "tr" => Self::Row,
            "em" | "i" | "cite" | "dfn" | "var" => Self::Emphasis,
            "code" | "tt" | "kbd" | "samp" => Self::InlineCode,
            "th" => Self::HeaderCell,
            "h1" => Self::Heading1,
            "h2" => Self::Heading2,
            "h3" => Self::Heading3,
            "h4" => Self::Heading4,
            "h5" => Self::Heading5,
            "h6" => Self::Heading6,
            "ol" => Self::Numbers,
            "span" | "font" | "u" | "ins" | "sub" | "sup" | "small" | "big" | "mark" | "label" | "q" | "abbr"
            | "acronym" | "bdi" | "bdo" | "ruby" => Self::Inline,
            "div" | "section" | "article" | "aside" | "main" | "header" | "footer" | "nav" | "address" | "center"
            | "figure" | "figcaption" | "caption" | "dl" | "dd" | "form" | "fieldset" | "legend" | "hgroup" => {
                Self::Block
            }
            "hr" => Self::Rule,
            "time" => Self::Time,
            "table" => Self::Table,
            "thead" | "tbody" | "tfoot" => Self::TableSection,
            "s" | "del" | "strike" => Self::Struck,
            "blockquote" => Self::Quote,
            "pre" => Self::Preformatted,
            "img" => Self::HtmlImage,
            "dt" => Self::Term,
            "details" => Self::Details,
            "summary" => Self::Summary,
            "iframe" | "embed" => Self::HtmlFrame,
            "math" => Self::Math,
            "annotation" => Self::Annotation,
            "script" | "style" | "head" | "title" | "template" | "noscript" | "object" | "applet" | "select"
            | "textarea" | "rp" => Self::Hidden,
            _ => return None,
        })
    }

    /// Elements without a closing tag.
    pub fn is_void(self) -> bool {
        matches!(self, Self::Break | Self::Rule | Self::HtmlImage)
    }

    pub fn heading_level(self) -> Option<u8> {
        let first = Self::Heading1 as u8;
        (first..=Self::Heading6 as u8)
            .contains(&(self as u8))
            .then(|| self as u8 - first + 1)
    }

    /// What closing tags of HTML inside do not close: what Confluence puts around a piece of a page of its own.
    pub fn is_wall(self) -> bool {
        matches!(
            self,
            Self::Macro
                | Self::RichBody
                | Self::LinkBody
                | Self::Caption
                | Self::TaskBody
                | Self::LayoutCell
                | Self::AdfContent
                | Self::Parameter
        )
    }

    pub fn is_cell(self) -> bool {
        matches!(self, Self::HeaderCell | Self::DataCell)
    }

    pub fn is_table_part(self) -> bool {
        self.is_cell() || matches!(self, Self::Table | Self::TableSection | Self::Row)
    }

    /// Whether it is one of Confluence's own constructs.
    pub fn is_confluence(self) -> bool {
        self as u8 >= Self::Macro as u8
    }
}
