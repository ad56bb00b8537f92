//! [`domain::source::Source`], spoken to Confluence Cloud.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use domain::{
    AccountId, Clock, ContentId, Result, SpaceId, Timestamp,
    address::Address,
    authority::Tokens,
    budget::Budget,
    cursor::{Cursor, Stream},
    document::{Document, DocumentKind, Observed, Person},
    source::{Listed, Looked, Pace, Reach, Source},
    space::{Estimate, Space, SpaceSeen},
    sync_run::Spent,
};

use crate::{
    Endpoints, address, by_id,
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
    pub fn new(
        http: Arc<dyn Http>,
        endpoints: Endpoints,
        tokens: Arc<dyn Tokens>,
        budget: Arc<dyn Budget>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            client: Client::new(http, endpoints, tokens, budget, clock),
            pages_limit: Limit::default(),
            search_limit: Limit::default(),
            labels: LabelBook::default(),
        }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
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
                let reading = reading(kind, after);
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

    async fn hidden_from_apps(&self, reach: &Reach, spaces: &[SpaceId]) -> Result<Option<BTreeSet<SpaceId>>> {
        spaces::hidden_from_apps(&self.client, reach, spaces).await
    }

    async fn observe(
        &self,
        reach: &Reach,
        space: &Space,
        stream: &Stream,
        after: Option<&Cursor>,
    ) -> Result<Listed<Observed>> {
        let (client, kind) = (&self.client, stream.kind);
        let mut listed = pages::observe(client, &self.pages_limit, reach, space, kind, after).await?;
        let reading = reading(kind, after);
        let labelled = self
            .labels
            .label_observed(client, reach, space, reading, &mut listed.items);
        listed.spent = listed.spent.plus(labelled.await?);
        Ok(listed)
    }

    async fn fetch(
        &self,
        reach: &Reach,
        spaces: &[Space],
        kind: DocumentKind,
        ids: &[ContentId],
    ) -> Result<Listed<Document>> {
        by_id::fetch(&self.client, reach, spaces, kind, ids).await
    }

    async fn look(&self, reach: &Reach, spaces: &[Space], kind: DocumentKind, ids: &[ContentId]) -> Result<Looked> {
        by_id::look(&self.client, reach, spaces, kind, ids).await
    }

    async fn probe(&self, reach: &Reach, ids: &[ContentId]) -> Result<(BTreeSet<ContentId>, Spent)> {
        by_id::probe(&self.client, reach, ids).await
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

    async fn belongings(
        &self,
        reach: &Reach,
        spaces: &[Space],
        kind: DocumentKind,
        holders: &[ContentId],
        after: Option<&Cursor>,
    ) -> Result<Listed<Document>> {
        comments_attachments::of_pages(&self.client, &self.search_limit, reach, spaces, kind, holders, after).await
    }

    async fn people(&self, reach: &Reach, accounts: &[AccountId]) -> Result<(Vec<Person>, Spent)> {
        users::people(&self.client, reach, accounts).await
    }

    fn address(&self, pasted: &str) -> Option<Address> {
        address::read(pasted)
    }

    fn pace(&self) -> Pace {
        self.client.pace()
    }
}

/// Blog posts come after the pages of the same pass and have their labels from the same reading.
fn reading(kind: DocumentKind, after: Option<&Cursor>) -> labels::Listed {
    match (kind, after) {
        (DocumentKind::Page, None) => labels::Listed::FromTheBeginning,
        _ => labels::Listed::Onwards,
    }
}
