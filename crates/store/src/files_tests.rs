//! Which files wait, and what becomes of their texts.

use std::collections::BTreeSet;

use domain::{
    ContentId, DocumentId, FeedId, IndexId, RunId, SiteId, SpaceId, Timestamp,
    cursor::{Mark, Stream},
    document::{Body, Document, DocumentKind, FileFacts, Held},
    file_text::{Content, FileText, Piece},
    site::Site,
    space::Space,
    store::*,
    sync_run::{RunKind, Spent, Trigger},
};

use crate::{SealingKey, SealingKeys, SqlStore};

const FILE: &str = "att1";

/// A page with a file on it, in a feed of one space.
struct World {
    store: SqlStore,
    index: IndexId,
    feed: FeedId,
    run: RunId,
    site: SiteId,
}

impl World {
    async fn new() -> Self {
        let store = SqlStore::in_memory(SealingKeys::new(SealingKey::generate()))
            .await
            .unwrap();
        let index = store.create_index("Knowledge", "", Timestamp(1)).await.unwrap().id;
        let feed = store.create_feed(index, Timestamp(2)).await.unwrap().id;
        let site = Site {
            id: SiteId::new("c-1"),
            name: "acme".into(),
            url: "https://acme.example".into(),
            scopes: BTreeSet::new(),
        };
        store.set_feed_site(feed, &site).await.unwrap();
        let space = Space {
            id: SpaceId::new("10"),
            key: "ENG".into(),
            name: "Engineering".into(),
            kind: "global".into(),
        };
        let spaces = [(space, None)];
        store
            .add_feed_spaces(feed, &site.id, &spaces, Timestamp(3))
            .await
            .unwrap();
        let run = store
            .open_run(feed, RunKind::Import, Trigger::Person, Timestamp(4))
            .await
            .unwrap();
        let world = Self {
            store,
            index,
            feed,
            run: run.id,
            site: site.id,
        };
        world.show(1).await;
        world
    }

    fn document(&self, id: &str, kind: DocumentKind, version: u32) -> Document {
        Document {
            id: DocumentId::new(&self.site, id),
            kind,
            space: SpaceId::new("10"),
            parent: (kind == DocumentKind::Attachment).then(|| ContentId::new("1")),
            title: format!("{id}.pdf"),
            version,
            created_at: Timestamp(100),
            modified_at: Timestamp(200 + i64::from(version)),
            author: None,
            editor: None,
            labels: Vec::new(),
            url: format!("https://acme.example/wiki/{id}"),
            body: Body::None,
            comment: None,
            file: (kind == DocumentKind::Attachment).then(|| FileFacts {
                media_type: Some("application/pdf".into()),
                size_bytes: Some(7),
                file_id: None,
            }),
        }
    }

    /// A listing shows the page, and the file at this version.
    async fn show(&self, version: u32) {
        let stream = Stream {
            space: SpaceId::new("10"),
            kind: DocumentKind::Page,
        };
        let recording = Recording {
            documents: vec![
                self.document("1", DocumentKind::Page, 1),
                self.document(FILE, DocumentKind::Attachment, version),
            ],
            mark: Some((stream, Mark::Done)),
            ..Recording::empty(self.run, Timestamp(500))
        };
        self.store.record(self.feed, &recording).await.unwrap();
    }

    async fn waiting(&self, now: i64) -> Vec<UnreadFile> {
        self.store.unread_files(self.feed, Timestamp(now), 10).await.unwrap()
    }

    async fn became(&self, version: u32, outcome: FileOutcome) {
        let recording = FileRecording {
            run: self.run,
            files: vec![FileRecord {
                id: ContentId::new(FILE),
                version,
                outcome,
            }],
            failures: Vec::new(),
            spent: Spent { calls: 1, points: 2 },
            now: Timestamp(600),
        };
        self.store.record_files(self.feed, &recording).await.unwrap();
    }

    async fn held(&self) -> Held {
        let id = DocumentId::new(&self.site, FILE);
        self.store.document(self.index, &id).await.unwrap()
    }

    async fn body(&self) -> Body {
        self.held().await.document.body
    }

    async fn last_sequence(&self) -> i64 {
        self.store.last_sequence(self.index).await.unwrap()
    }

    async fn take_away(&self, page: &str) {
        let verdict = Verdict {
            run: self.run,
            gone: vec![ContentId::new(page)],
            suspended: Vec::new(),
            doubted: Vec::new(),
            settled: Vec::new(),
            walked: Vec::new(),
            now: Timestamp(10),
        };
        self.store.apply(self.feed, &verdict).await.unwrap();
    }
}

fn text(words: &str) -> Body {
    let piece = Piece {
        place: None,
        content: Content::Paragraph(words.into()),
    };
    let text = FileText {
        pieces: vec![piece],
        ..FileText::default()
    };
    text.into_body().unwrap()
}

#[tokio::test]
async fn a_text_stays_through_listings_until_a_new_version_was_read() {
    let world = World::new().await;
    let file = world.waiting(9).await.remove(0);
    assert_eq!(
        (file.name.as_str(), file.holder.as_str(), file.version),
        ("att1.pdf", "1", 1)
    );
    let before = world.last_sequence().await;
    world.became(1, FileOutcome::Read(text("one"))).await;
    assert!(world.last_sequence().await > before, "the search index reads it again");
    assert_eq!(world.waiting(9).await, []);
    world.show(1).await;
    assert_eq!((world.body().await, world.waiting(9).await), (text("one"), vec![]));
    world.show(2).await;
    assert_eq!(world.body().await, text("one"));
    assert_eq!(world.waiting(9).await[0].version, 2);
    // What comes late of the version before is of no use.
    world.became(1, FileOutcome::Read(text("late"))).await;
    assert_eq!(world.body().await, text("one"));
    world.became(2, FileOutcome::Read(text("two"))).await;
    assert_eq!((world.body().await, world.waiting(9).await), (text("two"), vec![]));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_loses_its_old_text_and_says_why_until_it_is_read_anew() {
    let world = World::new().await;
    let id = ContentId::new(FILE);
    world.became(1, FileOutcome::Read(text("one"))).await;
    world.show(2).await;
    let why = "password-protected".to_owned();
    world.became(2, FileOutcome::Unread { why: why.clone() }).await;
    assert_eq!((world.body().await, world.waiting(9).await), (Body::None, vec![]));
    assert_eq!(world.held().await.unread, Some(why));
    world
        .store
        .read_files_anew(world.feed, std::slice::from_ref(&id))
        .await
        .unwrap();
    assert_eq!(world.waiting(9).await.len(), 1);
    assert_eq!(world.held().await.unread, None);
}

#[tokio::test]
async fn a_file_that_is_put_off_waits_and_a_new_version_does_not_wait_with_it() {
    let world = World::new().await;
    let later = FileOutcome::Later {
        at: Timestamp(1_000),
        tried: true,
    };
    world.became(1, later.clone()).await;
    assert_eq!(world.waiting(999).await, []);
    let waiting = world.store.files_waiting(world.feed).await.unwrap();
    assert_eq!((waiting.count, waiting.next), (1, Some(Timestamp(1_000))));
    assert_eq!(world.waiting(1_000).await[0].tries, 1);
    world.show(2).await;
    assert_eq!(world.waiting(9).await[0].tries, 0);
    world.store.put_files_off(world.feed, Timestamp(2_000)).await.unwrap();
    assert_eq!(world.waiting(1_999).await, []);
}

#[tokio::test]
async fn no_file_waits_whose_page_or_space_is_not_to_be_found_and_one_that_comes_back_is_read_again() {
    let world = World::new().await;
    let space = SpaceId::new("10");
    let suspend = async |at| world.store.set_space_suspended(world.feed, &space, at).await.unwrap();
    suspend(Some(Timestamp(7))).await;
    assert_eq!(world.waiting(9).await, []);
    assert_eq!(
        world.store.files_waiting(world.feed).await.unwrap(),
        FilesWaiting::default()
    );
    suspend(None).await;
    world.became(1, FileOutcome::Read(text("one"))).await;
    world.take_away("1").await;
    assert_eq!((world.body().await, world.waiting(9).await), (Body::None, vec![]));
    // First its page comes back, and with the next listing what hangs on it.
    world.show(1).await;
    world.show(1).await;
    assert_eq!((world.body().await, world.waiting(9).await.len()), (Body::None, 1));
}
