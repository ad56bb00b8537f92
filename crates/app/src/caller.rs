//! Whoever asks now, and what is there for them.

use domain::{
    Error, FeedId, IndexId, Result, RunId,
    feed::Feed,
    index::Index,
    sync_run::SyncRun,
    user::{KeyLimits, KeyRight, Role, User},
};

use crate::App;

/// A proven user, and how they were proven. Only `users` makes one.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: User,
    pub via: Via,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// A browser's session, by its digest.
    Session { digest: String },
    /// An API key, which may reach less far than its owner.
    ApiKey(KeyLimits),
    /// The command line on the machine itself.
    Machine,
}

impl Caller {
    /// Reading and searching is for everybody with an account; changing things is for administrators, and for keys that
    /// may.
    pub(crate) fn must_manage(&self) -> Result<()> {
        match self.user.role {
            Role::Admin => {}
            Role::Reader => return Err(Error::forbidden("only an administrator may do this")),
        }
        self.must_change()
    }

    /// Changes of one's own, which need no administrator: a key that may only read makes none.
    pub(crate) fn must_change(&self) -> Result<()> {
        match self.limits().map(|limits| limits.right) {
            Some(KeyRight::Read) => Err(Error::forbidden(
                "this API key may only search and read; use one that may manage",
            )),
            Some(KeyRight::Manage) | None => Ok(()),
        }
    }

    /// What belongs to no index is not for a key of certain indexes.
    pub(crate) fn must_manage_everything(&self) -> Result<()> {
        self.must_manage()?;
        match self.limits() {
            Some(KeyLimits { indexes: Some(_), .. }) => Err(Error::forbidden(
                "this API key is for certain indexes only; use one that is for all",
            )),
            Some(KeyLimits { indexes: None, .. }) | None => Ok(()),
        }
    }

    /// Whether this index is there for them.
    pub(crate) fn sees(&self, index: IndexId) -> bool {
        self.limits().is_none_or(|limits| limits.reach(index))
    }

    /// How far they reach, if less far than they do themselves.
    pub fn limits(&self) -> Option<&KeyLimits> {
        match &self.via {
            Via::ApiKey(limits) => Some(limits),
            Via::Session { .. } | Via::Machine => None,
        }
    }
}

/// What is not there for the caller is answered like what is not there at all.
impl App {
    pub(crate) async fn seen_index(&self, caller: &Caller, id: IndexId) -> Result<Index> {
        match caller.sees(id) {
            true => self.store().index(id).await,
            false => Err(Error::not_found(format!("index {id} does not exist"))),
        }
    }

    pub(crate) async fn seen_feed(&self, caller: &Caller, id: FeedId) -> Result<Feed> {
        let feed = self.store().feed(id).await?;
        match caller.sees(feed.index) {
            true => Ok(feed),
            false => Err(Error::not_found(format!("feed {id} does not exist"))),
        }
    }

    pub(crate) async fn seen_run(&self, caller: &Caller, id: RunId) -> Result<SyncRun> {
        let run = self.store().run(id).await?;
        let feed = self.store().feed(run.feed).await?;
        match caller.sees(feed.index) {
            true => Ok(run),
            false => Err(Error::not_found(format!("run {id} does not exist"))),
        }
    }

    /// A feed that the caller may change.
    pub(crate) async fn managed_feed(&self, caller: &Caller, id: FeedId) -> Result<Feed> {
        caller.must_manage()?;
        self.seen_feed(caller, id).await
    }
}
