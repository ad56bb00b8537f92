//! The Atlassian Cloud that the demo, the tests and the benchmarks talk to: OAuth 2.0 (3LO), the gateway with
//! Confluence's v2 and v1 reads, signed media, quotas and faults, over a world that can be changed while it is watched.
//!
//! Given seeds, gives a fake that answers as Atlassian answers, in process or over a socket. One base address plays all
//! of Atlassian's hosts; `/_world` under it is the fake's own.

pub mod demo;
pub mod seed;
pub mod small;

mod answer;
mod authorize;
mod call;
mod chance;
mod control;
mod cql;
mod fake;
mod faults;
mod gateway;
mod generated;
mod hosts;
mod in_process;
mod journal;
mod lag;
mod limits;
mod listing;
mod media;
mod moment;
mod oauth;
mod prose;
mod query;
mod routes;
mod seeding;
mod serve;
mod storage_format;
#[cfg(test)]
mod tests;
mod truth;
mod v1;
mod v2;
mod visibility;
mod web_links;
mod world;

use std::{collections::BTreeSet, future::Future, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use tokio::net::TcpListener;
use url::Url;

pub use fake::{Detail, Options};
pub use generated::Amounts;
pub use in_process::SpaceView;
pub use journal::JournalRow;
pub use truth::TruthRow;
pub use world::{Kind, SpaceStatus};

use crate::{answer::Answer, fake::Fake, query::Query, world::World};

/// A site, as far as whoever starts the fake wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteView {
    pub cloud_id: String,
    pub name: String,
}

/// An Atlassian Cloud. Clones share it.
#[derive(Clone)]
pub struct FakeAtlassian(Arc<Fake>);

impl FakeAtlassian {
    pub fn new(sites: Vec<seed::SeedSite>, options: Options) -> Self {
        Self(Arc::new(Fake::new(World::new(sites), options)))
    }

    /// One site of so many pages, made from the options' seed; bodies are computed when they are asked for.
    pub fn generated(pages: u64, options: Options) -> Self {
        Self::generated_of(Amounts::of(pages), options)
    }

    /// The same of a site that holds so much.
    pub fn generated_of(amounts: Amounts, options: Options) -> Self {
        Self(Arc::new(Fake::new(World::generated(amounts, options.seed), options)))
    }

    /// Answers until `shutdown` is there.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        serve::serve(self.0, listener, shutdown).await
    }

    /// The same without a socket. The host in the address is ignored; a cut answer is a 502.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let cut = || Answer::bytes(502, "text/plain", "the connection was cut").into_response();
        self.answer_unless_cut(request).await.unwrap_or_else(cut)
    }

    /// The same, and nothing when the line broke while the answer was sent: what it did is done nevertheless.
    pub async fn answer_unless_cut(&self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        let reply = self.0.reply(request).await;
        (!reply.cut).then(|| reply.answer.into_response())
    }

    /// Everybody, the main person first.
    pub fn people(&self) -> Vec<seed::SeedPerson> {
        self.0.world().people.clone()
    }

    pub fn sites(&self) -> Vec<SiteView> {
        let view = |site: &world::Site| SiteView {
            cloud_id: site.cloud_id.clone(),
            name: site.name.clone(),
        };
        self.0.world().sites.iter().map(view).collect()
    }

    /// An access token with every scope on every site, which does not expire.
    pub fn token_for(&self, account: &str) -> String {
        self.0.oauth().token_for(account)
    }

    /// What the person does on the authorize page: all sites ticked, Accept. Gives the code and the state.
    pub async fn consent(&self, authorize_url: &str, account: &str) -> Result<(String, String), String> {
        let address = Url::parse(authorize_url).map_err(|error| format!("not an address: {error}"))?;
        let asked = self.0.asked(&Query::parsed(address.query().unwrap_or_default()))?;
        let sites: BTreeSet<String> = self.sites().into_iter().map(|site| site.cloud_id).collect();
        let code = self.0.consented(&asked, account, sites)?;
        Ok((code, asked.state))
    }
}
