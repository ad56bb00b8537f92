//! A site of Atlassian Cloud, as `accessible-resources` names it.

use std::collections::BTreeSet;

use crate::SiteId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub id: SiteId,
    /// The site's name, such as `acme`.
    pub name: String,
    /// Where people open it, such as `https://acme.atlassian.net`.
    pub url: String,
    /// What this grant may do there.
    pub scopes: BTreeSet<String>,
}
