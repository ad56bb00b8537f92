//! How nouns stand in rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    AccountId, ConnectionId, ContentId, DocumentId, Error, FeedId, IndexId, Result, RunId, SiteId, SpaceId, Timestamp,
    UserId,
    connection::{Connection, ConnectionState, Ending, Reconnection},
    document::{Body, CommentPlace, Document, DocumentKind, FileFacts, Known, Person, Removal},
    feed::{Feed, FeedState, Park, Schedule},
    index::Index,
    site::Site,
    space::{Estimate, FeedSpace, Space},
    store::{EffectRow, HeldFacts},
    sync_run::{Counts, Difference, Differs, Effect, Failure, Outcome, RunKind, Spent, SyncRun, Trigger},
    user::{Role, User},
};
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::dialect::failed;

/// The columns of [`Columns::known`].
pub(crate) const KNOWN: &str =
    "content_id, kind, space_id, parent_id, title, version, modified_at, labels, url, removed";

/// A row whose columns are read by name.
pub(crate) struct Columns<'r>(pub &'r SqliteRow);

impl Columns<'_> {
    pub fn text(&self, name: &str) -> Result<String> {
        self.0.try_get(name).map_err(failed)
    }
    pub fn maybe_text(&self, name: &str) -> Result<Option<String>> {
        self.0.try_get(name).map_err(failed)
    }
    pub fn number(&self, name: &str) -> Result<i64> {
        self.0.try_get(name).map_err(failed)
    }
    pub fn maybe_number(&self, name: &str) -> Result<Option<i64>> {
        self.0.try_get(name).map_err(failed)
    }
    pub fn count(&self, name: &str) -> Result<u64> {
        Ok(u64::try_from(self.number(name)?).unwrap_or(0))
    }
    pub fn instant(&self, name: &str) -> Result<Timestamp> {
        self.number(name).map(Timestamp)
    }
    pub fn maybe_instant(&self, name: &str) -> Result<Option<Timestamp>> {
        Ok(self.maybe_number(name)?.map(Timestamp))
    }
    fn maybe_duration(&self, name: &str) -> Result<Option<Duration>> {
        let number = self.maybe_number(name)?;
        Ok(number.map(|number| Duration::from_millis(u64::try_from(number).unwrap_or(0))))
    }
    fn words(&self, name: &str) -> Result<BTreeSet<String>> {
        Ok(self.text(name)?.split_whitespace().map(str::to_owned).collect())
    }

    pub fn index(&self) -> Result<Index> {
        Ok(Index {
            id: IndexId(self.number("id")?),
            name: self.text("name")?,
            description: self.text("description")?,
            created_at: self.instant("created_at")?,
        })
    }

    pub fn user(&self) -> Result<User> {
        Ok(User {
            id: UserId(self.number("id")?),
            email: self.text("email")?,
            name: self.text("name")?,
            role: match self.text("role")?.as_str() {
                "admin" => Role::Admin,
                "reader" => Role::Reader,
                other => return Err(unknown("role", other)),
            },
            created_at: self.instant("created_at")?,
        })
    }

    pub fn connection(&self) -> Result<Connection> {
        Ok(Connection {
            id: ConnectionId(self.number("id")?),
            account: self.maybe_text("account")?.map(AccountId),
            account_name: self.maybe_text("account_name")?,
            state: match self.text("state")?.as_str() {
                "active" => ConnectionState::Active,
                "needs_reconnect" => ConnectionState::NeedsReconnect {
                    ending: self.ending("ending")?,
                    why: self.maybe_text("why")?.unwrap_or_default(),
                },
                "removed" => ConnectionState::Removed,
                other => return Err(unknown("connection state", other)),
            },
            scopes: self.words("scopes")?,
            created_at: self.instant("created_at")?,
            refreshed_at: match self.maybe_instant("refreshed_at")? {
                Some(at) => at,
                None => self.instant("created_at")?,
            },
        })
    }

    /// Without the spaces, which are rows of their own.
    pub fn reconnection(&self) -> Result<Reconnection> {
        Ok(Reconnection {
            connection: ConnectionId(self.number("connection_id")?),
            person: Person {
                account: AccountId(self.text("account")?),
                name: self.text("account_name")?,
            },
            site: self.site()?,
            hidden: Vec::new(),
            asked_at: self.instant("asked_at")?,
        })
    }

    fn site(&self) -> Result<Site> {
        Ok(Site {
            id: SiteId(self.text("site_id")?),
            name: self.text("site_name")?,
            url: self.text("site_url")?,
            scopes: self.words("site_scopes")?,
        })
    }

    fn ending(&self, name: &str) -> Result<Ending> {
        match self.maybe_text(name)? {
            Some(word) => Ending::from_word(&word),
            None => Ok(Ending::Revoked),
        }
    }

    pub fn space(&self) -> Result<Space> {
        Ok(Space {
            id: SpaceId(self.text("space_id")?),
            key: self.text("key")?,
            name: self.text("name")?,
            kind: self.text("kind")?,
        })
    }

    pub fn feed(&self) -> Result<Feed> {
        let site = match self.maybe_text("site_id")? {
            None => None,
            Some(_) => Some(self.site()?),
        };
        let why = || self.maybe_text("state_why").map(Option::unwrap_or_default);
        let at = || Ok::<_, Error>(self.maybe_instant("state_at")?.unwrap_or_default());
        let state = match self.text("state")?.as_str() {
            "connecting" => FeedState::Connecting { since: at()? },
            "choosing_site" => FeedState::ChoosingSite,
            "choosing_spaces" => FeedState::ChoosingSpaces,
            "active" => FeedState::Active,
            "paused" => FeedState::Paused,
            "removed" => FeedState::Removed,
            "quota_spent" => FeedState::Parked(Park::QuotaSpent { until: at()? }),
            "misconfigured" => FeedState::Parked(Park::Misconfigured {
                why: why()?,
                until: at()?,
            }),
            "needs_reconnect" => FeedState::Parked(Park::NeedsReconnect {
                ending: self.ending("state_ending")?,
                why: why()?,
            }),
            "access_lost" => FeedState::Parked(Park::AccessLost {
                ending: self.ending("state_ending")?,
                why: why()?,
            }),
            "withdrawn" => FeedState::Parked(Park::Withdrawn { why: why()? }),
            "needs_scopes" => FeedState::Parked(Park::NeedsScopes {
                missing: why()?.split_whitespace().map(str::to_owned).collect(),
            }),
            other => return Err(unknown("feed state", other)),
        };
        Ok(Feed {
            id: FeedId(self.number("id")?),
            index: IndexId(self.number("index_id")?),
            connection: self.maybe_number("connection_id")?.map(ConnectionId),
            site,
            state,
            schedule: self.schedule()?,
            whole_waits_until: self.maybe_instant("whole_waits_until")?,
            created_at: self.instant("created_at")?,
        })
    }

    fn schedule(&self) -> Result<Schedule> {
        Ok(Schedule {
            changes_every: Duration::from_millis(self.count("changes_every_ms")?),
            walk_every: self.maybe_duration("walk_every_ms")?,
            probe_every: self.maybe_duration("probe_every_ms")?,
        })
    }

    pub fn feed_space(&self) -> Result<FeedSpace> {
        let estimate = Estimate {
            pages: self.count("pages")?,
            blog_posts: self.count("blog_posts")?,
            comments: self.count("comments")?,
            attachments: self.count("attachments")?,
            labelled: None,
        };
        Ok(FeedSpace {
            space: self.space()?,
            added_at: self.instant("added_at")?,
            imported_at: self.maybe_instant("imported_at")?,
            suspended_at: self.maybe_instant("suspended_at")?,
            doubted_at: self.maybe_instant("doubted_at")?,
            archived: self.number("archived")? != 0,
            walked: BTreeMap::new(),
            estimate: (self.number("estimated")? != 0).then_some(estimate),
            documents: self.count("documents")?,
        })
    }

    pub fn run(&self) -> Result<SyncRun> {
        let why = || self.maybe_text("why").map(Option::unwrap_or_default);
        let outcome = match self.maybe_text("outcome")?.as_deref() {
            None => None,
            Some("complete") => Some(Outcome::Complete),
            Some("parked") => Some(Outcome::Parked { why: why()? }),
            Some("failed") => Some(Outcome::Failed { why: why()? }),
            Some("stopped") => Some(Outcome::Stopped { why: why()? }),
            Some(other) => return Err(unknown("outcome", other)),
        };
        Ok(SyncRun {
            id: RunId(self.number("id")?),
            feed: FeedId(self.number("feed_id")?),
            kind: self.run_kind("kind")?,
            trigger: trigger(&self.text("cause")?)?,
            started_at: self.instant("started_at")?,
            ended_at: self.maybe_instant("ended_at")?,
            outcome,
            counts: Counts {
                seen: self.count("seen")?,
                added: self.count("added")?,
                changed: self.count("changed")?,
                unchanged: self.count("unchanged")?,
                removed: self.count("removed")?,
                skipped: self.count("skipped")?,
                failed: self.count("failed")?,
                differing: self.count("differing")?,
            },
            spent: Spent {
                calls: self.count("calls")?,
                points: self.count("points")?,
            },
        })
    }

    pub fn run_kind(&self, name: &str) -> Result<RunKind> {
        match self.text(name)?.as_str() {
            "import" => Ok(RunKind::Import),
            "changes" => Ok(RunKind::Changes),
            "walk" => Ok(RunKind::Walk),
            "probe" => Ok(RunKind::Probe),
            "verify" => Ok(RunKind::Verify),
            "files" => Ok(RunKind::Files),
            other => Err(unknown("run kind", other)),
        }
    }

    pub fn document(&self) -> Result<Document> {
        let kind = DocumentKind::from_word(&self.text("kind")?)?;
        let body = match self.text("body_format")?.as_str() {
            "storage" => Body::Storage(self.text("body")?),
            "adf" => Body::Adf(self.text("body")?),
            "file" => Body::File(self.text("body")?),
            "none" => Body::None,
            other => return Err(unknown("body format", other)),
        };
        let comment = match self.maybe_number("comment_inline")? {
            None => None,
            Some(inline) => Some(CommentPlace {
                inline: inline != 0,
                reply_to: self.maybe_text("comment_reply_to")?.map(ContentId),
                resolution: self.maybe_text("comment_resolution")?,
                quoted: self.maybe_text("comment_quoted")?,
            }),
        };
        let file = match kind {
            DocumentKind::Attachment => Some(FileFacts {
                media_type: self.maybe_text("file_media_type")?,
                size_bytes: self
                    .maybe_number("file_size_bytes")?
                    .and_then(|size| u64::try_from(size).ok()),
                file_id: self.maybe_text("file_id")?,
            }),
            DocumentKind::Page | DocumentKind::BlogPost | DocumentKind::Comment => None,
        };
        Ok(Document {
            id: DocumentId {
                site: SiteId(self.text("site_id")?),
                content: ContentId(self.text("content_id")?),
            },
            kind,
            space: SpaceId(self.text("space_id")?),
            parent: self.maybe_text("parent_id")?.map(ContentId),
            title: self.text("title")?,
            version: u32::try_from(self.number("version")?).unwrap_or(0),
            created_at: self.instant("created_at")?,
            modified_at: self.instant("modified_at")?,
            author: self.maybe_text("author")?.map(AccountId),
            editor: self.maybe_text("editor")?.map(AccountId),
            labels: self.text("labels")?.lines().map(str::to_owned).collect(),
            url: self.text("url")?,
            body,
            comment,
            file,
        })
    }

    pub fn effect(&self) -> Result<Effect> {
        let word = self.text("effect")?;
        let effect = Effect::ALL.into_iter().find(|effect| effect.word() == word);
        effect.ok_or_else(|| unknown("effect", &word))
    }

    pub fn effect_row(&self) -> Result<EffectRow> {
        Ok(EffectRow {
            id: DocumentId {
                site: SiteId(self.text("site_id")?),
                content: ContentId(self.text("content_id")?),
            },
            kind: DocumentKind::from_word(&self.text("kind")?)?,
            effect: self.effect()?,
            title: self.text("title")?,
            url: self.text("url")?,
        })
    }

    pub fn failure(&self) -> Result<Failure> {
        let document = self.maybe_text("site_id")?.zip(self.maybe_text("content_id")?);
        Ok(Failure {
            run: RunId(self.number("run_id")?),
            document: document.map(|(site, content)| DocumentId {
                site: SiteId(site),
                content: ContentId(content),
            }),
            kind: self.maybe_kind()?,
            title: self.text("title")?,
            why: self.text("why")?,
            at: self.instant("at")?,
        })
    }

    pub fn maybe_kind(&self) -> Result<Option<DocumentKind>> {
        self.maybe_text("kind")?
            .map(|word| DocumentKind::from_word(&word))
            .transpose()
    }

    /// Of [`KNOWN`] columns.
    pub fn held_facts(&self) -> Result<HeldFacts> {
        let known = self.known()?;
        Ok(HeldFacts {
            id: ContentId(self.text("content_id")?),
            kind: known.kind,
            space: known.space,
            parent: known.parent,
            title: known.title,
            version: known.version,
            url: known.url,
        })
    }

    pub fn difference(&self) -> Result<Difference> {
        let word = self.text("differs")?;
        let differs = Differs::ALL.into_iter().find(|differs| differs.word() == word);
        Ok(Difference {
            id: ContentId(self.text("content_id")?),
            kind: DocumentKind::from_word(&self.text("kind")?)?,
            space: SpaceId(self.text("space_id")?),
            differs: differs.ok_or_else(|| unknown("difference", &word))?,
            title: self.text("title")?,
            url: self.text("url")?,
            held: self.text("held")?,
            other: self.text("on_site")?,
        })
    }

    pub fn known(&self) -> Result<Known> {
        Ok(Known {
            kind: DocumentKind::from_word(&self.text("kind")?)?,
            space: SpaceId(self.text("space_id")?),
            parent: self.maybe_text("parent_id")?.map(ContentId),
            title: self.text("title")?,
            version: u32::try_from(self.number("version")?).unwrap_or(0),
            modified_at: self.instant("modified_at")?,
            labels: self.text("labels")?.lines().map(str::to_owned).collect(),
            url: self.text("url")?,
            removed: self.removal()?,
        })
    }

    pub fn removal(&self) -> Result<Option<Removal>> {
        Ok(match self.maybe_text("removed")?.as_deref() {
            None => None,
            Some("gone") => Some(Removal::GoneFromSite),
            Some("suspended") => Some(Removal::Suspended),
            Some("deleted") => Some(Removal::DeletedHere),
            Some(other) => return Err(unknown("removal", other)),
        })
    }
}

pub(crate) fn trigger(word: &str) -> Result<Trigger> {
    match word {
        "person" => Ok(Trigger::Person),
        "schedule" => Ok(Trigger::Schedule),
        other => Err(unknown("trigger", other)),
    }
}

fn unknown(what: &str, word: &str) -> Error {
    Error::internal(format!(
        "the store holds a {what} that this version does not know: {word:?}"
    ))
}
