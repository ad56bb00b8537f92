//! Given documents, gives whom they mention and the names of everybody in them that are not known yet.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, ContentId, Error, ErrorKind, Result, RunId, SiteId,
    document::{Document, Held, MENTIONS_MAX, Person},
    source::{PEOPLE_MAX, Reach},
    store::{NAME_LIFE, Store},
    sync_run::Spent,
};

use crate::run::Ports;

/// So much text is read in less time than another thread takes to begin.
const BYTES_IN_PLACE: usize = 16 << 10;
/// The most people whose names one run asks for only because a text mentions them: fifty calls.
const MENTIONED_ASKED_MAX: usize = 5_000;
/// The longest account id in a text that is believed to be one, in bytes: those of Atlassian have up to 70.
const ACCOUNT_BYTES_MAX: usize = 128;

/// Whom each document mentions; documents that mention nobody are absent.
pub type Mentions = BTreeMap<ContentId, BTreeSet<AccountId>>;

/// What a run remembers of the names it asked for.
#[derive(Debug)]
pub struct Asked {
    /// Accounts whose names could not be read in this run: not asked for again in it.
    nameless: BTreeSet<AccountId>,
    mentioned_left: usize,
}

impl Asked {
    pub fn new() -> Self {
        Self {
            nameless: BTreeSet::new(),
            mentioned_left: MENTIONED_ASKED_MAX,
        }
    }
}

/// What documents tell of people.
#[derive(Debug, Default)]
pub struct Named {
    /// Whoever was asked for; those whom Atlassian does not name, too, without a name.
    pub people: Vec<Person>,
    pub mentions: Mentions,
    pub spent: Spent,
}

/// Whom these documents mention, and the names of all people in them whose names are not known yet.
pub async fn named(
    ports: &Ports,
    reach: &Reach,
    run: RunId,
    asked: &mut Asked,
    documents: &[Document],
) -> Result<Named> {
    let mentions = mentions(documents.iter()).await?;
    let writers: BTreeSet<AccountId> = documents
        .iter()
        .flat_map(|document| [&document.author, &document.editor])
        .flatten()
        .cloned()
        .collect();
    let mut accounts = writers.clone();
    accounts.extend(mentions.values().flatten().cloned());
    accounts.retain(|account| !asked.nameless.contains(account));
    let unknown = match accounts.is_empty() {
        true => Vec::new(),
        false => {
            let since = ports.clock.now().minus(NAME_LIFE);
            ports.store.unknown_people(&reach.site.id, &accounts, since).await?
        }
    };
    let (writing, mut mentioned): (Vec<AccountId>, Vec<AccountId>) =
        unknown.into_iter().partition(|account| writers.contains(account));
    mentioned.truncate(asked.mentioned_left);
    asked.mentioned_left -= mentioned.len();
    let mut named = Named {
        mentions,
        ..Named::default()
    };
    // Writers first: what a text holds may be nobody's account, and should not cost them their names.
    let unknown: Vec<AccountId> = writing.iter().chain(&mentioned).cloned().collect();
    for some in unknown.chunks(PEOPLE_MAX) {
        let writing = some.iter().filter(|account| writers.contains(account)).count();
        let answered = ask(ports, reach, run, some, &mut named).await?;
        if !answered && 0 < writing && writing < some.len() {
            ask(ports, reach, run, &some[..writing], &mut named).await?;
        }
    }
    let with_name = |account: &&AccountId| {
        named
            .people
            .iter()
            .any(|person| person.account == **account && !person.name.is_empty())
    };
    let nameless: Vec<AccountId> = unknown.iter().filter(|account| !with_name(account)).cloned().collect();
    asked.nameless.extend(nameless);
    Ok(named)
}

/// Asks for the names of these; whether the question was one that Atlassian answers.
async fn ask(ports: &Ports, reach: &Reach, run: RunId, accounts: &[AccountId], named: &mut Named) -> Result<bool> {
    match ports.source.people(reach, accounts).await {
        Ok((found, price)) => {
            let unnamed = accounts
                .iter()
                .filter(|account| found.iter().all(|person| person.account != **account))
                .map(|account| Person {
                    account: account.clone(),
                    name: String::new(),
                });
            named.people.extend(unnamed);
            named.people.extend(found);
            named.spent = named.spent.plus(price);
            Ok(true)
        }
        // A page without its author's name is better than no page.
        Err(error) if tolerable(&error) => {
            tracing::warn!(run.id = %run, "Names of {} people could not be read: {error}", accounts.len());
            Ok(!matches!(error.kind, ErrorKind::Invalid | ErrorKind::NotFound))
        }
        Err(error) => Err(error),
    }
}

/// Errors about names that do not concern the documents themselves.
fn tolerable(error: &Error) -> bool {
    use ErrorKind::*;
    match error.kind {
        Forbidden | NotFound | Gone | MissingScope { .. } | Invalid | Unavailable => true,
        // An answer that was paid for is kept: were it dropped for its names, a small budget would never get past it.
        RateLimited { .. } => true,
        Unauthenticated | Ended { .. } | Misconfigured | Conflict | Internal => false,
    }
}

/// The names of those whom these documents mention, by site: one query for each site.
pub async fn names_of_mentioned(
    store: &dyn Store,
    held: &[Held],
) -> Result<BTreeMap<SiteId, BTreeMap<AccountId, String>>> {
    let found = held.iter().filter(|held| held.removed.is_none());
    let sites: BTreeMap<ContentId, SiteId> = found
        .clone()
        .map(|held| (held.document.id.content.clone(), held.document.id.site.clone()))
        .collect();
    let mut by_site: BTreeMap<SiteId, BTreeSet<AccountId>> = BTreeMap::new();
    for (document, accounts) in mentions(found.map(|held| &held.document)).await? {
        if let Some(site) = sites.get(&document) {
            by_site.entry(site.clone()).or_default().extend(accounts);
        }
    }
    let mut names = BTreeMap::new();
    for (site, accounts) in by_site {
        let known = store.names(&site, &accounts).await?;
        names.insert(site, known);
    }
    Ok(names)
}

async fn mentions<'a>(documents: impl Iterator<Item = &'a Document>) -> Result<Mentions> {
    let naming: Vec<&Document> = documents.filter(|document| may_mention(document)).collect();
    let bytes: usize = naming.iter().map(|document| document.body.text().len()).sum();
    if bytes <= BYTES_IN_PLACE {
        return Ok(naming.into_iter().filter_map(mentioned).collect());
    }
    let naming: Vec<Document> = naming.into_iter().cloned().collect();
    let done = tokio::task::spawn_blocking(move || naming.iter().filter_map(mentioned).collect());
    done.await
        .map_err(|panic| Error::internal("documents could not be read for whom they mention").because(panic))
}

/// Whether reading the text for people is worth it: both formats name them by these words.
fn may_mention(document: &Document) -> bool {
    let text = document.body.text();
    text.contains("account-id") || text.contains("mention")
}

fn mentioned(document: &Document) -> Option<(ContentId, BTreeSet<AccountId>)> {
    let accounts = extract::mentioned(&extract::blocks(document));
    let accounts: BTreeSet<AccountId> = accounts.into_iter().filter(is_account).take(MENTIONS_MAX).collect();
    (!accounts.is_empty()).then(|| (document.id.content.clone(), accounts))
}

/// What stands in a text may be anything.
fn is_account(account: &AccountId) -> bool {
    let text = account.as_str();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_');
    !text.is_empty() && text.len() <= ACCOUNT_BYTES_MAX && text.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use domain::AccountId;

    use super::is_account;

    #[test]
    fn what_a_text_calls_an_account_is_asked_for_only_when_it_may_be_one() {
        for account in ["5b10ac8d82e05b22cc7d4ef5", "712020:0a1b-2c", "qm:ab_c:1"] {
            assert!(is_account(&AccountId::new(account)), "{account}");
        }
        let long = "a".repeat(129);
        for nobody in ["", "a b", "a&accountId=b", "../x", "ä", long.as_str()] {
            assert!(!is_account(&AccountId::new(nobody)), "{nobody}");
        }
    }
}
