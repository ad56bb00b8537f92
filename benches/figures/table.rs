//! What every pass costs, by the size of the site: two comments and a file for each page.

use fake_atlassian::{Amounts, FakeAtlassian, Kind};
use serde_json::json;

use crate::{
    import::searches,
    pass::Cost,
    subject::{Import, Subject},
};

const SIZES: [u64; 3] = [1_000, 10_000, 100_000];
/// One page in so many is edited between two looks: 1 %.
const PAGES_PER_EDIT: usize = 100;
/// How long after a pass the next look at changes is surely due, in minutes.
const CHANGES_DUE: i64 = 4;
/// The same of a probe, which comes every quarter of an hour.
const PROBE_DUE: i64 = 16;
/// A site of so many spaces, with ten pages each: what a quiet look costs over the most spaces that one listing takes.
const SPACES: u64 = 100;

pub async fn measure(sizes: &[u64]) {
    let sizes = match sizes {
        [] => &SIZES,
        some => some,
    };
    println!("| pages | pass | calls | points | seconds | peak MB | documents |\n|---|---|---|---|---|---|---|");
    for pages in sizes {
        of_size(*pages).await;
    }
    over_many_spaces().await;
}

/// What is measured: more talk and files than most sites have.
pub fn amounts(pages: u64) -> Amounts {
    Amounts {
        comments_percent: 200,
        attachments_percent: 100,
        ..Amounts::of(pages)
    }
}

async fn imported(amounts: Amounts) -> (Subject, Import, [f64; 2]) {
    let subject = Subject::new(|options| FakeAtlassian::generated_of(amounts, options)).await;
    let circuit = subject.serving();
    let import = subject.import(&circuit).await;
    let took = searches(&circuit, &subject.begun).await;
    assert!(circuit.stop().success());
    (subject, import, took)
}

async fn of_size(pages: u64) {
    let (mut subject, import, [median, slowest]) = imported(amounts(pages)).await;
    let spent = &import.run["spent"];
    println!(
        "| {pages} | import | {} | {} | {:.1} | {} | {} |",
        spent["calls"], spent["points"], import.seconds, import.peak_mb, import.run["counts"]["seen"]
    );
    for (part, (calls, points)) in &import.parts {
        println!("| {pages} | … of that {part} | {calls} | {points} | | | |");
    }
    println!("| {pages} | search, p50 and p99 in ms: {median:.1} and {slowest:.1} | | | | | |");
    let (_, of_pages) = import.of("pages");
    println!(
        "| {pages} | … points for each page and its body | | {:.3} | | | |",
        of_pages as f64 / pages as f64
    );

    subject.later(CHANGES_DUE);
    let quiet = subject.pass("changes").await;
    told(pages, "quiet changes", quiet);
    let edited = edited(&subject);
    subject.later(CHANGES_DUE);
    let changes = subject.pass("changes").await;
    told(pages, &format!("changes after {edited} edits"), changes);
    let more = changes.points.saturating_sub(quiet.points);
    println!(
        "| {pages} | … points more than quiet for each of {} changed | | {:.2} | | | |",
        changes.changed,
        more as f64 / changes.changed.max(1) as f64
    );
    subject.later(CHANGES_DUE);
    told(pages, "walk of everything", subject.pass("walk").await);
    subject.later(PROBE_DUE);
    told(pages, "probe", subject.pass("probe").await);
}

fn told(pages: u64, pass: &str, cost: Cost) {
    println!(
        "| {pages} | {pass} | {} | {} | {:.1} | {} | {} |",
        cost.calls, cost.points, cost.seconds, cost.peak_mb, cost.seen
    );
}

/// Edits pages that the person sees, spread over the site; how many.
fn edited(subject: &Subject) -> usize {
    let (fake, site) = (&subject.setting.fake, subject.begun.site.to_string());
    let mut edits = 0;
    for (key, _) in &subject.begun.spaces {
        let rows = fake.truth(&subject.setting.person, &site, key);
        let pages = rows.iter().filter(|row| row.kind == Kind::Page);
        for page in pages.step_by(PAGES_PER_EDIT) {
            let body = fake.body(&site, &page.id).unwrap();
            let edit = json!({ "id": page.id, "body": format!("{body}<p>And this was added.</p>") });
            fake.control("edit", edit).unwrap();
            edits += 1;
        }
    }
    edits
}

async fn over_many_spaces() {
    let amounts = Amounts {
        spaces: SPACES,
        ..amounts(10 * SPACES)
    };
    let (mut subject, ..) = imported(amounts).await;
    subject.later(CHANGES_DUE);
    let quiet = subject.pass("changes").await;
    told(amounts.pages, &format!("quiet changes over {SPACES} spaces"), quiet);
}
