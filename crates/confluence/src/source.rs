//! [`domain::source::Source`], spoken to Confluence Cloud.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    AccountId, Clock, Result, SpaceId, Timestamp,
    authority::Tokens,
    cursor::{Cursor, Stream},
    document::{Document, DocumentKind, Person},
    source::{Listed, Reach, Source},
    space::{Estimate, Space, SpaceSeen},
    sync_run::Spent,
};

use crate::{
    Endpoints,
    changes::{self, Wanted},
    client::Client,
    comments_attachments,
    http::Http,
    labels::{self, LabelBook},
    listing::Limit,
    pages, spaces, users,
};

/// Confluence Cloud through the OAuth gateway.
pub struct ConfluenceSource {
    client: Client,
    pages_limit: Limit,
    search_limit: Limit,
    labels: LabelBook,
}

impl ConfluenceSource {
    pub fn new(http: Arc<dyn Http>, endpoints: Endpoints, tokens: Arc<dyn Tokens>, clock: Arc<dyn Clock>) -> Self {
        Self {
            client: Client::new(http, endpoints, tokens, clock),
            pages_limit: Limit::default(),
            search_limit: Limit::default(),
            labels: LabelBook::default(),
        }
    }
}

#[async_trait]
impl Source for ConfluenceSource {
    async fn me(&self, reach: &Reach) -> Result<Person> {
        users::me(&self.client, reach).await
    }

    async fn spaces(&self, reach: &Reach, after: Option<&Cursor>) -> Result<Listed<Space>> {
        spaces::spaces(&self.client, reach, after).await
    }

    async fn estimate(&self, reach: &Reach, spaces: &[Space]) -> Result<Estimate> {
        spaces::estimate(&self.client, reach, spaces).await
    }

    async fn list(
        &self,
        reach: &Reach,
        space: &Space,
        stream: &Stream,
        after: Option<&Cursor>,
    ) -> Result<Listed<Document>> {
        match stream.kind {
            kind @ (DocumentKind::Page | DocumentKind::BlogPost) => {
                let mut listed = pages::list(&self.client, &self.pages_limit, reach, space, kind, after).await?;
                // Blog posts come after the pages of the same pass and have their labels from the same reading.
                let reading = match (kind, after) {
                    (DocumentKind::Page, None) => labels::Listed::FromTheBeginning,
                    _ => labels::Listed::Onwards,
                };
                let labelled = self
                    .labels
                    .label(&self.client, reach, space, reading, &mut listed.items);
                listed.spent = listed.spent.plus(labelled.await?);
                Ok(listed)
            }
            kind @ (DocumentKind::Comment | DocumentKind::Attachment) => {
                comments_attachments::list(&self.client, &self.search_limit, reach, space, kind, after).await
            }
        }
    }

    async fn spaces_by_id(&self, reach: &Reach, spaces: &[SpaceId]) -> Result<Listed<SpaceSeen>> {
        spaces::spaces_by_id(&self.client, reach, spaces).await
    }

    async fn changes(
        &self,
        reach: &Reach,
        spaces: &[Space],
        kind: DocumentKind,
        since: Timestamp,
        rows: u32,
        after: Option<&Cursor>,
    ) -> Result<Listed<Document>> {
        changes::changes(&self.client, reach, spaces, Wanted { kind, since, rows }, after).await
    }

    async fn people(&self, reach: &Reach, accounts: &[AccountId]) -> Result<(Vec<Person>, Spent)> {
        users::people(&self.client, reach, accounts).await
    }
}
