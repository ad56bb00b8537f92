//! The site on which other systems that read Confluence were measured with their own code: one space, 1,000 pages in a tree
//! of ten branches, 20 blog posts, 100 files, 200 footer and 50 inline comments, 10 pages for others' eyes; 100 ms a request.

use std::{fmt::Write, time::Duration};

use fake_atlassian::{
    FakeAtlassian, Options,
    seed::{Readers, SeedAttachment, SeedComment, SeedPage, SeedPerson, SeedSite, SeedSpace},
};

use crate::subject::Subject;

const PAGES: usize = 1_000;
const BRANCHES: usize = 10;
const BLOG_POSTS: usize = 20;
const ATTACHMENTS: usize = 100;
const FOOTER_COMMENTS: usize = 200;
const INLINE_COMMENTS: usize = 50;
const RESTRICTED: usize = 10;
const PEOPLE: usize = 12;
const LATENCY: Duration = Duration::from_millis(100);
/// How long after a pass the next look at changes is surely due, in minutes.
const CHANGES_DUE: i64 = 4;
/// 13 September 2020.
const BEGINNING_MS: i64 = 1_600_000_000_000;
const HOUR_MS: i64 = 3_600_000;

pub async fn measure() {
    let make = |options| {
        FakeAtlassian::new(
            vec![site()],
            Options {
                latency: LATENCY,
                ..options
            },
        )
    };
    let mut subject = Subject::new(make).await;
    let circuit = subject.serving();
    let import = subject.import(&circuit).await;
    assert!(circuit.stop().success());
    let counts = &import.run["counts"];
    let spent = &import.run["spent"];
    println!("| figure | value |\n|---|---|");
    println!("| import: documents | {} |", counts["seen"]);
    println!("| … calls | {} |", spent["calls"]);
    for (part, (calls, _)) in &import.parts {
        println!("| … of these for {part} | {calls} |");
    }
    println!("| … points | {} |", spent["points"]);
    println!("| … until all is searchable, 100 ms a call | {:.1} s |", import.seconds);
    println!("| … peak memory | {} MB |", import.peak_mb);
    subject.later(CHANGES_DUE);
    let quiet = subject.pass("changes").await;
    println!("| nothing changed: calls | {} |", quiet.calls);
    println!("| … points | {} |", quiet.points);
    println!("| … seconds | {:.1} |", quiet.seconds);
    subject.later(CHANGES_DUE);
    let walk = subject.pass("walk").await;
    println!("| everything compared, for what is gone: calls | {} |", walk.calls);
    println!("| … points | {} |", walk.points);
    println!("| … seconds | {:.1} |", walk.seconds);
}

fn account(place: usize) -> String {
    format!("712020:00000000-0000-4000-8000-{place:012}")
}

fn site() -> SeedSite {
    let person = |place: usize| SeedPerson {
        account_id: account(place),
        name: format!("Person {place}"),
        email: format!("person{place}@meridian.example"),
        active: true,
    };
    let space = SeedSpace {
        key: "DOCS".into(),
        name: "Documents".into(),
        kind: "global".into(),
        pages: (0..PAGES).map(page).collect(),
        blog_posts: (0..BLOG_POSTS).map(|number| written(PAGES + number)).collect(),
        ..SeedSpace::default()
    };
    SeedSite {
        cloud_id: "6e2f5c1a-8c0e-4f0b-9a51-3d7f6f1f2b11".into(),
        name: "meridian".into(),
        people: (0..PEOPLE).map(person).collect(),
        groups: Vec::new(),
        spaces: vec![space],
    }
}

fn page(number: usize) -> SeedPage {
    // Leaves, so that what is below them is not hidden too.
    let restricted = number >= PAGES - RESTRICTED;
    let comments = |count: usize, inline: bool| {
        let here = usize::from(number < count);
        (0..here).map(move |_| SeedComment {
            inline,
            quoted: inline.then(|| "pump".to_owned()),
            ..SeedComment::written(
                "<p>Please check the pressure before the restart.</p>",
                &account(number % PEOPLE),
                at(number),
            )
        })
    };
    let file = SeedAttachment::text(
        &format!("readings-{number}.txt"),
        "pressure 4.2 bar",
        &account(number % PEOPLE),
        at(number),
    );
    SeedPage {
        parent: number.checked_sub(1).map(|before| before / BRANCHES),
        restricted_to: restricted.then(|| Readers::Only {
            accounts: vec![account(1)],
            groups: Vec::new(),
        }),
        comments: comments(FOOTER_COMMENTS, false)
            .chain(comments(INLINE_COMMENTS, true))
            .collect(),
        attachments: (number < ATTACHMENTS).then_some(file).into_iter().collect(),
        ..written(number)
    }
}

fn at(number: usize) -> i64 {
    BEGINNING_MS + number as i64 * HOUR_MS
}

/// Current, with two or three thousand characters of text and, one in three, a label.
fn written(number: usize) -> SeedPage {
    let mut body = String::new();
    for section in 0..5 {
        // Writing into a string cannot fail.
        let _ = write!(body, "<h2>Section {section} of document {number}</h2>");
        for sentence in 0..6 {
            let _ = write!(
                body,
                "<p>Pump {} of line {section} was inspected by crew {sentence}, and its valve holds {} bar.</p>",
                number % 37,
                (number + sentence) % 9
            );
        }
    }
    SeedPage {
        body,
        labels: number
            .is_multiple_of(3)
            .then(|| format!("label-{}", number % 5))
            .into_iter()
            .collect(),
        ..SeedPage::written(&format!("Document {number}"), &account(number % PEOPLE), at(number))
    }
}
