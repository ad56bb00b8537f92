//! Given a feed's picture, gives its story for people: what happened, what it means, what to do.

use app::progress::FeedPicture;
use domain::{
    Timestamp,
    connection::Ending,
    feed::{FeedState, Park},
    job::Standing,
};

use super::{
    moment::Moment,
    page::{grouped, sentence},
};

/// What was brought so far is there whatever happened to the connection.
const STAYS: &str = "What was imported stays and can be searched, but nothing new comes in.";

/// In sentences; none when there is nothing to tell.
pub fn story(picture: &FeedPicture) -> Vec<String> {
    let mut story = match &picture.feed.state {
        FeedState::Parked(park) => parked(park),
        FeedState::Paused => {
            told(&["Nothing new comes in until somebody chooses Resume. What is here can be searched."])
        }
        FeedState::Removed => told(&[
            "This integration was removed: its tokens are deleted and nothing is fetched any more.",
            "Its documents stayed and can be searched until somebody deletes them.",
        ]),
        FeedState::Active if picture.spaces.is_empty() => {
            told(&["No space was chosen yet. Add spaces to begin the import."])
        }
        FeedState::Active => dead(picture.job.as_ref())
            .into_iter()
            .chain(picture.next.whole_waits.map(without_points))
            .chain(out_of_sight(picture))
            .chain(files_waiting(picture.files_waiting))
            .collect(),
        FeedState::Connecting { .. } | FeedState::ChoosingSite | FeedState::ChoosingSpaces => Vec::new(),
    };
    story.extend(picture.ends_soon.map(|at| {
        format!(
            "The consent behind this connection is nearly a year old, and Atlassian may end it about {}. Reconnect before \
             then, and nothing is interrupted.",
            Moment::new(at).day
        )
    }));
    story
}

/// Whether the feed's job failed too often to be tried again by itself.
pub fn is_dead(picture: &FeedPicture) -> bool {
    match picture.job {
        Some(Standing::Dead { .. }) => picture.feed.state == FeedState::Active,
        Some(Standing::Waits { .. } | Standing::Runs) | None => false,
    }
}

fn files_waiting(count: u64) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 attached file waits to be read. Until then it is found by its name.".to_owned()),
        many => Some(format!(
            "{} attached files wait to be read. Until then they are found by their names.",
            grouped(many)
        )),
    }
}

fn told(sentences: &[&str]) -> Vec<String> {
    sentences.iter().map(|sentence| (*sentence).to_owned()).collect()
}

fn without_points(until: Timestamp) -> String {
    format!(
        "This hour's points for reading everything again are spent: that goes on by itself at {}. What people write is looked \
         for as always; you need not do anything.",
        Moment::new(until).minute
    )
}

/// When nothing of any space can be seen.
fn out_of_sight(picture: &FeedPicture) -> Vec<String> {
    let suspended = picture.spaces.iter().all(|space| space.suspended_at.is_some());
    match suspended {
        true => told(&[
            "Atlassian shows nothing of the chosen spaces to the connected person any more.",
            "What was imported is kept and not found; it comes back by itself when pages are shown again.",
            "Ask an admin of the site whether a permission, or an app access rule, was changed.",
        ]),
        false => Vec::new(),
    }
}

fn dead(job: Option<&Standing>) -> Vec<String> {
    match job {
        Some(Standing::Dead { at, why }) => vec![
            format!("The passes failed again and again, the last time at {}.", Moment::new(*at).minute),
            sentence(why),
            "Trying once more by itself would not mend it. Mend what it names, look into the log, then choose Try again."
                .to_owned(),
        ],
        Some(Standing::Waits { .. } | Standing::Runs) | None => Vec::new(),
    }
}

fn parked(park: &Park) -> Vec<String> {
    match park {
        Park::QuotaSpent { until } => vec![
            "The points that Atlassian grants Circuit each hour are spent.".to_owned(),
            "What was brought so far can be searched, and nothing has to be fetched twice.".to_owned(),
            format!(
                "It goes on by itself at {}; you need not do anything.",
                Moment::new(*until).minute
            ),
        ],
        Park::Misconfigured { why, until } => vec![
            sentence(why),
            "Nobody has to reconnect: the connection lives, and what was imported stays.".to_owned(),
            format!(
                "An operator of this Circuit puts it right under Atlassian app or in the configuration. It is tried again \
                 by itself at {}.",
                Moment::new(*until).minute
            ),
        ],
        Park::NeedsReconnect { ending, why } | Park::AccessLost { ending, why } => {
            vec![sentence(why), STAYS.to_owned(), remedy(*ending).to_owned()]
        }
        Park::NeedsScopes { .. } => told(&[
            "Atlassian connected Circuit, but without permissions that reading needs.",
            "Nothing can be imported until they are granted.",
            "Add these scopes to the Atlassian app in the developer console, then Reconnect and accept them:",
        ]),
        Park::Withdrawn { why } => vec![
            sentence(why),
            STAYS.to_owned(),
            "Update Circuit: a newer version may know another way. After an update it is tried again by itself; or choose \
             Try again."
                .to_owned(),
        ],
    }
}

fn remedy(ending: Ending) -> &'static str {
    match ending {
        Ending::Revoked => "Reconnect to go on syncing.",
        Ending::Expired => {
            "Reconnect to go on syncing. A connection lives for ninety days after its last use, and for about a year in all."
        }
        Ending::SiteRemoved => {
            "Ask an admin of the site whether they removed Circuit (Atlassian Administration, Apps, Connected apps). Then \
             Reconnect and tick the site on Atlassian's page; if it was allowed again already, choose Try again."
        }
        Ending::NoConfluence => {
            "Ask an admin of the site to let this person use Confluence again, then choose Try again. Or Reconnect with an \
             account that may."
        }
        Ending::Anonymous => "Reconnect, and tick the site on Atlassian's page.",
        Ending::OtherAccount => {
            "Reconnect with the account that this integration was connected with, or with another: you are asked before \
             anything changes."
        }
        Ending::HiddenFromApp => {
            "Ask an admin of the site to let Circuit through their app access rule (Atlassian Administration, Security, Data \
             security policies), then choose Try again. Until then these spaces are kept out of search."
        }
    }
}
