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
        let name = name.as_bytes();
        Self::of_lower_case(name).or_else(|| {
            // Nearly no page writes names in capital letters.
            let is_written_so = name.iter().any(u8::is_ascii_uppercase);
            is_written_so
                .then(|| name.to_ascii_lowercase())
                .and_then(|name| Self::of_lower_case(&name))
        })
    }

    fn of_lower_case(name: &[u8]) -> Option<Self> {
        match name {
            [b'a', b'c', b':', construct @ ..] => Self::of_construct(construct),
            [b'r', b'i', b':', reference @ ..] => Self::of_reference(reference),
            _ => Self::of_html(name),
        }
    }

    /// Confluence's constructs, `ac:`.
    fn of_construct(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"parameter" | b"default-parameter" => Self::Parameter,
            b"structured-macro" | b"macro" => Self::Macro,
            b"rich-text-body" => Self::RichBody,
            b"plain-text-body" => Self::PlainBody,
            b"link" => Self::Link,
            b"link-body" => Self::LinkBody,
            b"plain-text-link-body" => Self::PlainLinkBody,
            b"image" => Self::Image,
            b"caption" => Self::Caption,
            b"emoticon" => Self::Emoticon,
            b"inline-comment-marker" => Self::Inline,
            b"layout" => Self::Layout,
            b"layout-section" => Self::LayoutSection,
            b"layout-cell" => Self::LayoutCell,
            b"task-list" => Self::TaskList,
            b"task" => Self::Task,
            b"task-status" => Self::TaskStatus,
            b"task-body" => Self::TaskBody,
            b"task-id" | b"task-uuid" | b"placeholder" => Self::Hidden,
            b"adf-extension" => Self::AdfExtension,
            b"adf-node" => Self::AdfNode,
            b"adf-attribute" => Self::AdfAttribute,
            b"adf-content" => Self::AdfContent,
            b"adf-fallback" => Self::AdfFallback,
            _ => return None,
        })
    }

    /// What Confluence refers to, `ri:`.
    fn of_reference(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"page" => Self::Page,
            b"blog-post" => Self::BlogPost,
            b"attachment" => Self::Attachment,
            b"url" => Self::Url,
            b"space" => Self::Space,
            b"user" => Self::User,
            b"content-entity" => Self::ContentEntity,
            _ => return None,
        })
    }

    /// HTML, the names that pages are full of first.
    fn of_html(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"p" => Self::Paragraph,
            b"li" => Self::Item,
            b"td" => Self::DataCell,
            b"strong" | b"b" => Self::Strong,
            b"a" => Self::Anchor,
            b"br" => Self::Break,
            b"ul" | b"menu" => Self::Bullets,
            b"tr" => Self::Row,
            b"em" | b"i" | b"cite" | b"dfn" | b"var" => Self::Emphasis,
            b"code" | b"tt" | b"kbd" | b"samp" => Self::InlineCode,
            b"th" => Self::HeaderCell,
            b"h1" => Self::Heading1,
            b"h2" => Self::Heading2,
            b"h3" => Self::Heading3,
            b"h4" => Self::Heading4,
            b"h5" => Self::Heading5,
            b"h6" => Self::Heading6,
            b"ol" => Self::Numbers,
            b"span" | b"font" | b"u" | b"ins" | b"sub" | b"sup" | b"small" | b"big" | b"mark" | b"label" | b"q"
            | b"abbr" | b"acronym" | b"bdi" | b"bdo" | b"ruby" => Self::Inline,
            b"div" | b"section" | b"article" | b"aside" | b"main" | b"header" | b"footer" | b"nav" | b"address"
            | b"center" | b"figure" | b"figcaption" | b"caption" | b"dl" | b"dd" | b"form" | b"fieldset"
            | b"legend" | b"hgroup" => Self::Block,
            b"hr" => Self::Rule,
            b"time" => Self::Time,
            b"table" => Self::Table,
            b"thead" | b"tbody" | b"tfoot" => Self::TableSection,
            b"s" | b"del" | b"strike" => Self::Struck,
            b"blockquote" => Self::Quote,
            b"pre" => Self::Preformatted,
            b"img" => Self::HtmlImage,
            b"dt" => Self::Term,
            b"details" => Self::Details,
            b"summary" => Self::Summary,
            b"iframe" | b"embed" => Self::HtmlFrame,
            b"math" => Self::Math,
            b"annotation" => Self::Annotation,
            b"script" | b"style" | b"head" | b"title" | b"template" | b"noscript" | b"object" | b"applet"
            | b"select" | b"textarea" | b"rp" => Self::Hidden,
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
