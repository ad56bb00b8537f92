//! Given why something is found or missing, gives it in words: what that means, and what to do. Both doors say the same.

use app::explain::Because;
use domain::{
    Timestamp,
    document::DocumentKind,
    feed::{FeedState, Park},
    store::Touch,
    sync_run::RunKind,
};

use crate::web::{moment::Moment, page::sentence};

/// An explanation in words.
pub struct Words {
    /// For programs, and stable.
    pub reason: &'static str,
    /// One sentence.
    pub said: String,
    /// What to do; none when there is nothing to be done.
    pub todo: Option<&'static str>,
}

/// What this means.
pub fn words(because: &Because) -> Words {
    let of = |reason, said: String, todo: &'static str| Words {
        reason,
        said,
        todo: Some(todo).filter(|todo| !todo.is_empty()),
    };
    match because {
        Because::NotAnAddress => of(
            "not_an_address",
            "This is not the address of something in Confluence.".into(),
            "Open the page in Confluence, and copy its address from the browser or from Share.",
        ),
        Because::NothingConnected => of(
            "nothing_connected",
            "This index is not connected to any Confluence site.".into(),
            "Make an integration first.",
        ),
        Because::OtherSite { host } => of(
            "other_site",
            format!("No integration of this index is connected to {host}."),
            "Make an integration for that site, or ask in the index that has one.",
        ),
        Because::NothingNamed => of(
            "nothing_named",
            "The address is of a connected site, and names no page, blog post, comment, file or space.".into(),
            "Open the page itself, and copy its address.",
        ),
        Because::NotCarried { what } => of(
            "not_carried",
            format!(
                "It is a {what}, which Circuit does not carry: it carries pages, blog posts, comments and attachments."
            ),
            "",
        ),
        Because::NotSelected { key } => of(
            "not_selected",
            format!("It is in the space {key}, which is not among the chosen ones; Confluence was not asked about it."),
            "Add the space to the integration. If the space has another key by now, use its present address.",
        ),
        Because::Carried {
            key,
            documents,
            archived,
        } => carried(key, *documents, *archived),
        Because::Found { title } => of(
            "found",
            format!("It is here: “{title}”."),
            "Search for words of its text.",
        ),
        Because::Doubted { since } => of(
            "doubted",
            format!(
                "It is kept out of search{}: the last complete reading did not show it, with so much else that a second one \
                 must agree.",
                since_when(*since)
            ),
            "The second reading comes by itself within the hour; a re-sync makes it now.",
        ),
        Because::SpaceHidden { key, since } => of(
            "space_hidden",
            format!(
                "Its space {key} is kept out of search since {}: the connected account can no longer see it.",
                Moment::new(*since).minute
            ),
            "Give the connected account permission for the space; it comes back by itself then.",
        ),
        Because::DeletedHere { since } => of(
            "deleted_here",
            format!(
                "A person deleted it from this index{}, and syncing does not bring it back.",
                on_day(*since)
            ),
            "",
        ),
        Because::Removed { since, by } => of(
            "removed",
            removed(*since, by.as_ref()),
            "If it is there again, have it read now.",
        ),
        Because::Failed { failure } => of(
            "failed",
            format!(
                "Run {} could not read it: {}.",
                failure.run,
                failure.why.trim_end_matches('.')
            ),
            "It is tried again with the next reading of everything; or have it read now.",
        ),
        Because::Importing { key: Some(key) } => of(
            "importing",
            format!("The first import of {key} is not complete: it is on its way."),
            "Wait until the import is done.",
        ),
        Because::Importing { key: None } => of(
            "importing",
            "The first import is not complete: it is on its way.".into(),
            "Wait until the import is done.",
        ),
        Because::ArchivedSpace { key } => of(
            "archived_space",
            format!(
                "Its page is here; the space {key} is archived, and of archived spaces Atlassian does not tell comments and attachments."
            ),
            "Restore the space in Confluence to have them followed again.",
        ),
        Because::OnlyItsPage { what, title } => of(
            "only_its_page",
            format!(
                "Its page “{title}” is here, but not this {}: it was deleted, or not seen yet.",
                match what {
                    DocumentKind::Comment => "comment",
                    DocumentKind::Attachment => "attachment",
                    DocumentKind::Page | DocumentKind::BlogPost => "document",
                }
            ),
            "Atlassian tells of new ones after a minute or more; a re-sync reads all of them.",
        ),
        Because::NoSuchTitle { key } => of(
            "no_such_title",
            format!(
                "Nothing of this title is held of the space {key}, and by its title alone it cannot be looked for."
            ),
            "Open the page in Confluence, and copy the address that has a number in it.",
        ),
        Because::PutAway => of(
            "put_away",
            "Confluence has it, but archived or in the trash, so it is not brought.".into(),
            "Restore it in Confluence; it comes by itself then.",
        ),
        Because::NotVisible { account } => of(
            "not_visible",
            format!(
                "In the chosen spaces Confluence does not show it to {}: it may be restricted, in another space, or no longer \
                 there, which Confluence answers alike.",
                account.as_deref().unwrap_or("the connected account")
            ),
            "Open it in Confluence as that account. If it is in another space, add that space; if it is restricted, have the \
             account allowed.",
        ),
        Because::NotSeenYet { kind } => of(
            "not_seen_yet",
            format!(
                "The connected account can see this {}, and it was not brought yet.",
                match kind {
                    DocumentKind::BlogPost => "blog post",
                    DocumentKind::Page | DocumentKind::Comment | DocumentKind::Attachment => "page",
                }
            ),
            "It comes with the next look at changes or the next walk; or have it read now.",
        ),
        Because::Waiting { state } => waiting(state),
        Because::BudgetSpent { until } => of(
            "budget_spent",
            format!(
                "It is not here, and the points of this hour are spent: Atlassian cannot be asked before {}.",
                Moment::new(*until).minute
            ),
            "Ask again then.",
        ),
        Because::ConnectionEnded { why } => of(
            "connection_ended",
            format!(
                "It is not here, and Atlassian does not answer this connection any more: {}",
                sentence(why)
            ),
            "Reconnect the integration, then ask again.",
        ),
        Because::NoAnswer { why } => of(
            "no_answer",
            format!("It is not here, and Atlassian did not tell why: {}", sentence(why)),
            "Ask again in a few minutes.",
        ),
    }
}

fn carried(key: &str, documents: u64, archived: bool) -> Words {
    let also = match archived {
        true => " It is archived: its pages are read, new comments and attachments are not told of.",
        false => "",
    };
    let documents = match documents {
        1 => "1 document".to_owned(),
        documents => format!("{documents} documents"),
    };
    Words {
        reason: "carried",
        said: format!("The space {key} is carried, with {documents}.{also}"),
        todo: Some("Paste the address of the page that you miss."),
    }
}

fn since_when(since: Option<Timestamp>) -> String {
    since.map_or_else(String::new, |at| format!(" since {}", Moment::new(at).minute))
}

fn on_day(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| format!(" on {}", Moment::new(at).day))
}

fn removed(since: Option<Timestamp>, by: Option<&Touch>) -> String {
    let when = on_day(since);
    let Some(touch) = by else {
        return format!("It was removed{when}: Confluence no longer showed it to the connected account.");
    };
    let what = match touch.kind {
        RunKind::Walk => "it read everything and no longer saw it",
        RunKind::Probe => "it asked what is still visible, and was told that this is not",
        RunKind::Import | RunKind::Changes | RunKind::Verify | RunKind::Files => "it no longer saw it",
    };
    format!(
        "Run {} removed it{when}: {what}, so it was deleted, archived, moved out of the chosen spaces, or closed to \
         the connected account.",
        touch.run
    )
}

fn waiting(state: &FeedState) -> Words {
    let (why, todo) = match state {
        FeedState::Paused => ("is paused", "Resume the integration."),
        FeedState::Removed => ("was removed", "Make a new integration for the site."),
        FeedState::Connecting { .. } | FeedState::ChoosingSite | FeedState::ChoosingSpaces => {
            ("is not set up to its end", "Choose its site and its spaces.")
        }
        FeedState::Parked(Park::NeedsReconnect { .. }) => ("needs to be reconnected", "Reconnect the integration."),
        FeedState::Parked(Park::NeedsScopes { .. }) => {
            ("lacks permissions at Atlassian", "See what it lacks, and reconnect.")
        }
        FeedState::Parked(Park::AccessLost { .. }) => (
            "is kept from reading by an admin of the site",
            "See what happened on its page.",
        ),
        FeedState::Parked(Park::Misconfigured { .. }) => {
            ("waits for the operator of this Circuit", "See why on its page.")
        }
        FeedState::Parked(Park::Withdrawn { .. }) => ("waits for a newer Circuit", "See why on its page."),
        FeedState::Parked(Park::QuotaSpent { .. }) | FeedState::Active => ("waits", "Ask again in a while."),
    };
    Words {
        reason: "waiting",
        said: format!("It is not here, and the integration {why}, so nothing newer comes in."),
        todo: Some(todo),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_whole_sentences_without_a_title_that_was_not_held() {
        for because in [
            Because::NotAnAddress,
            Because::NothingConnected,
            Because::NotSelected { key: "HR".into() },
            Because::Removed {
                since: Some(Timestamp(0)),
                by: None,
            },
            Because::Waiting {
                state: FeedState::Paused,
            },
            Because::NoAnswer {
                why: "the gateway is silent".into(),
            },
            Because::BudgetSpent { until: Timestamp(0) },
        ] {
            let words = words(&because);
            assert!(
                words.said.ends_with('.') && !words.said.contains(".."),
                "{}",
                words.said
            );
            assert!(words.todo.is_none_or(|todo| todo.ends_with('.')), "{}", words.reason);
        }
    }
}
