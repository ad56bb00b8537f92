use bytes::Bytes;
use domain::{
    AccountId, DocumentId, FeedId, IndexId, SiteId, SpaceId, Timestamp,
    cursor::Watermark,
    document::{Body, Document, DocumentKind, Held, Person},
    engine::{EngineBatch, SearchEngine},
};
use fake_atlassian::{FakeAtlassian, Options};
use serde_json::Value;
include!("held.inc");
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let a: Vec<String> = std::env::args().collect();
    let engine = search::EmbeddedEngine::open(a[1].clone().into()).unwrap();
    let mut site = Site::new(a[2].parse().unwrap());
    let mut reached = 0;
    while let Some(batch) = site.next().await {
        reached += 1;
        engine.commit(IndexId(1), batch, Watermark(reached)).await.unwrap();
    }
}
