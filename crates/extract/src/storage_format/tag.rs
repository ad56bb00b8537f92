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
        Some(match name {
            "p" => Self::Paragraph,
            "h1" => Self::Heading1,
            "h2" => Self::Heading2,
            "h3" => Self::Heading3,
            "h4" => Self::Heading4,
            "h5" => Self::Heading5,
            "h6" => Self::Heading6,
            "strong" | "b" => Self::Strong,
            "em" | "i" | "cite" | "dfn" | "var" => Self::Emphasis,
            "code" | "tt" | "kbd" | "samp" => Self::InlineCode,
            "s" | "del" | "strike" => Self::Struck,
            "a" => Self::Anchor,
            "br" => Self::Break,
            "hr" => Self::Rule,
            "blockquote" => Self::Quote,
            "pre" => Self::Preformatted,
            "ul" | "menu" => Self::Bullets,
            "ol" => Self::Numbers,
            "li" => Self::Item,
            "dt" => Self::Term,
            "table" => Self::Table,
            "thead" | "tbody" | "tfoot" => Self::TableSection,
            "tr" => Self::Row,
            "th" => Self::HeaderCell,
            "td" => Self::DataCell,
            "details" => Self::Details,
            "summary" => Self::Summary,
            "img" => Self::HtmlImage,
            "iframe" | "embed" => Self::HtmlFrame,
            "time" => Self::Time,
            "math" => Self::Math,
            "annotation" => Self::Annotation,
            "ac:structured-macro" | "ac:macro" => Self::Macro,
            "ac:parameter" | "ac:default-parameter" => Self::Parameter,
            "ac:plain-text-body" => Self::PlainBody,
            "ac:rich-text-body" => Self::RichBody,
            "ac:link" => Self::Link,
            "ac:link-body" => Self::LinkBody,
            "ac:plain-text-link-body" => Self::PlainLinkBody,
            "ac:image" => Self::Image,
            "ac:caption" => Self::Caption,
            "ac:emoticon" => Self::Emoticon,
            "ac:task-list" => Self::TaskList,
            "ac:task" => Self::Task,
            "ac:task-status" => Self::TaskStatus,
            "ac:task-body" => Self::TaskBody,
            "ac:layout" => Self::Layout,
            "ac:layout-section" => Self::LayoutSection,
            "ac:layout-cell" => Self::LayoutCell,
            "ac:adf-extension" => Self::AdfExtension,
            "ac:adf-node" => Self::AdfNode,
            "ac:adf-attribute" => Self::AdfAttribute,
            "ac:adf-content" => Self::AdfContent,
            "ac:adf-fallback" => Self::AdfFallback,
            "ri:page" => Self::Page,
            "ri:blog-post" => Self::BlogPost,
            "ri:attachment" => Self::Attachment,
            "ri:url" => Self::Url,
            "ri:space" => Self::Space,
            "ri:user" => Self::User,
            "ri:content-entity" => Self::ContentEntity,
            "div" | "section" | "article" | "aside" | "main" | "header" | "footer" | "nav" | "address" | "center"
            | "figure" | "figcaption" | "caption" | "dl" | "dd" | "form" | "fieldset" | "legend" | "hgroup" => {
                Self::Block
            }
            "span"
            | "font"
            | "u"
            | "ins"
            | "sub"
            | "sup"
            | "small"
            | "big"
            | "mark"
            | "label"
            | "q"
            | "abbr"
            | "acronym"
            | "bdi"
            | "bdo"
            | "ruby"
            | "ac:inline-comment-marker" => Self::Inline,
            "script" | "style" | "head" | "title" | "template" | "noscript" | "object" | "applet" | "select"
            | "textarea" | "ac:placeholder" | "ac:task-id" | "ac:task-uuid" | "rp" => Self::Hidden,
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
