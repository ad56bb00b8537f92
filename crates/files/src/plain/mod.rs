//! Given text without a structure of its own, or with a simple one, gives its pieces.

mod calendar;
mod captions;
mod markdown;
mod table;

use crate::{Hints, encoding, pieces::Pieces};

/// What a text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextKind {
    Plain,
    Markdown,
    /// Comma-separated values or the like; `tabs` where the name says so.
    Table {
        tabs: bool,
    },
    Calendar,
    Captions,
    /// Kept verbatim, in this language.
    Code(&'static str),
}

/// Languages by the ending of their files' names.
const LANGUAGES: [(&str, &str); 66] = [
    ("adoc", "asciidoc"),
    ("bash", "bash"),
    ("bat", "batch"),
    ("c", "c"),
    ("cc", "cpp"),
    ("cfg", "ini"),
    ("clj", "clojure"),
    ("conf", "ini"),
    ("cpp", "cpp"),
    ("cs", "csharp"),
    ("css", "css"),
    ("dart", "dart"),
    ("diff", "diff"),
    ("dot", "dot"),
    ("ex", "elixir"),
    ("exs", "elixir"),
    ("go", "go"),
    ("gradle", "gradle"),
    ("graphql", "graphql"),
    ("groovy", "groovy"),
    ("gv", "dot"),
    ("h", "c"),
    ("hcl", "hcl"),
    ("hpp", "cpp"),
    ("hs", "haskell"),
    ("ini", "ini"),
    ("java", "java"),
    ("js", "javascript"),
    ("json", "json"),
    ("jsonl", "json"),
    ("jsx", "javascript"),
    ("kt", "kotlin"),
    ("lua", "lua"),
    ("m", "objectivec"),
    ("mmd", "mermaid"),
    ("ndjson", "json"),
    ("patch", "diff"),
    ("php", "php"),
    ("pl", "perl"),
    ("plantuml", "plantuml"),
    ("properties", "properties"),
    ("proto", "protobuf"),
    ("ps1", "powershell"),
    ("puml", "plantuml"),
    ("py", "python"),
    ("r", "r"),
    ("rb", "ruby"),
    ("rs", "rust"),
    ("sass", "css"),
    ("scala", "scala"),
    ("scss", "css"),
    ("sh", "bash"),
    ("sql", "sql"),
    ("swift", "swift"),
    ("tf", "hcl"),
    ("toml", "toml"),
    ("ts", "typescript"),
    ("tsx", "typescript"),
    ("vb", "vb"),
    ("vue", "vue"),
    ("wsdl", "xml"),
    ("xml", "xml"),
    ("xsd", "xml"),
    ("xsl", "xml"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
];

impl TextKind {
    /// By the ending of the name and the beginning of the text, in lower case.
    pub fn named(ending: &str, start: &str) -> Self {
        if let Some((_, language)) = LANGUAGES.iter().find(|(known, _)| *known == ending) {
            return Self::Code(language);
        }
        match ending {
            "md" | "markdown" | "mdx" => Self::Markdown,
            "csv" => Self::Table { tabs: false },
            "tsv" | "tab" => Self::Table { tabs: true },
            _ if start.starts_with("<?xml") => Self::Code("xml"),
            _ if start.starts_with("#!") => Self::Code("bash"),
            _ => Self::Plain,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Plain => "text",
            Self::Markdown => "Markdown",
            Self::Table { tabs: false } => "CSV table",
            Self::Table { tabs: true } => "TSV table",
            Self::Calendar => "calendar",
            Self::Captions => "captions",
            Self::Code(language) => language,
        }
    }
}

pub fn read(kind: &TextKind, bytes: &[u8], hints: &Hints, out: &mut Pieces) {
    let text = match kind {
        TextKind::Code("xml") => encoding::decode_xml(bytes),
        _ => encoding::decode_as(bytes, charset(hints)),
    };
    match kind {
        TextKind::Plain => paragraphs(&text, out),
        TextKind::Markdown => markdown::read(&text, out),
        TextKind::Table { tabs } => table::read(&text, tabs.then_some('\t'), out),
        TextKind::Calendar => calendar::read(&text, out),
        TextKind::Captions => captions::read(&text, out),
        TextKind::Code(language) => out.code(Some(language), &text),
    }
}

/// The charset that a media type names.
fn charset(hints: &Hints) -> Option<&str> {
    let (_, after) = hints.media_type.as_deref()?.split_once("charset=")?;
    after.split(';').next().map(|label| label.trim_matches(['"', ' ']))
}

/// Paragraphs, one for each run of lines between blank ones.
pub fn paragraphs(text: &str, out: &mut Pieces) {
    let mut paragraph = String::new();
    for line in text.lines() {
        if !line.trim().is_empty() {
            paragraph.push_str(line);
            paragraph.push('\n');
            continue;
        }
        out.paragraph(&paragraph);
        paragraph.clear();
        if out.is_full() {
            return;
        }
    }
    out.paragraph(&paragraph);
}
