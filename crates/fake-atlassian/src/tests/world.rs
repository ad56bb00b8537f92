//! A small world in which everything occurs once, and a client for it.

use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::Value;

use crate::{
    FakeAtlassian, Options,
    seed::{Readers, SeedAttachment, SeedComment, SeedGroup, SeedPage, SeedPerson, SeedSite, SeedSpace},
};

pub const ANNA: &str = "712020:aaaa";
pub const BERT: &str = "712020:bbbb";
pub const CARA: &str = "557058:cccc";
pub const ACME: &str = "11111111-1111-4111-8111-111111111111";
pub const OTHER: &str = "22222222-2222-4222-8222-222222222222";
const MADE_AT: i64 = 1_750_000_000_000;

fn page(title: &str, parent: Option<usize>) -> SeedPage {
    SeedPage {
        title: title.into(),
        parent,
        status: "current".into(),
        body: format!("<h1>{title}</h1><p>All about {}.</p>", title.to_lowercase()),
        author: ANNA.into(),
        editor: BERT.into(),
        created_at: MADE_AT,
        modified_at: MADE_AT + 60_000,
        version: 2,
        ..SeedPage::default()
    }
}

fn comment(body: &str, inline: bool) -> SeedComment {
    SeedComment {
        inline,
        body: format!("<p>{body}</p>"),
        author: BERT.into(),
        created_at: MADE_AT + 1,
        ..SeedComment::default()
    }
}

fn only(accounts: &[&str], groups: &[&str]) -> Readers {
    Readers::Only {
        accounts: accounts.iter().map(|account| (*account).into()).collect(),
        groups: groups.iter().map(|group| (*group).into()).collect(),
    }
}

pub fn sites() -> Vec<SeedSite> {
    let people = [(ANNA, "Anna"), (BERT, "Bert"), (CARA, "Cara")].map(|(account, name)| SeedPerson {
        account_id: account.into(),
        name: name.into(),
        email: format!("{name}@acme.example"),
        active: true,
    });
    let mut release = page("Release notes", Some(0));
    release.labels = vec!["release".into()];
    release.comments = vec![
        SeedComment {
            replies: vec![comment("So do I", false)],
            ..comment("I agree", false)
        },
        SeedComment {
            quoted: Some("All about".into()),
            resolution: Some("resolved".into()),
            replies: vec![comment("Done", true)],
            ..comment("Which ones?", true)
        },
    ];
    release.attachments = vec![SeedAttachment {
        file_name: "plan & notes.txt".into(),
        media_type: "text/plain".into(),
        bytes: b"the plan".to_vec(),
        author: ANNA.into(),
        created_at: MADE_AT,
        version: 1,
        comment: None,
    }];
    let secret = SeedPage {
        restricted_to: Some(only(&[ANNA], &[])),
        comments: vec![comment("Psst", false)],
        ..page("Secret plans", Some(0))
    };
    let with_status = |title: &str, status: &str| SeedPage {
        status: status.into(),
        ..page(title, Some(0))
    };
    let mut post = page("We have moved", None);
    post.comments = vec![comment("Congratulations", false)];
    let engineering = SeedSpace {
        key: "ENG".into(),
        name: "Engineering".into(),
        kind: "global".into(),
        description: Some("How we build".into()),
        pages: vec![
            page("Home", None),
            release,
            secret,
            page("Secret details", Some(2)),
            with_status("Old ways", "archived"),
            with_status("Thrown away", "trashed"),
            with_status("Half written", "draft"),
        ],
        blog_posts: vec![post],
        ..SeedSpace::default()
    };
    let operations = SeedSpace {
        key: "OPS".into(),
        name: "Operations".into(),
        kind: "collaboration".into(),
        readers: only(&[], &["operators"]),
        pages: vec![page("Runbook", None)],
        ..SeedSpace::default()
    };
    let acme = SeedSite {
        cloud_id: ACME.into(),
        name: "acme".into(),
        people: people.to_vec(),
        groups: vec![SeedGroup {
            name: "operators".into(),
            members: vec![ANNA.into(), CARA.into()],
        }],
        spaces: vec![engineering, operations],
    };
    let other = SeedSite {
        cloud_id: OTHER.into(),
        name: "other".into(),
        people: people[..1].to_vec(),
        groups: Vec::new(),
        spaces: vec![SeedSpace {
            key: "HR".into(),
            name: "People".into(),
            kind: "global".into(),
            pages: vec![page("Welcome", None)],
            ..SeedSpace::default()
        }],
    };
    vec![acme, other]
}

pub fn acme() -> FakeAtlassian {
    FakeAtlassian::new(sites(), Options::default())
}

/// An answer, read.
pub struct Seen {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// Somebody with a token.
pub struct Client {
    pub fake: FakeAtlassian,
    pub token: String,
    pub cloud_id: String,
    pub account: String,
}

impl Client {
    pub fn of(fake: &FakeAtlassian, account: &str) -> Self {
        Self {
            fake: fake.clone(),
            token: fake.token_for(account),
            cloud_id: fake.sites()[0].cloud_id.clone(),
            account: account.to_owned(),
        }
    }

    pub async fn get(&self, path: &str) -> Seen {
        let path = format!("/ex/confluence/{}{path}", self.cloud_id);
        let bearer = format!("Bearer {}", self.token);
        sent(&self.fake, "GET", &path, &[("authorization", &bearer)], "").await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Seen {
        let path = format!("/ex/confluence/{}{path}", self.cloud_id);
        let bearer = format!("Bearer {}", self.token);
        sent(
            &self.fake,
            "POST",
            &path,
            &[("authorization", &bearer)],
            &body.to_string(),
        )
        .await
    }

    /// The id of the page of that title, which must be visible.
    pub async fn page_id(&self, title: &str) -> String {
        let found = self
            .get(&format!("/wiki/api/v2/pages?title={}", title.replace(' ', "+")))
            .await
            .json();
        found["results"][0]["id"].as_str().expect("such a page").to_owned()
    }

    /// Every row of a v2 listing.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut at = Some(path.to_owned());
        while let Some(path) = at {
            let page = self.get(&path).await;
            assert_eq!(page.status, 200, "{path}: {:?}", page.body);
            let page = page.json();
            rows.extend(page["results"].as_array().expect("rows").iter().cloned());
            at = page["_links"]["next"].as_str().map(str::to_owned);
        }
        rows
    }

    /// Every row of a CQL search.
    pub async fn searched(&self, cql: &str, limit: usize, expand: &str) -> Vec<Value> {
        let query = crate::query::Query::default().rewritten(&[], &[("cql", cql), ("limit", &limit.to_string())]);
        let mut rows = Vec::new();
        let mut at = Some(format!("/rest/api/content/search?{query}"));
        while let Some(path) = at {
            let page = self.get(&format!("/wiki{path}&expand={expand}")).await;
            assert_eq!(page.status, 200, "{path}: {:?}", page.body);
            let page = page.json();
            rows.extend(page["results"].as_array().expect("rows").iter().cloned());
            at = page["_links"]["next"].as_str().map(str::to_owned);
        }
        rows
    }
}

pub async fn sent(fake: &FakeAtlassian, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Seen {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .expect("a request");
    let response = fake.answer(request).await;
    let (parts, body) = response.into_parts();
    Seen {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}

/// A control request that must succeed.
pub async fn world(fake: &FakeAtlassian, name: &str, body: Value) -> Value {
    let seen = sent(fake, "POST", &format!("/_world/{name}"), &[], &body.to_string()).await;
    assert_eq!(seen.status, 200, "{name}: {:?}", seen.body);
    seen.json()
}

pub async fn truth(fake: &FakeAtlassian, account: &str, space: &str) -> Vec<Value> {
    let seen = sent(
        fake,
        "GET",
        &format!("/_world/truth?account={account}&space={space}"),
        &[],
        "",
    )
    .await;
    seen.json().as_array().expect("rows").clone()
}

pub fn ids(rows: &[Value]) -> Vec<String> {
    let mut ids: Vec<String> = rows
        .iter()
        .map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect();
    ids.sort();
    ids
}

pub fn titles(rows: &[Value]) -> Vec<String> {
    rows.iter()
        .map(|row| row["title"].as_str().expect("a title").to_owned())
        .collect()
}
