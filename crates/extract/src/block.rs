//! A document as a tree: blocks in reading order, and in them spans of words.

use std::{collections::BTreeMap, sync::Arc};

use domain::AccountId;

/// Names of people by their accounts: what a mention is read as.
pub type People = BTreeMap<AccountId, String>;

/// A piece of a document that belongs together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Heading {
        /// 1 to 6.
        level: u8,
        /// The id that Confluence gives it, unique in its document; empty when it has no words.
        anchor: String,
        spans: Vec<Span>,
    },
    Paragraph(Vec<Span>),
    List {
        /// The first number; none for bullets.
        numbered_from: Option<u32>,
        items: Vec<Vec<Block>>,
    },
    Tasks(Vec<Task>),
    Decisions(Vec<Vec<Block>>),
    Table(Table),
    /// Kept verbatim, lines and all.
    Code {
        language: Option<String>,
        title: Option<String>,
        text: String,
    },
    /// A formula in TeX.
    Math(String),
    Panel {
        kind: PanelKind,
        title: Option<String>,
        blocks: Vec<Block>,
    },
    /// What shows when it is opened.
    Expand {
        title: Option<String>,
        blocks: Vec<Block>,
    },
    Quote(Vec<Block>),
    /// Columns of a layout, in reading order.
    Columns(Vec<Vec<Block>>),
    Figure {
        image: Image,
        caption: Vec<Span>,
    },
    /// Another page shown here. Its text stays there, because its readers may be others.
    Include(Vec<Span>),
    /// A list that Confluence makes when the page is shown, such as "child pages"; what is in it is not in the page.
    Listing(&'static str),
    /// Where in a file stands what follows: `page 12`. Empty where that is nowhere in particular.
    Place(String),
    Rule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub done: bool,
    pub blocks: Vec<Block>,
}

impl Task {
    /// Whose it is: Confluence gives a task to whom it mentions first.
    pub fn assignee(&self) -> Option<&AccountId> {
        spans(&self.blocks).find_map(|span| match &span.inline {
            Inline::Mention { account, .. } => account.as_ref(),
            _ => None,
        })
    }

    /// The first date in it, as `2026-03-01`: when it is due.
    pub fn due(&self) -> Option<&str> {
        spans(&self.blocks).find_map(|span| match &span.inline {
            Inline::Date(day) => Some(day.as_str()),
            _ => None,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Whether the first row names the columns.
    pub fn has_header(&self) -> bool {
        self.rows.len() > 1 && self.rows[0].iter().all(|cell| cell.header)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub header: bool,
    /// Columns and rows it covers, at least 1.
    pub columns: u32,
    pub rows: u32,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelKind {
    Plain,
    Info,
    Note,
    Success,
    Warning,
    Error,
}

impl PanelKind {
    /// By ADF's word for it, which storage format uses where it has no macro of its own.
    pub fn of_adf(word: &str) -> Self {
        match word {
            "info" => Self::Info,
            "note" => Self::Note,
            "tip" | "success" => Self::Success,
            "warning" => Self::Warning,
            "error" => Self::Error,
            _ => Self::Plain,
        }
    }

    /// What Confluence shows as a sign and a colour.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Info => Some("Info"),
            Self::Note => Some("Note"),
            Self::Success => Some("Success"),
            Self::Warning => Some("Warning"),
            Self::Error => Some("Error"),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    pub alt: Option<String>,
    pub target: Option<Arc<Target>>,
}

/// A stretch of a line, in one manner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub inline: Inline,
    pub manner: Manner,
}

impl Span {
    pub fn words(text: impl Into<String>) -> Self {
        Self {
            inline: Inline::Words(text.into()),
            manner: Manner::default(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Blanks in it are single.
    Words(String),
    /// The line ends here.
    Break,
    Mention {
        account: Option<AccountId>,
        /// As the page itself says it, without the sign before it.
        name: Option<String>,
    },
    /// `2026-03-01`.
    Date(String),
    Status(String),
    /// A formula in TeX.
    Math(String),
    Image(Image),
}

/// How words stand there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    pub style: Style,
    pub link: Option<Arc<Target>>,
}

impl Manner {
    pub fn with(&self, style: Style) -> Self {
        Self {
            style: self.style.and(style),
            link: self.link.clone(),
        }
    }

    pub fn linked(&self, target: Option<Arc<Target>>) -> Self {
        Self {
            style: self.style,
            link: target.or_else(|| self.link.clone()),
        }
    }

    /// The same style, and the very same link.
    pub fn continues(&self, other: &Self) -> bool {
        let same_link = match (&self.link, &other.link) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, Some(_)) | (Some(_), None) => false,
        };
        self.style == other.style && same_link
    }
}

/// A set of styles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style(u8);

impl Style {
    pub const STRONG: Self = Self(1);
    pub const EMPHASIS: Self = Self(2);
    pub const CODE: Self = Self(4);
    pub const STRUCK: Self = Self(8);

    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// Where a link leads, as the page says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// As it was written, and hostile until a renderer has judged it.
    Url(String),
    /// A page or, with a day, a blog post; in the space named or else in this one.
    Page {
        space: Option<String>,
        title: String,
        id: Option<String>,
        /// `2026/03/01`.
        day: Option<String>,
        anchor: Option<String>,
    },
    /// A file of the page named, or else of this one.
    Attachment {
        name: String,
        page: Option<Box<Target>>,
    },
    Space(String),
    Person(AccountId),
    /// A place in this page.
    Anchor(String),
    /// A Jira issue, by key.
    Issue(String),
}

impl Target {
    /// What a link is read as when it has no words of its own.
    pub fn words(&self) -> Option<&str> {
        let words = match self {
            Self::Url(words) | Self::Space(words) | Self::Anchor(words) | Self::Issue(words) => words,
            Self::Page { title, .. } => title,
            Self::Attachment { name, .. } => name,
            Self::Person(_) => return None,
        };
        Some(words.as_str()).filter(|words| !words.is_empty())
    }
}

/// A heading, for a document's outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlineEntry {
    pub level: u8,
    pub text: String,
    pub anchor: String,
}

/// The blocks that a block holds, in reading order.
pub fn inner(block: &Block) -> Vec<&[Block]> {
    match block {
        Block::List { items, .. } | Block::Decisions(items) | Block::Columns(items) => {
            items.iter().map(Vec::as_slice).collect()
        }
        Block::Tasks(tasks) => tasks.iter().map(|task| task.blocks.as_slice()).collect(),
        Block::Table(table) => table.rows.iter().flatten().map(|cell| cell.blocks.as_slice()).collect(),
        Block::Panel { blocks, .. } | Block::Expand { blocks, .. } | Block::Quote(blocks) => vec![blocks],
        Block::Heading { .. }
        | Block::Paragraph(_)
        | Block::Code { .. }
        | Block::Math(_)
        | Block::Figure { .. }
        | Block::Include(_)
        | Block::Listing(_)
        | Block::Place(_)
        | Block::Rule => Vec::new(),
    }
}

/// Every block, the inner ones after the one they are in.
pub fn all(blocks: &[Block]) -> impl Iterator<Item = &Block> {
    let mut waiting: Vec<std::slice::Iter<'_, Block>> = vec![blocks.iter()];
    std::iter::from_fn(move || {
        loop {
            match waiting.last_mut()?.next() {
                Some(block) => {
                    waiting.extend(inner(block).into_iter().rev().map(|blocks| blocks.iter()));
                    return Some(block);
                }
                None => {
                    waiting.pop();
                }
            }
        }
    })
}

/// Every span, in reading order.
pub fn spans(blocks: &[Block]) -> impl Iterator<Item = &Span> {
    all(blocks).flat_map(|block| match block {
        Block::Heading { spans, .. } | Block::Paragraph(spans) | Block::Include(spans) => spans.as_slice(),
        Block::Figure { caption, .. } => caption.as_slice(),
        _ => &[],
    })
}

/// Accounts whose names a reader wants to see, each once.
pub fn mentioned(blocks: &[Block]) -> Vec<AccountId> {
    let mut accounts: Vec<AccountId> = spans(blocks)
        .filter_map(|span| match &span.inline {
            Inline::Mention { account, .. } => account.clone(),
            _ => None,
        })
        .collect();
    accounts.sort();
    accounts.dedup();
    accounts
}
