//! Files of the database that a crash or a disk has damaged: what was acknowledged is there, or it is said.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use domain::{
    ErrorKind, Timestamp,
    job::Work,
    store::{Feeds, Indexes, Jobs},
    sync_run::Trigger,
};

use crate::{SealingKey, SealingKeys, SqlStore, backup, dialect::failed};

const ACKNOWLEDGED: usize = 12;

async fn opened(path: &Path) -> domain::Result<SqlStore> {
    SqlStore::open(path, SealingKeys::new(SealingKey::generate())).await
}

fn log_of(database: &Path) -> PathBuf {
    database.with_file_name("circuit.db-wal")
}

/// A database as a power cut leaves it: all that was acknowledged is in the file and its log. Gives the log's length after
/// each acknowledged write.
async fn cut_off(folder: &Path) -> (PathBuf, Vec<u64>) {
    let live = folder.join("live.db");
    let store = opened(&live).await.unwrap();
    let mut lengths = Vec::new();
    for number in 0..ACKNOWLEDGED {
        let name = format!("Index {number:02}");
        store
            .create_index(&name, &"text ".repeat(2_000), Timestamp(1))
            .await
            .unwrap();
        lengths.push(std::fs::metadata(folder.join("live.db-wal")).unwrap().len());
    }
    // Copied while it is open: closing would tidy up.
    let database = folder.join("circuit.db");
    std::fs::copy(&live, &database).unwrap();
    std::fs::copy(folder.join("live.db-wal"), log_of(&database)).unwrap();
    store.close().await;
    (database, lengths)
}

async fn names(store: &SqlStore) -> Vec<String> {
    let indexes = store.indexes().await.unwrap();
    indexes.into_iter().map(|index| index.name).collect()
}

fn expected(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("Index {number:02}")).collect()
}

#[tokio::test]
async fn a_last_write_that_was_torn_is_dropped_and_everything_acknowledged_before_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (database, lengths) = cut_off(folder.path()).await;
    let log = std::fs::read(log_of(&database)).unwrap();
    let whole = std::fs::read(&database).unwrap();
    for count in [1, ACKNOWLEDGED / 2, ACKNOWLEDGED - 1] {
        let (from, to) = (lengths[count - 1], lengths[count]);
        // Cut at its beginning, in its midst, and one byte before its end.
        for cut in [from, (from + to) / 2, to - 1] {
            for garbled in [false, true] {
                let mut torn = log[..usize::try_from(cut).unwrap()].to_vec();
                if garbled {
                    torn.extend([0xa5; 9_000]);
                }
                std::fs::write(&database, &whole).unwrap();
                std::fs::write(log_of(&database), &torn).unwrap();
                let store = opened(&database).await.unwrap();
                assert_eq!(
                    names(&store).await,
                    expected(count),
                    "{cut} of {from} to {to}, garbled: {garbled}"
                );
                // And it goes on from there.
                store.create_index("After", "", Timestamp(2)).await.unwrap();
                store.close().await;
                let store = opened(&database).await.unwrap();
                assert_eq!(names(&store).await.len(), count + 1);
                store.close().await;
            }
        }
    }
}

#[tokio::test]
async fn a_damaged_page_is_said_with_what_to_do_and_never_taken_for_an_empty_store() {
    let folder = tempfile::tempdir().unwrap();
    let (database, _) = cut_off(folder.path()).await;
    // Everything into the one file.
    opened(&database).await.unwrap().close().await;
    let whole = std::fs::read(&database).unwrap();
    const PAGE_BYTES: usize = 4_096;
    let mut told = 0;
    for page in 0..whole.len() / PAGE_BYTES {
        let mut damaged = whole.clone();
        damaged[page * PAGE_BYTES..(page + 1) * PAGE_BYTES].fill(0xa5);
        std::fs::write(&database, &damaged).unwrap();
        let proven = backup::prove(&database, None).await;
        let read = match opened(&database).await {
            Ok(store) => {
                let read = store.indexes().await;
                store.close().await;
                read
            }
            Err(error) => Err(error),
        };
        match read {
            Ok(indexes) => assert_eq!(indexes.len(), ACKNOWLEDGED, "page {page}"),
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::Internal, "page {page}: {error:?}");
                assert!(error.message.contains("circuit restore"), "page {page}: {error:?}");
                told += 1;
            }
        }
        // A page that holds nothing at present may be anything.
        let proven = proven.err().map(|error| error.message);
        if let Some(why) = proven {
            assert!(
                why.contains("damaged") || why.contains("not a database"),
                "page {page}: {why}"
            );
        }
    }
    assert!(told > 3, "{told}");
}

#[tokio::test]
async fn what_is_acknowledged_after_a_write_that_failed_is_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("circuit.db");
    let store = opened(&path).await.unwrap();
    // As full as a disk can be, for this connection: SQLite rolls the whole transaction back by itself.
    sqlx::query("pragma max_page_count = 1")
        .execute(&store.write)
        .await
        .unwrap();
    let mut filled = store.write.begin().await.unwrap();
    let text = sqlx::query("insert into settings (name, value) values ('large', $1)").bind("x".repeat(1 << 20));
    failed(text.execute(&mut *filled).await.unwrap_err());
    drop(filled);
    // Another transaction that comes to nothing, for a reason of its own.
    let missing = store.delete_index(domain::IndexId(7)).await;
    assert_eq!(missing.unwrap_err().kind, ErrorKind::NotFound);
    let abandoned = store.write.begin().await.unwrap();
    drop(abandoned);

    sqlx::query("pragma max_page_count = 1000000")
        .execute(&store.write)
        .await
        .unwrap();
    let index = store.create_index("Knowledge", "", Timestamp(1)).await.unwrap().id;
    store.create_feed(index, Timestamp(2)).await.unwrap();
    // Seen by another process, and by this one's readers.
    let other = opened(&path).await.unwrap();
    assert_eq!(names(&other).await, ["Knowledge"]);
    assert_eq!(names(&store).await, ["Knowledge"]);
    assert_eq!(other.feeds(index).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_heartbeat_that_waited_for_a_long_write_keeps_the_lease_from_the_claim_behind_it() {
    const LEASE: Duration = Duration::from_secs(60);
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder.path().join("circuit.db")).await.unwrap();
    let index = store.create_index("Knowledge", "", Timestamp(0)).await.unwrap().id;
    let feed = store.create_feed(index, Timestamp(0)).await.unwrap().id;
    let trigger = Trigger::Schedule;
    store
        .enqueue(Work::SyncFeed { feed, trigger }, Timestamp(0))
        .await
        .unwrap();
    let job = store.claim("first", Timestamp(0), LEASE).await.unwrap().unwrap();
    // A write on a slow disk, longer than the lease: whoever comes meanwhile stands in line.
    let long = store.write.begin().await.unwrap();
    let heartbeat = store.heartbeat(job.id, "first", Timestamp(130_000));
    let claim = store.claim("second", Timestamp(70_000), LEASE);
    let ended = async { drop(long) };
    let (heartbeat, claim, ()) = tokio::join!(heartbeat, claim, ended);
    heartbeat.unwrap();
    assert_eq!(claim.unwrap(), None);
    store.close().await;
}

#[tokio::test]
async fn a_copy_of_a_database_that_is_written_meanwhile_holds_a_moment_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("circuit.db");
    let store = opened(&live).await.unwrap();
    for number in 0..ACKNOWLEDGED {
        store
            .create_index(&format!("Index {number:02}"), &"text ".repeat(50_000), Timestamp(1))
            .await
            .unwrap();
    }
    let writing = async {
        for number in ACKNOWLEDGED..2 * ACKNOWLEDGED {
            store
                .create_index(&format!("Index {number:02}"), "", Timestamp(1))
                .await
                .unwrap();
        }
    };
    let copy = folder.path().join("copy.db");
    let (copied, ()) = tokio::join!(backup::copy(&live, &copy), writing);
    copied.unwrap();
    let whole = backup::prove(&copy, None).await.unwrap();
    assert_eq!((whole.documents, whole.secrets), (0, 0));
    let kept = opened(&copy).await.unwrap();
    let found = names(&kept).await;
    assert!(found.len() >= ACKNOWLEDGED);
    assert_eq!(found, expected(found.len()));
    let again = backup::copy(&live, &copy).await.unwrap_err();
    assert!(
        again.message.contains("copy.db") || again.message.contains("exists"),
        "{again:?}"
    );
    store.close().await;
    kept.close().await;
}
