//! Whom documents mention, and what those are called.

use super::*;

#[tokio::test]
async fn who_is_called_otherwise_has_the_documents_that_mention_them_indexed_again() {
    let world = World::new().await;
    let cora = AccountId::new("a-9");
    let named = |name: &str, documents: Vec<Document>, at: i64| Recording {
        people: vec![Person {
            account: cora.clone(),
            name: name.into(),
        }],
        mentions: [(ContentId::new("1"), [cora.clone()].into())].into(),
        now: Timestamp(at),
        ..world.recording(documents, Mark::Done)
    };
    let pages = || vec![world.page("1", "One", None), world.page("2", "Two", None)];
    world
        .store
        .record(world.feed, &named("Cora", pages(), 1_000))
        .await
        .unwrap();
    let names = async || {
        world
            .store
            .names(&world.site, &[cora.clone(), AccountId::new("a-0")].into())
            .await
            .unwrap()
    };
    assert_eq!(names().await, [(cora.clone(), "Cora".to_owned())].into());

    let before = world.last().await;
    world
        .store
        .record(world.feed, &named("Cora", pages(), 2_000))
        .await
        .unwrap();
    assert_eq!(world.changed(before).await, [""; 0], "called as before");
    world
        .store
        .record(world.feed, &named("Cora Lee", pages(), 3_000))
        .await
        .unwrap();
    assert_eq!(world.changed(before).await, ["1"]);

    // Whom Atlassian no longer names keeps the last name, and is not asked for at once.
    let before = world.last().await;
    world
        .store
        .record(world.feed, &named("", pages(), 4_000))
        .await
        .unwrap();
    assert_eq!(names().await[&cora], "Cora Lee");
    assert_eq!(world.changed(before).await, [""; 0]);
    let one = BTreeSet::from([cora.clone()]);
    let asked = async |since: i64| {
        let unknown = world.store.unknown_people(&world.site, &one, Timestamp(since));
        unknown.await.unwrap()
    };
    assert_eq!((asked(4_000).await, asked(4_001).await), (vec![], vec![cora.clone()]));

    // A text that mentions nobody any more follows nobody, nor does one that is gone.
    let mut edited = world.page("1", "One", None);
    edited.version = 2;
    world.record(vec![edited]).await;
    let before = world.last().await;
    world
        .store
        .record(
            world.feed,
            &named("Cora Roe", vec![world.page("2", "Two", None)], 5_000),
        )
        .await
        .unwrap();
    assert_eq!(world.changed(before).await, [""; 0]);
}

#[tokio::test]
async fn whom_documents_of_before_mention_is_written_down_step_by_step() {
    let world = World::new().await;
    let cora = AccountId::new("a-9");
    let pages = ["1", "2", "3"].map(|id| world.page(id, id, None));
    world.record(pages.to_vec()).await;
    let unread = async || {
        let some = world.store.unread_for_mentions(world.feed, 2).await.unwrap();
        let ids = |some: &Vec<Document>| some.iter().map(|document| document.id.content.to_string()).collect();
        (some.as_ref().map(ids), some.unwrap_or_default())
    };
    let mentioning = |name: &str, documents: Vec<Document>| Recording {
        people: vec![Person {
            account: cora.clone(),
            name: name.into(),
        }],
        mentions: documents
            .iter()
            .map(|document| (document.id.content.clone(), [cora.clone()].into()))
            .collect(),
        ..world.recording(documents, Mark::Done)
    };
    let ids = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect::<Vec<String>>());
    assert_eq!(unread().await.0, None, "of what is brought today it is known");

    sqlx::query("update feeds set mentions_after = ''")
        .execute(&world.store.write)
        .await
        .unwrap();
    let (some, documents) = unread().await;
    assert_eq!(some, ids(&["1", "2"]));
    let mut edited = world.page("2", "2", None);
    edited.version = 2;
    world.record(vec![edited]).await;
    let before = world.last().await;
    let recording = mentioning("Cora", documents);
    world.store.record_mentions(world.feed, &recording).await.unwrap();
    assert_eq!(world.changed(before).await, ["1"], "the other was replaced meanwhile");

    let (some, documents) = unread().await;
    assert_eq!(some, ids(&["3"]));
    let recording = mentioning("Cora", documents);
    world.store.record_mentions(world.feed, &recording).await.unwrap();
    assert_eq!(unread().await.0, ids(&[]));
    let nothing = world.recording(Vec::new(), Mark::Done);
    world.store.record_mentions(world.feed, &nothing).await.unwrap();
    assert_eq!(unread().await.0, None);

    let before = world.last().await;
    let renamed = mentioning("Cora Lee", vec![world.page("3", "3", None)]);
    world.store.record(world.feed, &renamed).await.unwrap();
    assert_eq!(
        world.changed(before).await,
        ["1", "3"],
        "who mention them are indexed again"
    );
}
