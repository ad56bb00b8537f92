//! What Circuit asks of Atlassian and what follows from what was granted: one table (sync.md, "What Atlassian allows").

use std::collections::BTreeSet;

/// A scope, and for people the reason it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedScope {
    pub scope: &'static str,
    pub reason: &'static str,
}

/// The four documented scopes, and those without which they cannot list or read anything (facts.md §0.A).
pub const DEFAULT_SCOPES: [AskedScope; 9] = [
    AskedScope {
        scope: "read:confluence-content.all",
        reason: "See which pages are restricted, so that what you may not read is not kept.",
    },
    AskedScope {
        scope: "read:confluence-space.summary",
        reason: "See the names and settings of the spaces you choose.",
    },
    AskedScope {
        scope: "read:confluence-user",
        reason: "Show who wrote and last edited a page by name.",
    },
    AskedScope {
        scope: "offline_access",
        reason: "Keep the index up to date while you are away, without asking you to sign in again.",
    },
    AskedScope {
        scope: "read:space:confluence",
        reason: "List the spaces you can choose from.",
    },
    AskedScope {
        scope: "read:page:confluence",
        reason: "Read the pages and blog posts of the spaces you choose.",
    },
    AskedScope {
        scope: "read:comment:confluence",
        reason: "Read the comments on those pages.",
    },
    AskedScope {
        scope: "read:attachment:confluence",
        reason: "Read the files attached to those pages.",
    },
    AskedScope {
        scope: "search:confluence",
        reason: "Find the comments and files of a space in few calls, and estimate how much it holds.",
    },
];

/// Something Circuit does, and the scopes that allow it.
pub struct Capability {
    /// Any one of these is enough. The first is the one Circuit asks for.
    pub any_of: &'static [&'static str],
    pub loss: Loss,
}

/// What is lost without a capability.
pub enum Loss {
    /// Nothing can be imported.
    Import,
    /// Less is imported or shown; the sentence says what, and is followed by the scope's name.
    Degraded(&'static str),
}

/// What allows the download of an attachment.
pub(crate) const DOWNLOAD_SCOPES: [&str; 2] = ["read:attachment:confluence", "readonly:content.attachment:confluence"];

/// The capabilities, by the scopes of the official OpenAPI files (`x-atlassian-oauth2-scopes`).
pub const CAPABILITIES: [Capability; 5] = [
    Capability {
        any_of: &["read:space:confluence"],
        loss: Loss::Import,
    },
    Capability {
        any_of: &["read:page:confluence"],
        loss: Loss::Import,
    },
    Capability {
        any_of: &["search:confluence", "read:content-details:confluence"],
        loss: Loss::Degraded("Comments, attachments and labels are not imported, and sizes are not estimated"),
    },
    Capability {
        any_of: &["read:confluence-user", "read:content-details:confluence"],
        loss: Loss::Degraded("Authors are not shown by name"),
    },
    Capability {
        any_of: &DOWNLOAD_SCOPES,
        loss: Loss::Degraded("Attached files are not read, and found by their names only"),
    },
];

impl Capability {
    fn given(&self, granted: &BTreeSet<String>) -> bool {
        self.any_of.iter().any(|scope| granted.contains(*scope))
    }
}

/// The scopes without which nothing can be imported and which are not among these.
pub fn missing_for_import(granted: &BTreeSet<String>) -> Vec<String> {
    CAPABILITIES
        .iter()
        .filter(|capability| matches!(capability.loss, Loss::Import) && !capability.given(granted))
        .map(|capability| capability.any_of[0].to_owned())
        .collect()
}

/// A sentence for each thing that is not done for lack of a scope.
pub fn degraded(granted: &BTreeSet<String>) -> Vec<String> {
    CAPABILITIES
        .iter()
        .filter(|capability| !capability.given(granted))
        .filter_map(|capability| match capability.loss {
            Loss::Import => None,
            Loss::Degraded(what) => Some(format!("{what}: the grant lacks {}.", capability.any_of[0])),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(scopes: &[&str]) -> BTreeSet<String> {
        scopes.iter().map(|scope| (*scope).to_owned()).collect()
    }

    #[test]
    fn the_four_documented_scopes_alone_import_nothing_and_the_missing_ones_are_named() {
        let four: Vec<&str> = DEFAULT_SCOPES[..4].iter().map(|asked| asked.scope).collect();
        assert_eq!(
            missing_for_import(&granted(&four)),
            ["read:space:confluence", "read:page:confluence"]
        );
    }

    #[test]
    fn what_circuit_asks_for_is_enough_for_everything() {
        let all: Vec<&str> = DEFAULT_SCOPES.iter().map(|asked| asked.scope).collect();
        assert!(missing_for_import(&granted(&all)).is_empty());
        assert!(degraded(&granted(&all)).is_empty());
    }

    #[test]
    fn without_search_the_feed_says_what_is_not_imported() {
        let sentences = degraded(&granted(&[
            "read:space:confluence",
            "read:page:confluence",
            "read:confluence-user",
            "read:attachment:confluence",
        ]));
        assert_eq!(sentences.len(), 1);
        assert!(sentences[0].contains("Comments, attachments") && sentences[0].contains("search:confluence"));
    }
}
