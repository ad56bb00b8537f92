//! The site goes on while nobody asks: the index follows by itself, for a handful of points.

use domain::{
    RunId,
    sync_run::{Counts, Outcome, RunKind, SyncRun},
};
use serde_json::json;

use crate::{
    comparing::{change, held, truth},
    setting::{Begun, Setting},
    working::{self, Working},
};

async fn imported(keys: &[&str]) -> (Setting, Begun, Working, RunId) {
    let (setting, begun, circuit) = working::imported(keys).await;
    let run = circuit.last_run(&begun).await;
    (setting, begun, circuit, run)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_found_by_itself_and_a_quiet_look_costs_a_handful_of_points() {
    let (setting, begun, circuit, run) = imported(&["OPS", "ENG"]).await;
    let runbook = json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>zyzzyva</p>" });
    change(&setting.fake, "edit", runbook).await;
    let new = json!({ "space": "ENG", "title": "Quokka notes", "body": "<p>new</p>", "labels": ["marsupial"] });
    change(&setting.fake, "create", new).await;
    change(
        &setting.fake,
        "comment",
        json!({ "title": "Pump runbook", "space": "OPS", "body": "<p>numbat</p>" }),
    )
    .await;
    let file = json!({ "title": "Pump runbook", "space": "OPS", "file_name": "wombat.txt", "media_type": "text/plain", "text": "x" });
    change(&setting.fake, "attach", file).await;
    let post = json!({ "space": "OPS", "title": "Bilby news", "body": "<p>post</p>", "kind": "blogpost" });
    change(&setting.fake, "create", post).await;

    let seen = circuit
        .passed(&setting, &begun, RunKind::Changes, run)
        .await
        .last
        .unwrap();
    let runs = circuit.app.runs(&circuit.caller, begun.feed).await.unwrap();
    let since = runs.iter().filter(|seen| seen.id > run);
    let counts = since.fold(Counts::default(), |all, run| all.plus(run.counts));
    assert_eq!((counts.added, counts.changed, counts.removed), (4, 1, 0), "{runs:?}");
    for word in ["zyzzyva", "quokka", "numbat", "wombat", "bilby", "marsupial"] {
        assert_eq!(circuit.finds(&begun, word).await, 1, "{word}");
    }
    assert_eq!(
        held(&circuit.app, &circuit.caller, begun.index).await,
        truth(&setting, &begun, &["OPS", "ENG"]).await
    );

    // The overlap reads what was just changed once more; after that it is quiet.
    let mut last = seen.id;
    for _ in 0..3 {
        last = circuit
            .passed(&setting, &begun, RunKind::Changes, last)
            .await
            .last
            .unwrap()
            .id;
    }
    let quiet = circuit.app.run(&circuit.caller, last).await.unwrap();
    assert_eq!((quiet.counts.added, quiet.counts.changed), (0, 0));
    assert!(quiet.spent.calls <= 5 && quiet.spent.points <= 30, "{:?}", quiet.spent);
    let runs = circuit.app.runs(&circuit.caller, begun.feed).await.unwrap();
    let quiet = |run: &&SyncRun| run.outcome == Some(Outcome::Complete) && run.counts.added + run.counts.changed == 0;
    let quiet = runs.iter().filter(quiet).count();
    assert_eq!(quiet, 1, "of quiet passes the last one is kept");
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_a_day_everything_is_read_again_and_what_is_gone_goes() {
    let (setting, begun, circuit, run) = imported(&["OPS"]).await;
    change(
        &setting.fake,
        "trash",
        json!({ "title": "Pump runbook", "space": "OPS" }),
    )
    .await;
    let changes = circuit
        .passed(&setting, &begun, RunKind::Changes, run)
        .await
        .last
        .unwrap();
    assert_eq!(
        changes.counts.removed, 0,
        "a listing of changes proves nothing of what it does not show"
    );
    circuit.later(&setting, 25 * 60).await;
    let whole = circuit
        .passed(&setting, &begun, RunKind::Walk, changes.id)
        .await
        .last
        .unwrap();
    assert!(whole.counts.removed > 0);
    assert_eq!(
        held(&circuit.app, &circuit.caller, begun.index).await,
        truth(&setting, &begun, &["OPS"]).await
    );
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_is_added_without_an_edit_comes_with_a_walk_some_hours_later() {
    let (setting, begun, circuit, run) = imported(&["OPS"]).await;
    let label = json!({ "title": "Pump runbook", "space": "OPS", "labels": ["marsupial"] });
    change(&setting.fake, "label", label).await;
    circuit.later(&setting, 50).await;
    let walk = circuit.passed(&setting, &begun, RunKind::Walk, run).await.last.unwrap();
    assert_eq!(
        circuit.finds(&begun, "marsupial").await,
        0,
        "labels cost as much as the walk"
    );
    circuit.later(&setting, 3 * 60).await;
    circuit.passed(&setting, &begun, RunKind::Walk, walk.id).await;
    assert_eq!(circuit.finds(&begun, "marsupial").await, 1);
    circuit.end().await;
}
