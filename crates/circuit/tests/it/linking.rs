//! A page that others link to stands before its equals.

use domain::{query::Query, sync_run::RunKind};
use serde_json::json;

use crate::{
    budget::at_ten,
    comparing::change,
    working::{Working, company},
};

#[tokio::test(flavor = "multi_thread")]
async fn of_two_pages_alike_the_one_that_others_link_to_by_title_comes_first_and_says_why() {
    let (setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    at_ten(&circuit);
    circuit.import(&begun, &["OPS"]).await;
    let run = circuit.last_run(&begun).await;
    let link = "<p><ac:link><ri:page ri:content-title=\"Zyzzyva two\"/></ac:link></p>";
    for (title, body) in [
        ("Zyzzyva two", "<p>About beetles.</p>"),
        ("Zyzzyva one", "<p>About beetles.</p>"),
        ("First list", link),
        ("Second list", link),
    ] {
        let page = json!({ "space": "OPS", "title": title, "body": body });
        change(&setting.fake, "create", page).await;
    }
    circuit.passed(&setting, &begun, RunKind::Changes, run).await;
    let query = Query {
        text: "zyzzyva title:zyzzyva".into(),
        limit: 10,
        ..Query::default()
    };
    let hits = circuit.app.search(&circuit.caller, begun.index, &query).await.unwrap();
    let found: Vec<(&str, bool)> = hits
        .hits
        .iter()
        .map(|hit| (&*hit.passage.title, hit.explanation.links > 1.0))
        .collect();
    assert_eq!(found, [("Zyzzyva two", true), ("Zyzzyva one", false)]);
    circuit.end().await;
}
