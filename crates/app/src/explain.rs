//! Why is this page missing? Given an address that a person pasted, gives why it is found here or not, and what they can do.
//!
//! What the store knows is asked first. Atlassian is asked for the document's id within the chosen spaces only, so whatever
//! stands elsewhere is neither named nor told of.

use domain::{
    ContentId, DocumentId, Error, ErrorKind, FeedId, IndexId, Result, RunId, Timestamp,
    address::{Address, Named, Place},
    document::{DocumentKind, Removal},
    feed::{Feed, FeedState},
    source::{Looked, Reach},
    space::{FeedSpace, Space},
    store::{Called, Touch},
    sync_run::{Effect, Failure, Spent},
};

use crate::{
    App, Caller,
    documents::{Hidden, Story},
};

/// Why something is found or not, and what can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub because: Because,
    /// The integration that it is about.
    pub feed: Option<FeedId>,
    /// The document, where this index knows it.
    pub document: Option<DocumentId>,
    pub offer: Option<Offer>,
    /// What asking Atlassian cost; nothing when it was not asked.
    pub spent: Spent,
}

/// What one click may do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Read this document now.
    Retry,
    /// Read everything again now.
    Resync,
    /// Choose the space.
    AddSpaces,
    /// Look at the integration, which waits for somebody.
    SeeFeed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// No address of Confluence was given.
    NotAnAddress,
    /// The index has no integration that has its site.
    NothingConnected,
    /// No integration of this index is connected to that site.
    OtherSite {
        host: String,
    },
    /// The site was named, and nothing of it that could be held.
    NothingNamed,
    /// Confluence has such things, and Circuit does not carry them.
    NotCarried {
        what: &'static str,
    },
    /// The address names a space that was not chosen.
    NotSelected {
        key: String,
    },
    /// A space that is carried, with its documents.
    Carried {
        key: String,
        documents: u64,
        archived: bool,
    },
    Found {
        title: String,
    },
    /// A walk missed it with so much else that a second one must agree.
    Doubted {
        since: Option<Timestamp>,
    },
    /// The connected account can no longer see its space.
    SpaceHidden {
        key: String,
        since: Timestamp,
    },
    DeletedHere {
        since: Option<Timestamp>,
    },
    /// A run proved it to be gone for the connected account.
    Removed {
        since: Option<Timestamp>,
        by: Option<Touch>,
    },
    Failed {
        failure: Failure,
    },
    /// The first import of its space, or of all chosen spaces, is not complete.
    Importing {
        key: Option<String>,
    },
    /// Of an archived space Atlassian tells no comments and attachments.
    ArchivedSpace {
        key: String,
    },
    /// The page of a comment or file is found, and that itself is not known.
    OnlyItsPage {
        what: DocumentKind,
        title: String,
    },
    /// Nothing of this title is held in the space; by its title alone it cannot be looked for.
    NoSuchTitle {
        key: String,
    },
    /// There, but archived or in the trash.
    PutAway,
    /// Not visible to the connected account or no longer there: the two are answered alike.
    NotVisible {
        account: Option<String>,
    },
    /// Visible, and not brought yet.
    NotSeenYet {
        kind: DocumentKind,
    },
    /// The integration does not read at present, so nothing newer is known.
    Waiting {
        state: FeedState,
    },
    /// The points of this hour are spent: Atlassian cannot be asked before.
    BudgetSpent {
        until: Timestamp,
    },
    /// The connection is at its end; in words for people.
    ConnectionEnded {
        why: String,
    },
    /// Atlassian did not answer, or not in a way that tells; in words for people.
    NoAnswer {
        why: String,
    },
}

impl App {
    /// Why what this address names is found in the index or not. For administrators: the answer may name what is no longer
    /// to be found.
    pub async fn explain(&self, caller: &Caller, index: IndexId, pasted: &str) -> Result<Explanation> {
        caller.must_manage()?;
        self.seen_index(caller, index).await?;
        let Some(address) = self.source().address(pasted) else {
            return Ok(Explanation::of(Because::NotAnAddress));
        };
        let feeds = self.store().feeds(index).await?;
        if !feeds.iter().any(|feed| feed.site.is_some()) {
            return Ok(Explanation::of(Because::NothingConnected));
        }
        let feeds: Vec<Feed> = feeds.into_iter().filter(|feed| self.is_of(feed, &address)).collect();
        if feeds.is_empty() {
            return Ok(Explanation::of(match (address.host, address.place) {
                (None, _) | (_, Place::Elsewhere) => Because::NotAnAddress,
                (Some(host), _) => Because::OtherSite { host },
            }));
        }
        self.explained(index, &feeds, address.place).await
    }

    /// Whether the address is of the feed's site. One without a host may be of any.
    fn is_of(&self, feed: &Feed, address: &Address) -> bool {
        let Some(site) = &feed.site else { return false };
        match &address.host {
            None => true,
            host => self.source().address(&site.url).is_some_and(|own| own.host == *host),
        }
    }

    async fn explained(&self, index: IndexId, feeds: &[Feed], place: Place) -> Result<Explanation> {
        let asking = Asking {
            app: self,
            index,
            carried: self.carried(feeds).await?,
        };
        match place {
            Place::Content(named) => asking.content(&named).await,
            Place::File { on, name } => asking.file(on, &name).await,
            Place::Titled { key, title } => asking.titled(key, &title).await,
            Place::Space { key } => Ok(asking.space(key)),
            Place::NotCarried { what } => Ok(Explanation::of(Because::NotCarried { what })),
            Place::Elsewhere => Ok(Explanation::of(Because::NothingNamed)),
        }
    }

    /// Feeds with their spaces; those that still run first.
    async fn carried(&self, feeds: &[Feed]) -> Result<Vec<(Feed, Vec<FeedSpace>)>> {
        let mut carried = Vec::new();
        for feed in feeds {
            carried.push((feed.clone(), self.store().feed_spaces(feed.id).await?));
        }
        carried.sort_by_key(|(feed, _)| (feed.state == FeedState::Removed, feed.id));
        Ok(carried)
    }
}

impl Explanation {
    fn of(because: Because) -> Self {
        Self {
            because,
            feed: None,
            document: None,
            offer: None,
            spent: Spent::default(),
        }
    }

    fn about(self, feed: FeedId) -> Self {
        Self {
            feed: Some(feed),
            ..self
        }
    }

    fn offering(self, offer: Offer) -> Self {
        Self {
            offer: Some(offer),
            ..self
        }
    }
}

/// One question about one site.
struct Asking<'a> {
    app: &'a App,
    index: IndexId,
    carried: Vec<(Feed, Vec<FeedSpace>)>,
}

impl Asking<'_> {
    fn space(&self, key: String) -> Explanation {
        let Some((feed, space)) = self.selected(&key) else {
            return self.not_selected(key);
        };
        let key = space.space.key.clone();
        let because = match (space.suspended_at, space.imported_at) {
            (Some(since), _) => Because::SpaceHidden { key, since },
            (None, None) => Because::Importing { key: Some(key) },
            (None, Some(_)) => Because::Carried {
                key,
                documents: space.documents,
                archived: space.archived,
            },
        };
        Explanation::of(because).about(feed.id)
    }

    fn not_selected(&self, key: String) -> Explanation {
        let explanation = Explanation::of(Because::NotSelected { key });
        match self.carried.iter().find(|(feed, _)| feed.state != FeedState::Removed) {
            Some((feed, _)) => explanation.about(feed.id).offering(Offer::AddSpaces),
            None => explanation,
        }
    }

    fn selected(&self, key: &str) -> Option<(&Feed, &FeedSpace)> {
        let of_key = |space: &&FeedSpace| space.space.key.eq_ignore_ascii_case(key);
        self.carried
            .iter()
            .find_map(|(feed, spaces)| spaces.iter().find(of_key).map(|space| (feed, space)))
    }

    async fn titled(&self, key: String, title: &str) -> Result<Explanation> {
        let Some((feed, space)) = self.selected(&key) else {
            return Ok(self.not_selected(key));
        };
        let called = Called::Page {
            space: &space.space.id,
            title,
        };
        match self.app.store().called(feed.id, called).await? {
            Some(id) => self.content(&named(id)).await,
            None => Ok(Explanation::of(Because::NoSuchTitle { key }).about(feed.id)),
        }
    }

    async fn file(&self, on: ContentId, name: &str) -> Result<Explanation> {
        for (feed, _) in &self.carried {
            let called = Called::File { on: &on, name };
            if let Some(id) = self.app.store().called(feed.id, called).await? {
                return self.content(&named(id)).await;
            }
        }
        self.of_its_page(on, DocumentKind::Attachment, None).await
    }

    async fn content(&self, named: &Named) -> Result<Explanation> {
        if let Some(held) = self.held(&named.id).await? {
            return Ok(held);
        }
        if let Some(failed) = self.failed(&named.id).await? {
            return Ok(failed);
        }
        match (named.kind, &named.on) {
            (Some(kind), Some(on)) if kind.is_optional() => self.of_its_page(on.clone(), kind, named.key.clone()).await,
            _ => self.unknown(named).await,
        }
    }

    /// A comment or a file that is not known itself. It is not asked for by its id: the answer could be of any space.
    async fn of_its_page(&self, on: ContentId, what: DocumentKind, key: Option<String>) -> Result<Explanation> {
        let page = Named { key, ..named(on) };
        let Some(explained) = self.held(&page.id).await? else {
            return match self.failed(&page.id).await? {
                Some(failed) => Ok(failed),
                None => self.unknown(&page).await,
            };
        };
        let Because::Found { title } = &explained.because else {
            return Ok(explained);
        };
        let archived = self.space_of(&explained).await?.filter(|space| space.archived);
        let because = match archived {
            Some(space) => Because::ArchivedSpace { key: space.space.key },
            None => Because::OnlyItsPage {
                what,
                title: title.clone(),
            },
        };
        Ok(Explanation { because, ..explained }.offering(Offer::Resync))
    }

    async fn space_of(&self, explained: &Explanation) -> Result<Option<FeedSpace>> {
        match &explained.document {
            Some(id) => {
                let held = self.app.store().document(self.index, id).await?;
                Ok(self.app.told(held).await?.space)
            }
            None => Ok(None),
        }
    }

    /// What the store knows of a document that is or was here.
    async fn held(&self, id: &ContentId) -> Result<Option<Explanation>> {
        let mut gone = None;
        for site in self.sites() {
            let id = DocumentId::new(site, id.as_str());
            let held = match self.app.store().document(self.index, &id).await {
                Ok(held) => held,
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error),
            };
            let explained = told(self.app.told(held).await?);
            match explained.because {
                Because::Found { .. } => return Ok(Some(explained)),
                _ => gone = gone.or(Some(explained)),
            }
        }
        Ok(gone)
    }

    fn sites(&self) -> Vec<&domain::SiteId> {
        let mut sites: Vec<&domain::SiteId> = self
            .carried
            .iter()
            .filter_map(|(feed, _)| feed.site.as_ref().map(|site| &site.id))
            .collect();
        sites.sort();
        sites.dedup();
        sites
    }

    async fn failed(&self, id: &ContentId) -> Result<Option<Explanation>> {
        for (feed, _) in &self.carried {
            let failures = self.app.store().failures_of(feed.id, id, 1).await?;
            if let Some(failure) = failures.into_iter().next() {
                let document = failure.document.clone();
                let explained = Explanation {
                    document,
                    ..Explanation::of(Because::Failed { failure })
                };
                return Ok(Some(explained.about(feed.id).offering(Offer::Retry)));
            }
        }
        Ok(None)
    }

    /// Nothing of it is known here: what its space and its integration say, and at last what Atlassian does.
    async fn unknown(&self, named: &Named) -> Result<Explanation> {
        let feeds: Vec<&(Feed, Vec<FeedSpace>)> = match &named.key {
            None => self.carried.iter().collect(),
            Some(key) => {
                let Some((feed, space)) = self.selected(key) else {
                    return Ok(self.not_selected(key.clone()));
                };
                if let Some(since) = space.suspended_at {
                    let key = space.space.key.clone();
                    return Ok(Explanation::of(Because::SpaceHidden { key, since }).about(feed.id));
                }
                self.carried
                    .iter()
                    .filter(|(carried, _)| carried.id == feed.id)
                    .collect()
            }
        };
        // Of several integrations of one site the one that sees it answers, else the first.
        let mut first = None;
        for (feed, spaces) in feeds {
            let explained = self.of_feed(feed, spaces, named).await?.about(feed.id);
            match explained.because {
                Because::NotSeenYet { .. } | Because::PutAway => return Ok(explained),
                _ => first = first.or(Some(explained)),
            }
        }
        Ok(first.unwrap_or_else(|| Explanation::of(Because::NothingConnected)))
    }

    async fn of_feed(&self, feed: &Feed, spaces: &[FeedSpace], named: &Named) -> Result<Explanation> {
        let waits = match &feed.state {
            FeedState::Active => false,
            // What is kept back from the schedule is kept for people.
            FeedState::Parked(domain::feed::Park::QuotaSpent { .. }) => false,
            FeedState::Parked(_) | FeedState::Paused | FeedState::Removed => true,
            FeedState::Connecting { .. } | FeedState::ChoosingSite | FeedState::ChoosingSpaces => true,
        };
        if waits {
            let state = feed.state.clone();
            return Ok(Explanation::of(Because::Waiting { state }).offering(Offer::SeeFeed));
        }
        let seen: Vec<Space> = spaces
            .iter()
            .filter(|space| space.suspended_at.is_none())
            .map(|space| space.space.clone())
            .collect();
        let reach = self.app.reach(feed.id).await?;
        let asked = self.asked(&reach, &seen, named).await;
        self.app.charge(feed.id, &reach).await?;
        let spent = reach.meter.read();
        let because = match asked {
            Ok(because) => because,
            Err(error) => trouble(error, self.app.now())?,
        };
        let importing = |space: &FeedSpace| space.imported_at.is_none() && space.suspended_at.is_none();
        let explained = match because {
            Because::NotSeenYet { .. } if spaces.iter().any(importing) => {
                let key = named.key.clone();
                Explanation::of(Because::Importing { key })
            }
            because @ Because::NotSeenYet { .. } => {
                let site = DocumentId::new(&reach.site.id, named.id.as_str());
                Explanation {
                    document: Some(site),
                    ..Explanation::of(because).offering(Offer::Retry)
                }
            }
            because @ Because::ConnectionEnded { .. } => Explanation::of(because).offering(Offer::SeeFeed),
            because => Explanation::of(because),
        };
        Ok(Explanation { spent, ..explained })
    }

    /// What Atlassian says: a call for each kind that it may be, and a proof that the token is alive before absence counts.
    async fn asked(&self, reach: &Reach, spaces: &[Space], named: &Named) -> Result<Because> {
        let kinds = match named.kind {
            Some(kind @ (DocumentKind::Page | DocumentKind::BlogPost)) => vec![kind],
            None => vec![DocumentKind::Page, DocumentKind::BlogPost],
            Some(DocumentKind::Comment | DocumentKind::Attachment) => Vec::new(),
        };
        let account = |account: Option<String>| Because::NotVisible { account };
        if kinds.is_empty() || spaces.is_empty() || named.id.as_str().starts_with("att") {
            return Ok(account(None));
        }
        let mut absent = true;
        for kind in kinds {
            let ids = std::slice::from_ref(&named.id);
            let Looked {
                current,
                put_away,
                absent: not_there,
                ..
            } = self.app.source().look(reach, spaces, kind, ids).await?;
            if current.contains(&named.id) {
                return Ok(Because::NotSeenYet { kind });
            }
            if put_away.contains(&named.id) {
                return Ok(Because::PutAway);
            }
            absent &= not_there.contains(&named.id);
        }
        if !absent {
            let why = "Atlassian's answer could not be read".to_owned();
            return Ok(Because::NoAnswer { why });
        }
        let me = self.app.source().me(reach).await?;
        let connection = self.app.store().connection(reach.connection).await?;
        match connection.account {
            Some(known) if known != me.account => Ok(Because::ConnectionEnded {
                why: format!(
                    "{} answers to another account than the one that connected",
                    reach.site.name
                ),
            }),
            Some(_) | None => Ok(account(Some(me.name))),
        }
    }
}

fn named(id: ContentId) -> Named {
    Named {
        id,
        kind: None,
        key: None,
        on: None,
    }
}

/// What a held document's story says.
fn told(story: Story) -> Explanation {
    let touched = |effect: Effect| story.touches.iter().find(|touch| touch.effect == effect).cloned();
    let key = story.held.space_key.clone();
    let failure = story.failures.first().cloned();
    let (because, offer) = match (story.hidden, failure) {
        (None, _) => (
            Because::Found {
                title: story.held.document.title.clone(),
            },
            None,
        ),
        (Some(Hidden::Space { since }), _) => (Because::SpaceHidden { key, since }, None),
        (Some(Hidden::Itself { why, since }), failure) => match (why, failure) {
            (Removal::DeletedHere, _) => (Because::DeletedHere { since }, None),
            (Removal::Suspended, _) => (Because::Doubted { since }, Some(Offer::Resync)),
            (Removal::GoneFromSite, Some(failure)) => (Because::Failed { failure }, Some(Offer::Retry)),
            (Removal::GoneFromSite, None) => {
                let by = touched(Effect::Removed);
                (Because::Removed { since, by }, Some(Offer::Retry))
            }
        },
    };
    Explanation {
        because,
        feed: Some(story.held.feed),
        document: Some(story.held.document.id),
        offer,
        spent: Spent::default(),
    }
}

/// A connection at its end, a spent budget, an Atlassian that is silent are answers to the question, not errors.
fn trouble(error: Error, now: Timestamp) -> Result<Because> {
    let why = error.to_string();
    match error.kind {
        ErrorKind::RateLimited { retry_after } => Ok(Because::BudgetSpent {
            until: now.plus(retry_after),
        }),
        ErrorKind::Unauthenticated | ErrorKind::Ended { .. } | ErrorKind::MissingScope { .. } => {
            Ok(Because::ConnectionEnded { why })
        }
        ErrorKind::Misconfigured
        | ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::Gone
        | ErrorKind::Unavailable => Ok(Because::NoAnswer { why }),
        ErrorKind::Invalid | ErrorKind::Conflict | ErrorKind::Internal => Err(error),
    }
}

impl Because {
    /// The run that it refers to.
    pub fn run(&self) -> Option<RunId> {
        match self {
            Self::Removed { by, .. } => by.as_ref().map(|touch| touch.run),
            Self::Failed { failure } => Some(failure.run),
            _ => None,
        }
    }
}
