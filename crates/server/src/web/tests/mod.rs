//! What a browser meets.

mod reading;
mod searching;
mod world;

use std::time::Duration;

use app::{connections::CONNECTING_MAX, reconnections::ANSWERED_WITHIN};
use domain::{
    ConnectionId, FeedId, Secret,
    budget::{Hour, HourPoints},
    connection::Ending,
    document::DocumentKind,
    feed::{FeedState, Park},
    job::JOB_FAILURES_MAX,
    store::{Connections, Feeds, Jobs, Points},
};
use futures::StreamExt;
use http::{HeaderValue, StatusCode, header};

use world::{Browser, World};

#[tokio::test]
async fn everything_leads_to_set_up_until_there_is_an_account() {
    let world = World::empty().await;
    let browser = Browser::of(&world);
    for way in [
        "/",
        "/indexes",
        "/indexes/1?q=pump",
        "/account",
        "/sign-in",
        "/feeds/1/events",
    ] {
        assert_eq!(browser.get(way).await.leads_to(), "/set-up", "{way}");
    }
    let page = browser.get("/set-up").await;
    assert!(page.text.contains("<h1>Welcome to Circuit</h1>"));
}

#[tokio::test]
async fn the_first_visitor_makes_the_account_and_nobody_makes_a_second() {
    let world = World::empty().await;
    let mut browser = Browser::of(&world);
    let short = browser
        .post("/set-up", &[("email", "ann@example.org"), ("password", "short")])
        .await;
    assert_eq!(short.status, StatusCode::BAD_REQUEST);
    assert!(short.text.contains("A password needs at least 10 characters."));
    assert!(short.text.contains("ann@example.org"), "what was filled in is kept");

    let account = [
        ("name", "Ann"),
        ("email", "ann@example.org"),
        ("password", "a long password"),
    ];
    let made = browser.post("/set-up", &account).await;
    assert_eq!(made.leads_to(), "/indexes");
    browser.keep_cookie(&made);
    assert!(browser.get("/indexes").await.text.contains("<h1>Indexes</h1>"));

    let again = Browser::of(&world).post("/set-up", &account).await;
    assert_eq!(again.leads_to(), "/sign-in");
    assert_eq!(Browser::of(&world).get("/set-up").await.leads_to(), "/sign-in");
}

#[tokio::test]
async fn the_sessions_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let world = World::empty().await;
    let account = [("email", "ann@example.org"), ("password", "a long password")];
    let made = Browser::of(&world).post("/set-up", &account).await;
    let cookie = made.header(header::SET_COOKIE);
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "plain http has no secure cookies");
    let secure = Browser::of(&world).over_https().post("/sign-in", &account).await;
    assert!(secure.header(header::SET_COOKIE).contains("; Secure"));
}

#[tokio::test]
async fn who_is_signed_out_signs_in_and_comes_back() {
    let (world, mut browser) = World::with_ann().await;
    let signed_out = browser.post("/sign-out", &[]).await;
    assert_eq!(signed_out.leads_to(), "/sign-in");
    assert!(signed_out.header(header::SET_COOKIE).contains("Max-Age=0"));
    // The session is dead, not only forgotten.
    let to = browser.get("/indexes/1?q=pump&kind=page").await.leads_to();
    assert_eq!(to, "/sign-in?next=%2Findexes%2F1%3Fq%3Dpump%26kind%3Dpage");

    browser = Browser::of(&world);
    let page = browser.get(&to).await;
    assert!(
        page.text.contains(r#"value="/indexes/1?q=pump&#38;kind=page""#),
        "{}",
        page.text
    );
    let wrong = browser
        .post(
            "/sign-in",
            &[("email", "ann@example.org"), ("password", "wrong password")],
        )
        .await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.text.contains("The email or the password is wrong."));
    let right = [
        ("email", "ann@example.org"),
        ("password", world::PASSWORD),
        ("next", "/indexes/1?q=pump"),
    ];
    assert_eq!(browser.post("/sign-in", &right).await.leads_to(), "/indexes/1?q=pump");
    for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example", "/\tevil"] {
        let right = [
            ("email", "ann@example.org"),
            ("password", world::PASSWORD),
            ("next", elsewhere),
        ];
        assert_eq!(
            browser.post("/sign-in", &right).await.leads_to(),
            "/indexes",
            "{elsewhere}"
        );
    }
}

#[tokio::test]
async fn a_form_without_the_sessions_token_does_nothing() {
    let (_world, browser) = World::with_ann().await;
    for token in [None, Some(""), Some("forged")] {
        let fields: Vec<(&str, &str)> = token
            .map(|token| ("csrf", token))
            .into_iter()
            .chain([("name", "Mine")])
            .collect();
        let refused = browser.post_bare("/indexes/new", &fields).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(
            refused
                .text
                .contains("This form was not sent from a page of your present session")
        );
    }
    assert!(browser.get("/indexes").await.text.contains("No index yet"));
}

#[tokio::test]
async fn another_site_cannot_send_our_forms() {
    let (world, browser) = World::with_ann().await;
    for (name, value, refused) in [
        ("sec-fetch-site", "cross-site", true),
        ("sec-fetch-site", "same-site", true),
        ("sec-fetch-site", "same-origin", false),
        ("origin", "https://evil.example", true),
        ("origin", "null", true),
        ("origin", "http://circuit.example.org", false),
    ] {
        let sent = browser
            .post_with("/indexes/new", &[("name", value)], (name, value))
            .await;
        assert_eq!(sent.status == StatusCode::FORBIDDEN, refused, "{name}: {value}");
        let account = [("email", "ann@example.org"), ("password", world::PASSWORD)];
        let signed_in = Browser::of(&world).post_with("/sign-in", &account, (name, value)).await;
        assert_eq!(signed_in.status == StatusCode::FORBIDDEN, refused, "{name}: {value}");
    }
}

#[tokio::test]
async fn every_page_keeps_itself_to_itself() {
    let (_world, browser) = World::with_ann().await;
    for way in ["/indexes", "/account", "/no-such-page", "/sign-in", "/admin/atlassian"] {
        let page = browser.get(way).await;
        let policy = page.header(header::CONTENT_SECURITY_POLICY);
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{way}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header(header::CACHE_CONTROL), "no-store");
        assert_eq!(page.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(page.header(header::REFERRER_POLICY), "same-origin");
        assert!(
            !page.text.contains("style=\"") && !page.text.contains("<script>"),
            "{way} has something inline"
        );
    }
}

#[tokio::test]
async fn assets_are_kept_by_browsers_until_they_change() {
    let world = World::empty().await;
    let browser = Browser::of(&world);
    let page = browser.get("/set-up").await;
    let style = page
        .text
        .split('"')
        .find(|part| part.starts_with("/assets/circuit.css?v="))
        .unwrap();
    let style = browser.get(style).await;
    assert_eq!(style.header(header::CONTENT_TYPE), "text/css; charset=utf-8");
    assert!(style.header(header::CACHE_CONTROL).contains("immutable"));
    assert_eq!(browser.get("/assets/nothing.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_index_is_made_renamed_and_deleted_after_its_name_was_typed() {
    let (_world, browser) = World::with_ann().await;
    let unnamed = browser
        .post("/indexes/new", &[("name", " "), ("description", "Kept")])
        .await;
    assert_eq!(unnamed.status, StatusCode::BAD_REQUEST);
    assert!(unnamed.text.contains("An index needs a name.") && unnamed.text.contains("Kept"));
    let made = browser.post("/indexes/new", &[("name", "<b>Handbook</b>")]).await;
    let index = browser.get(&made.leads_to()).await;
    assert!(
        index.text.contains("<h1>&#60;b&#62;Handbook&#60;/b&#62;</h1>"),
        "{}",
        index.text
    );
    assert!(index.text.contains("Nothing imported yet"));

    let saved = browser
        .post("/indexes/1/settings", &[("name", "Handbook"), ("description", "Ours")])
        .await;
    assert!(browser.get(&saved.leads_to()).await.text.contains("Saved."));
    let kept = browser.post("/indexes/1/delete", &[("name", "handbook")]).await;
    assert_eq!(kept.status, StatusCode::BAD_REQUEST);
    let deleted = browser.post("/indexes/1/delete", &[("name", "Handbook")]).await;
    assert!(browser.get(&deleted.leads_to()).await.text.contains("No index yet"));
    assert_eq!(browser.get("/indexes/1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_answered_in_words() {
    let (_world, browser) = World::with_ann().await;
    browser.post("/indexes/new", &[("name", "Handbook")]).await;
    let long = format!("/indexes/1?q={}", "x".repeat(3_000));
    for (way, said) in [
        (long.as_str(), "A query has at most 2048 bytes"),
        ("/indexes/1?from=yesterday", "is not a day such as 2026-11-24"),
        ("/indexes/1?kind=poem", "No kind of document is called"),
    ] {
        let page = browser.get(way).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{way}");
        assert!(page.text.contains(said), "{}", page.text);
    }
    for way in [
        "/indexes/one",
        "/indexes/99",
        "/feeds/99",
        "/feeds/x/events",
        "/indexes/1/documents/none",
    ] {
        assert_eq!(browser.get(way).await.status, StatusCode::NOT_FOUND, "{way}");
    }
    assert_eq!(
        browser.get("/indexes/1?page=99999999999999999999").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn confluence_is_connected_a_site_and_spaces_chosen() {
    let (world, browser) = World::with_ann().await;
    browser.post("/indexes/new", &[("name", "Handbook")]).await;
    let connect = browser.get("/indexes/1/integrations/confluence").await;
    assert!(connect.text.contains("read:space:confluence") && connect.text.contains("Continue to Atlassian"));
    let policy = connect.header(header::CONTENT_SECURITY_POLICY);
    assert!(
        !policy.contains("form-action"),
        "the form's redirect to Atlassian must not be blocked: {policy}"
    );
    let away = browser.post("/indexes/1/integrations/confluence", &[]).await.leads_to();
    assert!(away.starts_with("https://auth.example/authorize?state="), "{away}");
    assert!(
        browser
            .get("/feeds/1")
            .await
            .text
            .contains("<h1>Connecting to Atlassian</h1>")
    );

    let state = away.split("state=").nth(1).unwrap();
    let back = browser.get(&format!("/connect/callback?code=good&state={state}")).await;
    assert_eq!(back.leads_to(), "/feeds/1?done=connected");
    let sites = browser.get("/feeds/1").await;
    assert!(sites.text.contains("<h1>Choose a site</h1>") && sites.text.contains("https://acme.example"));
    assert_eq!(browser.post("/feeds/1/site", &[]).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        browser.post("/feeds/1/site", &[("site", "cloud-1")]).await.leads_to(),
        "/feeds/1"
    );

    let spaces = browser.get("/feeds/1").await;
    assert!(spaces.text.contains("<h1>Choose spaces</h1>") && spaces.text.contains("Operations"));
    let none = browser.post("/feeds/1/spaces", &[]).await;
    assert!(none.text.contains("Choose at least one space."), "{}", none.text);
    let size = browser
        .post("/feeds/1/estimate", &[("space", "100"), ("space", "200")])
        .await;
    assert!(
        size.text
            .contains("About 1,200 pages, 1 blog post, 30 comments and 4 attachments. The import takes about "),
        "{}",
        size.text
    );
    let done = browser
        .post("/feeds/1/spaces", &[("space", "100"), ("space", "200")])
        .await;
    let feed = browser.get(&done.leads_to()).await;
    for shown in [
        "<h1>Confluence: acme</h1>",
        "The import has begun.",
        "Importing",
        "Re-sync now",
        "Pause",
        "Add spaces",
    ] {
        assert!(feed.text.contains(shown), "{shown} is not in {}", feed.text);
    }

    let replayed = browser.get(&format!("/connect/callback?code=good&state={state}")).await;
    assert_eq!(replayed.status, StatusCode::FORBIDDEN);
    assert!(!feed.text.contains(world::ACCESS_TOKEN));

    browser.post("/feeds/1/pause", &[]).await;
    assert!(browser.get("/feeds/1").await.text.contains("Resume"));
    assert_eq!(browser.post("/feeds/1/resync", &[]).await.status, StatusCode::CONFLICT);
    let removed = browser.post("/feeds/1/remove", &[]).await.leads_to();
    assert_eq!(removed, "/indexes/1/integrations?done=feed-removed");
    assert!(world.store.grant_is_gone().await);
}

#[tokio::test]
async fn a_forged_answer_of_atlassian_is_refused_in_words() {
    let (world, browser) = World::with_ann().await;
    let forged = browser.get("/connect/callback?code=x&state=forged").await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert!(forged.text.contains("<h1>Circuit was not connected</h1>"));
    assert!(
        forged
            .text
            .contains("does not belong to a connection that was begun in this browser")
    );
    let stranger = Browser::of(&world).get("/connect/callback?code=x&state=forged").await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    assert!(
        stranger
            .text
            .contains("You are not signed in to Circuit in this browser")
    );
}

#[tokio::test]
async fn whoever_chooses_cancel_at_atlassian_is_told_what_it_means() {
    let (_world, browser) = World::with_ann().await;
    browser.post("/indexes/new", &[("name", "Handbook")]).await;
    let away = browser.post("/indexes/1/integrations/confluence", &[]).await.leads_to();
    let state = away.split("state=").nth(1).unwrap();
    let back = browser
        .get(&format!("/connect/callback?error=access_denied&state={state}"))
        .await;
    assert!(
        back.text
            .contains("You chose Cancel at Atlassian, so nothing was connected"),
        "{}",
        back.text
    );
}

#[tokio::test]
async fn a_connection_that_never_comes_back_gets_the_hint_about_the_sites_admin() {
    let (world, browser) = World::with_ann().await;
    browser.post("/indexes/new", &[("name", "Handbook")]).await;
    browser.post("/indexes/1/integrations/confluence", &[]).await;
    world.turn_clock(CONNECTING_MAX * 2);
    let page = browser.get("/feeds/1").await;
    assert!(
        page.text
            .contains("Ask the admin of the site to allow Circuit, then try again."),
        "{}",
        page.text
    );
    assert!(page.text.contains("Try again"));
}

#[tokio::test]
async fn a_parked_feed_says_what_happened_what_it_means_and_what_to_do() {
    let (world, browser) = World::with_ann().await;
    let feed = world.connected(&browser).await;
    for (park, said) in [
        (ended(Ending::Revoked), "Reconnect to go on syncing."),
        (
            ended(Ending::Expired),
            "A connection lives for ninety days after its last use",
        ),
        (
            ended(Ending::SiteRemoved),
            "Ask an admin of the site whether they removed Circuit",
        ),
        (ended(Ending::NoConfluence), "let this person use Confluence again"),
        (ended(Ending::Anonymous), "Reconnect, and tick the site"),
        (ended(Ending::OtherAccount), "you are asked before anything changes"),
        (
            ended(Ending::HiddenFromApp),
            "let Circuit through their app access rule",
        ),
        (
            Park::Misconfigured {
                why: "Atlassian refuses Circuit&#39;s client id".into(),
                until: world::NOW,
            },
            "Nobody has to reconnect",
        ),
        (
            Park::Withdrawn {
                why: "Atlassian has withdrawn the way to the pages".into(),
            },
            "Atlassian has withdrawn the way to the pages.",
        ),
        (
            Park::NeedsScopes {
                missing: vec!["read:page:confluence".into()],
            },
            "<code>read:page:confluence</code>",
        ),
        (
            Park::QuotaSpent { until: world::NOW },
            "It goes on by itself at 24 Nov 2026, 08:00 UTC",
        ),
    ] {
        world
            .store
            .0
            .set_feed_state(feed, &FeedState::Parked(park))
            .await
            .unwrap();
        let page = browser.get(&format!("/feeds/{feed}")).await;
        assert!(page.text.contains(said), "{said} is not in {}", page.text);
        assert!(page.text.contains("Reconnect</a>"));
    }
}

fn ended(ending: Ending) -> Park {
    Park::ended(ending, "Confluence withdrew Circuit's access to acme".into())
}

#[tokio::test]
async fn what_may_be_over_is_tried_again_without_a_new_consent() {
    let (world, browser) = World::with_ann().await;
    let feed = world.connected(&browser).await;
    let way = format!("/feeds/{feed}");
    for (ending, offered) in [(Ending::NoConfluence, true), (Ending::Revoked, false)] {
        let state = FeedState::Parked(ended(ending));
        world.store.0.set_feed_state(feed, &state).await.unwrap();
        let page = browser.get(&way).await;
        assert_eq!(page.text.contains(">Try again</button>"), offered, "{ending:?}");
    }
    assert_eq!(
        browser.post(&format!("{way}/resync"), &[]).await.status,
        StatusCode::CONFLICT
    );
    let state = FeedState::Parked(ended(Ending::NoConfluence));
    world.store.0.set_feed_state(feed, &state).await.unwrap();
    browser.post(&format!("{way}/resync"), &[]).await;
    assert_eq!(world.store.0.feed(feed).await.unwrap().state, FeedState::Active);
}

#[tokio::test]
async fn a_job_that_died_says_why_on_the_feeds_page_and_is_revived_by_a_person() {
    let (world, browser) = World::with_ann().await;
    let feed = world.connected(&browser).await;
    let store = &world.store.0;
    for _ in 0..JOB_FAILURES_MAX {
        let lease = Duration::from_secs(60);
        let job = store.claim("worker", world::NOW, lease).await.unwrap().unwrap();
        let why = "a column is missing";
        store.fail(job.id, "worker", why, world::NOW, world::NOW).await.unwrap();
    }
    let page = browser.get(&format!("/feeds/{feed}")).await;
    for shown in ["Stopped after failures", "A column is missing.", ">Try again</button>"] {
        assert!(page.text.contains(shown), "{shown} is not in {}", page.text);
    }
    assert!(browser.get("/metrics").await.text.contains("circuit_jobs_dead 1"));
    browser.post(&format!("/feeds/{feed}/resync"), &[]).await;
    let page = browser.get(&format!("/feeds/{feed}")).await;
    assert!(!page.text.contains("Stopped after failures") && page.text.contains("Re-sync now"));
}

#[tokio::test]
async fn pausing_and_resuming_twice_is_pausing_and_resuming() {
    let (world, browser) = World::with_ann().await;
    let feed = world.connected(&browser).await;
    for (what, state) in [("pause", FeedState::Paused), ("resume", FeedState::Active)] {
        for _ in 0..2 {
            let done = browser.post(&format!("/feeds/{feed}/{what}"), &[]).await;
            assert!(done.leads_to().contains("?done="), "{what}");
            assert_eq!(world.store.0.feed(feed).await.unwrap().state, state);
        }
    }
}

#[tokio::test]
async fn a_schedule_is_set_within_its_bounds_and_shown() {
    let (world, browser) = World::with_ann().await;
    let feed = world.connected(&browser).await;
    let way = format!("/feeds/{feed}/schedule");
    let page = browser.get(&way).await;
    assert!(page.text.contains(r#"name="changes" type="number""#) && page.text.contains(r#"value="3""#));
    let wrong = browser.post(&way, &[("changes", "0.5"), ("walk", "60")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(
        wrong.text.contains("from 1 min to 1440 min") && wrong.text.contains(r#"value="60""#),
        "what was typed stays: {}",
        wrong.text
    );
    let wrong = browser.post(&way, &[("changes", "NaN")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let saved = browser
        .post(&way, &[("changes", "1.5"), ("walk", "60"), ("probe", "")])
        .await;
    let page = browser.get(&saved.leads_to()).await;
    for shown in [
        "The schedule was saved.",
        "Every 1.5 minutes",
        "Every 60 minutes",
        "As often as its price allows",
    ] {
        assert!(page.text.contains(shown), "{shown} is not in {}", page.text);
    }
    let schedule = world.store.0.feed(feed).await.unwrap().schedule;
    assert_eq!(schedule.changes_every, Duration::from_secs(90));
    assert_eq!(schedule.walk_every, Some(Duration::from_secs(3_600)));
}

/// Goes to Atlassian for a feed that exists, and comes back.
async fn reconnected(browser: &Browser, feed: FeedId) -> String {
    let away = browser.post(&format!("/feeds/{feed}/reconnect"), &[]).await.leads_to();
    let state = away.split("state=").nth(1).unwrap().to_owned();
    let back = browser.get(&format!("/connect/callback?code=good&state={state}")).await;
    back.leads_to()
}

#[tokio::test]
async fn reconnecting_as_the_same_person_who_sees_the_same_spaces_asks_nothing() {
    let (world, browser) = World::with_ann().await;
    let feed = world.connected(&browser).await;
    let before = world.store.0.feed(feed).await.unwrap().connection;
    assert_eq!(
        reconnected(&browser, feed).await,
        format!("/feeds/{feed}?done=connected")
    );
    let after = world.store.0.feed(feed).await.unwrap().connection;
    assert_ne!(before, after);
    assert!(
        world.store.grant_is_gone().await,
        "the tokens of the one before are deleted"
    );
}

#[tokio::test]
async fn another_account_is_welcome_after_a_clear_question_that_names_what_it_does_not_see() {
    let (world, browser) = World::with_ann().await;
    let feed = world.connected(&browser).await;
    browser
        .post(&format!("/feeds/{feed}/spaces"), &[("space", "200")])
        .await;
    world.connects_as("Bob", &["200"]);
    let question = format!("/feeds/{feed}/reconnection");
    assert_eq!(reconnected(&browser, feed).await, question);
    let page = browser.get(&question).await;
    for shown in [
        "<strong>Bob</strong>",
        "<strong>Ann Author</strong>",
        "Bob sees 1 of 2 spaces.",
        "Engineering",
    ] {
        assert!(page.text.contains(shown), "{shown} is not in {}", page.text);
    }
    assert!(!page.text.contains("<li>Operations"), "{}", page.text);
    let feed_page = browser.get(&format!("/feeds/{feed}")).await;
    assert!(feed_page.text.contains("A new connection waits for your answer"));
    let before = world.store.0.feed(feed).await.unwrap().connection;
    assert_eq!(before, Some(ConnectionId(1)), "until then nothing changes");

    let kept = browser.post(&format!("{question}/refuse"), &[]).await;
    assert!(
        browser
            .get(&kept.leads_to())
            .await
            .text
            .contains("Everything is as it was.")
    );
    assert!(
        world.store.0.grant(ConnectionId(2)).await.is_err(),
        "its tokens are deleted"
    );
    assert_eq!(browser.post(&question, &[]).await.status, StatusCode::CONFLICT);

    reconnected(&browser, feed).await;
    assert_eq!(
        browser.post(&question, &[]).await.leads_to(),
        format!("/feeds/{feed}?done=connected")
    );
    let after = world.store.0.feed(feed).await.unwrap();
    assert_eq!(after.connection, Some(ConnectionId(3)));
    assert!(world.store.grant_is_gone().await);
    let spaces = world.store.0.feed_spaces(feed).await.unwrap();
    let suspended: Vec<&str> = spaces
        .iter()
        .filter(|space| space.suspended_at.is_some())
        .map(|space| space.space.key.as_str())
        .collect();
    assert_eq!(
        suspended,
        ["ENG"],
        "what the new account does not see is kept out of search at once"
    );
}

#[tokio::test]
async fn a_question_that_nobody_answers_is_forgotten_with_its_tokens() {
    let (world, browser) = World::with_ann().await;
    let feed = world.connected(&browser).await;
    world.connects_as("Bob", &[]);
    let question = reconnected(&browser, feed).await;
    assert!(
        browser
            .get(&question)
            .await
            .text
            .contains("Bob sees all that this integration carries (1 space).")
    );
    world.turn_clock(ANSWERED_WITHIN * 2);
    assert_eq!(browser.get(&question).await.leads_to(), format!("/feeds/{feed}"));
    assert!(world.store.0.grant(ConnectionId(2)).await.is_err());
    assert!(world.store.0.grant(ConnectionId(1)).await.is_ok());
}

#[tokio::test]
async fn removing_a_feed_deletes_its_tokens_at_once_and_one_click_deletes_its_documents() {
    let (world, browser) = World::with_ann().await;
    world.import(&browser, "Alpha", DocumentKind::Page).await;
    let feed = FeedId(1);
    world.connects_as("Bob", &[]);
    reconnected(&browser, feed).await;
    browser.post(&format!("/feeds/{feed}/remove"), &[]).await;
    for connection in [ConnectionId(1), ConnectionId(2)] {
        assert!(world.store.0.grant(connection).await.is_err(), "{connection}");
    }
    let page = browser.get(&format!("/feeds/{feed}")).await;
    assert!(page.text.contains(">Delete its documents</button>"), "{}", page.text);
    let gone = browser.post(&format!("/feeds/{feed}/delete-documents"), &[]).await;
    assert!(browser.get(&gone.leads_to()).await.text.contains("1 document deleted."));
    let page = browser.get(&format!("/feeds/{feed}")).await;
    assert!(!page.text.contains("Delete its documents"));
}

#[tokio::test]
async fn a_connection_that_is_nearly_a_year_old_says_so() {
    let (world, browser) = World::with_ann().await;
    let feed = world.connected(&browser).await;
    let way = format!("/feeds/{feed}");
    assert!(!browser.get(&way).await.text.contains("nearly a year old"));
    // The session of the browser is younger than that.
    let browser = world.turned_to_day(351).await;
    assert!(
        browser
            .get(&way)
            .await
            .text
            .contains("Atlassian may end it about 24 Nov 2027")
    );
}

#[tokio::test]
async fn a_person_may_re_sync_with_the_points_that_are_kept_from_the_schedule() {
    let (world, browser) = World::with_ann().await;
    let feed = world.connected(&browser).await;
    let until = world::NOW.plus(Duration::from_secs(1_800));
    let parked = FeedState::Parked(Park::QuotaSpent { until });
    let spend = |points: u64| {
        move |hour: &mut HourPoints| {
            hour.spent.points = points;
            Ok(())
        }
    };
    let store = &world.store.0;
    store.set_feed_state(feed, &parked).await.unwrap();
    let hour = Hour::of(world::NOW);
    store.change_points("client", hour, &spend(32_400)).await.unwrap();
    let page = browser.get(&format!("/feeds/{feed}")).await;
    assert!(
        page.text.contains("100 of 32,500 left of this hour's budget"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("Re-sync now"));
    let refused = browser.post(&format!("/feeds/{feed}/resync"), &[]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);

    store.change_points("client", hour, &spend(26_000)).await.unwrap();
    assert!(
        browser
            .get(&format!("/feeds/{feed}"))
            .await
            .text
            .contains("Re-sync now")
    );
    let begun = browser.post(&format!("/feeds/{feed}/resync"), &[]).await;
    assert_eq!(begun.leads_to(), format!("/feeds/{feed}?done=resync"));
    assert_eq!(store.feed(feed).await.unwrap().state, FeedState::Active);
}

#[tokio::test]
async fn whoever_watches_a_feed_gets_its_picture_and_every_change() {
    let (world, browser) = World::with_ann().await;
    let feed = world.connected(&browser).await;
    let answer = browser.open(&format!("/feeds/{feed}/events")).await;
    assert_eq!(
        answer.headers().get(header::CONTENT_TYPE),
        Some(&HeaderValue::from_static("text/event-stream"))
    );
    let mut events = answer.into_body().into_data_stream();
    let first = String::from_utf8(events.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(first.starts_with("event: progress\ndata: "), "{first}");
    assert!(first.contains("Importing") && first.contains("Operations"), "{first}");
    assert!(first.contains("data-runs"), "the list of runs moves too: {first}");
    assert!(first.contains("Next due"), "so does when what is due: {first}");

    browser.post(&format!("/feeds/{feed}/pause"), &[]).await;
    let second = String::from_utf8(events.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(second.contains(r#"data-state="paused""#), "{second}");

    // Without the session the stream ends at the next change.
    browser.post("/sign-out", &[]).await;
    world.resume(feed).await;
    assert!(events.next().await.is_none());
    assert_eq!(
        browser.get(&format!("/feeds/{feed}/events")).await.leads_to(),
        format!("/sign-in?next=%2Ffeeds%2F{feed}%2Fevents")
    );
}

#[tokio::test]
async fn documents_are_deleted_one_many_and_all() {
    let (world, browser) = World::with_ann().await;
    for title in ["Alpha <i>", "Beta", "Gamma", "Delta"] {
        world.import(&browser, title, DocumentKind::Page).await;
    }
    let list = browser.get("/indexes/1/documents").await;
    assert!(
        list.text.contains("4 documents") && list.text.contains("Alpha &#60;i&#62;"),
        "{}",
        list.text
    );
    let found = browser.get("/indexes/1/documents?q=bet").await;
    assert!(found.text.contains("1 document<") && !found.text.contains("Gamma"));
    let ids = list.documents();
    let document = browser.get(&format!("/indexes/1/documents/{}", ids[0])).await;
    assert!(
        document.text.contains("<h1>Alpha &#60;i&#62;</h1>"),
        "{}",
        document.text
    );

    let none = browser
        .post("/indexes/1/documents/delete", &[("back", "q=a")])
        .await
        .leads_to();
    assert_eq!(none, "/indexes/1/documents?q=a&done=nothing-selected");
    let one = browser
        .post(
            "/indexes/1/documents/delete",
            &[("only", &ids[0]), ("document", &ids[1])],
        )
        .await;
    assert!(browser.get(&one.leads_to()).await.text.contains("1 document deleted."));
    let many = browser
        .post(
            "/indexes/1/documents/delete",
            &[("document", &ids[1]), ("document", &ids[2])],
        )
        .await;
    assert!(
        browser
            .get(&many.leads_to())
            .await
            .text
            .contains("2 documents deleted.")
    );
    assert!(
        browser
            .get("/feeds/1/delete-documents")
            .await
            .text
            .contains("1 document")
    );
    let all = browser.post("/feeds/1/delete-documents", &[]).await;
    assert!(browser.get(&all.leads_to()).await.text.contains("Nothing imported yet"));
}

#[tokio::test]
async fn an_api_key_is_shown_once() {
    let (_world, browser) = World::with_ann().await;
    let made = browser.post("/account/keys", &[("name", "Robot")]).await;
    let key = made
        .text
        .split(['<', '>'])
        .find(|part| part.starts_with("circuit_") && !part.ends_with('…'));
    let key = key.unwrap().to_owned();
    let later = browser.get("/account").await;
    assert!(later.text.contains("Robot") && !later.text.contains(&key));
    let revoked = browser.post("/account/keys/1/revoke", &[]).await;
    assert!(browser.get(&revoked.leads_to()).await.text.contains("No API key yet."));
}

#[tokio::test]
async fn an_agents_key_reads_its_index_alone_and_is_shown_once() {
    let (world, browser) = World::with_ann().await;
    browser.post("/indexes/new", &[("name", "Handbook & more")]).await;
    let page = browser.get("/indexes/1/agents").await;
    assert!(page.text.contains("http://circuit.example.org/mcp") && page.text.contains("YOUR_API_KEY"));
    let made = browser.post("/indexes/1/agents", &[]).await;
    let key = made.text.split(['<', '>']).find(|part| part.starts_with("circuit_"));
    let key = key.unwrap().to_owned();
    assert!(made.text.contains(&format!("Authorization: Bearer {key}")) && !made.text.contains("YOUR_API_KEY"));
    assert!(!browser.get("/indexes/1/agents").await.text.contains(&key));
    let caller = world.app.caller_by_api_key(&key).await.unwrap().unwrap();
    assert!(world.app.create_index(&caller, "Mine", "").await.is_err());
    let account = browser.get("/account").await.text;
    assert!(account.contains("Read Handbook &#38; more"), "{account}");
}

#[tokio::test]
async fn a_key_is_made_for_an_index_a_right_and_a_time() {
    let (_world, browser) = World::with_ann().await;
    browser.post("/indexes/new", &[("name", "Handbook")]).await;
    let wanted = [("name", "Robot"), ("right", "manage"), ("index", "1"), ("days", "30")];
    browser.post("/account/keys", &wanted).await;
    browser.post("/account/keys", &[("name", "Plain")]).await;
    let account = browser.get("/account").await.text;
    assert!(
        account.contains("Manage Handbook") && account.contains("Read everything"),
        "{account}"
    );
    for wrong in [("right", "own"), ("index", "9")] {
        let refused = browser.post("/account/keys", &[("name", "Odd"), wrong]).await;
        assert!(refused.status.is_client_error(), "{}", refused.text);
    }
    assert_eq!(browser.get("/account").await.text.matches("/revoke").count(), 2);
}

#[tokio::test]
async fn the_atlassian_apps_secret_goes_in_and_never_out() {
    let (_world, browser) = World::unregistered().await;
    browser.post("/indexes/new", &[("name", "Handbook")]).await;
    let connect = browser.get("/indexes/1/integrations/confluence").await;
    assert!(connect.text.contains("An Atlassian app is needed first") && connect.text.contains("/admin/atlassian"));
    let page = browser.get("/admin/atlassian").await;
    assert!(page.text.contains("http://circuit.example.org/connect/callback"));
    let saved = browser
        .post(
            "/admin/atlassian",
            &[("client_id", "abc"), ("client_secret", "hush-hush")],
        )
        .await;
    let page = browser.get(&saved.leads_to()).await;
    assert!(
        page.text.contains(r#"value="abc""#) && !page.text.contains("hush-hush"),
        "{}",
        page.text
    );
    assert!(
        browser
            .get("/indexes/1/integrations/confluence")
            .await
            .text
            .contains("Continue to Atlassian")
    );
}

#[tokio::test]
async fn the_demos_link_signs_in_and_no_other_does() {
    let (world, browser) = World::with_ann().await;
    let session = browser.session();
    let stranger = Browser::of(&world).of_demo(Secret::new("the-link"), Secret::new(session));
    assert_eq!(
        stranger.get("/sign-in/demo?token=the-lin").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(stranger.get("/sign-in/demo").await.status, StatusCode::FORBIDDEN);
    let mut guest = stranger;
    let answer = guest.get("/sign-in/demo?token=the-link").await;
    assert_eq!(answer.leads_to(), "/");
    guest.keep_cookie(&answer);
    assert!(guest.get("/indexes").await.text.contains("<h1>Indexes</h1>"));
    let plain = Browser::of(&world).get("/sign-in/demo?token=").await;
    assert_eq!(plain.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_run_tells_what_it_changed_and_a_document_which_run_saw_it() {
    let (world, browser) = World::with_ann().await;
    world.import(&browser, "Alpha <i>", DocumentKind::Page).await;
    let run = browser.get("/feeds/1/runs/1").await;
    assert_eq!(run.status, StatusCode::OK, "{}", run.text);
    let to = r#"<a href="/indexes/1/documents/cloud-1:9a">Alpha &#60;i&#62;</a>"#;
    assert!(run.text.contains(to) && run.text.contains("export.csv"), "{}", run.text);
    let removed = browser.get("/feeds/1/runs/1?effect=removed").await;
    assert!(
        removed.text.contains("Nothing.") && !removed.text.contains(to),
        "{}",
        removed.text
    );

    let document = browser.get("/indexes/1/documents/cloud-1:9a").await;
    assert!(
        document.text.contains(r#"<a href="/feeds/1/runs/1">run 1</a>"#),
        "{}",
        document.text
    );
    assert!(!document.text.contains("Not found by search"), "{}", document.text);

    browser
        .post("/indexes/1/documents/delete", &[("only", "cloud-1:9a")])
        .await;
    let deleted = browser.get("/indexes/1/documents/cloud-1:9a").await;
    assert!(
        deleted
            .text
            .contains("It was deleted from this index by a person. Syncing does not bring it back."),
        "{}",
        deleted.text
    );
}

#[tokio::test]
async fn whoever_misses_a_page_is_told_why_and_what_to_do() {
    let (world, browser) = World::with_ann().await;
    world.import(&browser, "Alpha <i>", DocumentKind::Page).await;
    let empty = browser.get("/indexes/1?q=nothing").await;
    assert!(
        empty.text.contains("Looking for a page that should be here?"),
        "{}",
        empty.text
    );
    let form = browser.get("/indexes/1/explain").await;
    assert!(form.text.contains("Address in Confluence") && !form.text.contains("aria-label=\"Answer\""));

    let unselected = "https%3A%2F%2Facme.example%2Fwiki%2Fspaces%2FENG%2Fpages%2F77%2FSalaries";
    let told = browser.get(&format!("/indexes/1/explain?url={unselected}")).await;
    assert!(
        told.text.contains("the space ENG, which is not among the chosen ones"),
        "{}",
        told.text
    );
    assert!(
        told.text.contains(r#"href="/feeds/1/spaces">Add spaces"#),
        "{}",
        told.text
    );
    let hostile = browser.get("/indexes/1/explain?url=%22%3E%3Cscript%3E").await;
    assert!(
        hostile
            .text
            .contains("This is not the address of something in Confluence."),
        "{}",
        hostile.text
    );
    assert!(!hostile.text.contains("<script>"), "{}", hostile.text);
}

#[tokio::test]
async fn a_verify_and_a_retry_are_a_click_away() {
    let (world, browser) = World::with_ann().await;
    world.import(&browser, "Alpha <i>", DocumentKind::Page).await;
    let feed = browser.get("/feeds/1").await;
    assert!(feed.text.contains("Verify (about "), "{}", feed.text);
    let run = browser.post("/feeds/1/verify", &[]).await.leads_to();
    assert_eq!(run, "/feeds/1/runs/2");
    let shown = browser.get(&run).await;
    assert!(
        shown.text.contains("What differs") && shown.text.contains("It goes on;"),
        "{}",
        shown.text
    );

    let document = browser.get("/indexes/1/documents/cloud-1:9a").await;
    assert!(
        document.text.contains("New by <a href=\"/feeds/1/runs/1\">run 1</a>"),
        "{}",
        document.text
    );
    assert!(document.text.contains("Read again now"), "{}", document.text);
    let retried = browser
        .post("/indexes/1/documents/cloud-1:9a/retry", &[])
        .await
        .leads_to();
    assert_eq!(retried, "/feeds/1?done=retry");
    assert!(browser.get(&retried).await.text.contains("The document is read now"));
}
