//! Judged queries over the made-up company: each class of questions is answered at least as well as it once was.

use std::collections::BTreeMap;

use app::connections::Callback;
use domain::{Secret, SiteId, document::DocumentKind, query::Query};
use fake_atlassian::{FakeAtlassian, demo};

use crate::{
    setting::{Begun, Setting},
    working::Working,
};

/// How deep an answer is looked at.
const TOP: usize = 10;
/// Class, and the least mean nDCG@10 and MRR@10 of its queries: what is reached, less what one query may shift.
const FLOORS: [(&str, f64, f64); 8] = [
    ("content", 0.86, 0.86),
    ("identifier", 0.92, 0.95),
    ("language", 0.97, 0.97),
    ("navigation", 0.93, 0.91),
    ("people", 0.85, 0.85),
    ("question", 0.91, 0.90),
    ("syntax", 0.85, 0.85),
    ("typo", 0.93, 0.92),
];

struct Judged {
    class: &'static str,
    text: &'static str,
    /// Beginnings of titles, the best one first.
    titles: Vec<&'static str>,
}

fn judged() -> Vec<Judged> {
    let lines = include_str!("data/judged.tsv").lines();
    let rows = lines.filter(|line| !line.starts_with('#') && !line.is_empty());
    let judged = rows.map(|row| {
        let columns: Vec<&str> = row.split('\t').collect();
        let [class, text, titles] = columns[..] else {
            panic!("not three columns: {row}")
        };
        let titles = titles.split('|').collect();
        Judged { class, text, titles }
    });
    judged.collect()
}

/// All three sites in one index.
async fn company() -> (Setting, Begun, Working) {
    let setting = Setting::new(|options| FakeAtlassian::new(demo::sites(), options)).await;
    let begun = setting.begun().await;
    let working = Working::new(&setting, &begun).await;
    let mut feeds = vec![begun.feed];
    for site in setting.fake.sites().into_iter().skip(1) {
        let start = working.app.begin_connect(&working.caller, begun.index).await.unwrap();
        let (code, state) = setting.fake.consent(&start.url, &setting.person).await.unwrap();
        let code = Secret::new(code);
        let callback = Callback {
            state: &state,
            code: Some(&code),
            error: None,
        };
        working.app.finish_connect(&working.caller, callback).await.unwrap();
        let site = SiteId::new(site.cloud_id);
        working
            .app
            .choose_site(&working.caller, start.feed, &site)
            .await
            .unwrap();
        feeds.push(start.feed);
    }
    for feed in feeds {
        let spaces = working.app.spaces(&working.caller, feed).await.unwrap();
        let spaces: Vec<_> = spaces.into_iter().map(|space| space.id).collect();
        working.app.add_spaces(&working.caller, feed, &spaces).await.unwrap();
        working.up_to_date(feed).await;
    }
    (setting, begun, working)
}

#[tokio::test(flavor = "multi_thread")]
async fn judged_queries_are_answered_as_well_as_before() {
    let (_setting, begun, working) = company().await;
    let judged = judged();
    assert!(judged.len() >= 120, "{}", judged.len());
    let mut classes: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    let mut report = String::new();
    for judged in &judged {
        let query = Query {
            text: judged.text.into(),
            limit: TOP,
            ..Query::default()
        };
        let hits = working.app.search(&working.caller, begun.index, &query).await.unwrap();
        let titles: Vec<String> = hits
            .hits
            .iter()
            .map(|hit| match hit.passage.kind {
                DocumentKind::Comment => format!("comment on {}", hit.passage.title),
                DocumentKind::Page | DocumentKind::BlogPost | DocumentKind::Attachment => hit.passage.title.clone(),
            })
            .collect();
        let scores = scores(judged, &titles);
        if scores.0 < 0.99 {
            let three: Vec<&String> = titles.iter().take(3).collect();
            report += &format!(
                "{:.2} {:.2} {} {:?} {three:?}\n",
                scores.0, scores.1, judged.class, judged.text
            );
        }
        classes.entry(judged.class).or_default().push(scores);
    }
    let mut reached = BTreeMap::new();
    for (class, scores) in &classes {
        let mean = |of: fn(&(f64, f64)) -> f64| scores.iter().map(of).sum::<f64>() / scores.len() as f64;
        reached.insert(*class, (mean(|scores| scores.0), mean(|scores| scores.1)));
    }
    let told: Vec<&str> = reached.keys().copied().collect();
    assert_eq!(told, FLOORS.map(|(class, ..)| class));
    for (class, ndcg, mrr) in FLOORS {
        let (found_ndcg, found_mrr) = reached[class];
        assert!(
            found_ndcg >= ndcg && found_mrr >= mrr,
            "{class} answered worse than before; nDCG and MRR of all: {reached:.3?}\n{report}"
        );
    }
    working.end().await;
}

/// nDCG, the first title being worth two and each other one; and one by the rank of the first that answers.
fn scores(judged: &Judged, found: &[String]) -> (f64, f64) {
    let worth = |at: usize| if at == 0 { 2.0 } else { 1.0 };
    let discount = |rank: usize| 1.0 / ((rank + 2) as f64).log2();
    let rank_of = |title: &str| found.iter().position(|found| found.starts_with(title));
    let ranks: Vec<Option<usize>> = judged.titles.iter().map(|title| rank_of(title)).collect();
    let gained: f64 = (0..)
        .zip(&ranks)
        .filter_map(|(at, rank)| rank.map(|rank| worth(at) * discount(rank)))
        .sum();
    let ideal: f64 = (0..ranks.len()).map(|at| worth(at) * discount(at)).sum();
    let first = ranks.iter().flatten().min();
    (gained / ideal, first.map_or(0.0, |rank| 1.0 / (rank + 1) as f64))
}
