//! Given the headings of a document in order, gives the ids that Confluence gives them.
//!
//! Confluence Cloud shows a page with the renderer of Atlassian's editor, whose heading has its own text for an id: what
//! stands around it cut off, each blank a hyphen, and `.1`, `.2` … after one that is there already.

use std::collections::BTreeMap;

use crate::block::{Inline, Span};

#[derive(Default)]
pub struct Anchors {
    /// Ids that are taken, each with the next number to try after it.
    taken: BTreeMap<String, u32>,
}

impl Anchors {
    pub fn next(&mut self, heading: &[Span]) -> String {
        let base = base(heading);
        if base.is_empty() {
            return base;
        }
        let Some(next) = self.taken.get_mut(&base) else {
            self.taken.insert(base.clone(), 1);
            return base;
        };
        let mut number = *next;
        let mut anchor = format!("{base}.{number}");
        // Only a heading that was itself written with a number is in the way.
        while self.taken.contains_key(&anchor) {
            number += 1;
            anchor = format!("{base}.{number}");
        }
        self.taken.insert(base, number + 1);
        self.taken.insert(anchor.clone(), 1);
        anchor
    }
}

fn base(heading: &[Span]) -> String {
    let mut text = String::new();
    for span in heading {
        match &span.inline {
            Inline::Words(words) | Inline::Status(words) => text.push_str(words),
            Inline::Mention { name, .. } => {
                text.push('@');
                text.push_str(name.as_deref().unwrap_or_default());
            }
            // The renderer names what has no text by its kind.
            Inline::Break => text.push_str("[hardBreak]"),
            Inline::Date(_) => text.push_str("[date]"),
            Inline::Math(_) => text.push_str("[inlineExtension]"),
            Inline::Image(_) => text.push_str("[mediaInline]"),
        }
    }
    let hyphened = |c: char| if c.is_whitespace() { '-' } else { c };
    text.trim().chars().map(hyphened).collect()
}
