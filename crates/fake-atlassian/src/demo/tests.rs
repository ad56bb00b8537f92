//! The demo's world keeps what it promises to whoever builds on it.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use super::{calendar, sites};
use crate::seed::{Readers, SeedAttachment, SeedComment, SeedPage, SeedSite, SeedSpace};

fn every_page(site: &SeedSite) -> impl Iterator<Item = (&SeedSpace, &SeedPage)> {
    site.spaces.iter().flat_map(|space| {
        space
            .pages
            .iter()
            .chain(&space.blog_posts)
            .map(move |page| (space, page))
    })
}

/// A page's comments with their replies, each before its replies.
fn every_comment(page: &SeedPage) -> Vec<&SeedComment> {
    fn gather<'a>(comments: &'a [SeedComment], out: &mut Vec<&'a SeedComment>) {
        for comment in comments {
            out.push(comment);
            gather(&comment.replies, out);
        }
    }
    let mut out = Vec::new();
    gather(&page.comments, &mut out);
    out
}

fn every_attachment(sites: &[SeedSite]) -> impl Iterator<Item = &SeedAttachment> {
    sites
        .iter()
        .flat_map(|site| every_page(site).flat_map(|(_, page)| &page.attachments))
}

/// The values of an attribute, unescaped as far as this world escapes.
fn values<'a>(body: &'a str, attribute: &'a str) -> impl Iterator<Item = String> + 'a {
    let begin = format!("{attribute}=\"");
    body.match_indices(&begin.clone())
        .map(|(at, _)| at)
        .collect::<Vec<_>>()
        .into_iter()
        .map(move |at| {
            let rest = &body[at + begin.len()..];
            let value = &rest[..rest.find('"').unwrap_or(rest.len())];
            value
                .replace("&quot;", "\"")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&")
        })
}

/// Why a body is not well formed, if it is not.
fn flaw(body: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.find(['<', '&']) {
        rest = &rest[at..];
        if rest.starts_with('&') {
            let end = rest.find(';')?;
            if !rest[1..end]
                .chars()
                .all(|sign| sign.is_ascii_alphanumeric() || sign == '#')
                || end > 10
            {
                return Some(format!("a bare & at {}", rest.chars().take(30).collect::<String>()));
            }
            rest = &rest[end..];
        } else if let Some(data) = rest.strip_prefix("<![CDATA[") {
            let Some(end) = data.find("]]>") else {
                return Some("an open CDATA".to_owned());
            };
            rest = &data[end + 3..];
        } else {
            let Some(end) = rest.find('>') else {
                return Some("an open tag".to_owned());
            };
            let tag = &rest[1..end];
            if tag.matches('"').count() % 2 == 1 || tag.contains('<') {
                return Some(format!("a torn tag <{tag}>"));
            }
            if let Some(name) = tag.strip_prefix('/') {
                if open.pop() != Some(name) {
                    return Some(format!("</{name}> closes nothing"));
                }
            } else if !tag.ends_with('/') {
                open.push(tag.split_whitespace().next()?);
            }
            rest = &rest[end + 1..];
        }
    }
    open.pop().map(|name| format!("<{name}> stays open"))
}

#[test]
fn the_world_is_as_large_as_promised() {
    let sites = sites();
    assert_eq!(sites.len(), 3);
    let main = &sites[0];
    assert!(main.spaces.len() >= 6);
    assert!(main.spaces.iter().any(|space| space.kind == "personal"));
    let pages: usize = sites
        .iter()
        .flat_map(|site| &site.spaces)
        .map(|space| space.pages.len())
        .sum();
    assert!(pages >= 300, "{pages} pages");
    let blog_posts: usize = sites
        .iter()
        .flat_map(|site| &site.spaces)
        .map(|space| space.blog_posts.len())
        .sum();
    assert!(blog_posts >= 40, "{blog_posts} blog posts");
    let comments: usize = sites
        .iter()
        .flat_map(every_page)
        .map(|(_, page)| every_comment(page).len())
        .sum();
    assert!(comments >= 200, "{comments} comments");
    let attachments = every_attachment(&sites).count();
    assert!(attachments >= 60, "{attachments} attachments");
    assert!(main.people.len() >= 25, "{} people", main.people.len());
    for kind in ["pdf", "docx", "xlsx", "pptx", "png", "csv"] {
        let count = every_attachment(&sites)
            .filter(|file| file.file_name.ends_with(kind))
            .count();
        assert!(count >= 4, "{count} files of {kind}");
    }
    for status in ["archived", "trashed", "draft"] {
        let count = sites
            .iter()
            .flat_map(every_page)
            .filter(|(_, page)| page.status == status)
            .count();
        assert!(count >= 3, "{count} pages are {status}");
    }
    let resolutions: BTreeSet<_> = sites
        .iter()
        .flat_map(every_page)
        .flat_map(|(_, page)| every_comment(page))
        .filter_map(|comment| comment.resolution.clone())
        .collect();
    assert_eq!(
        resolutions.into_iter().collect::<Vec<_>>(),
        ["dangling", "open", "reopened", "resolved"]
    );
}

#[test]
fn every_body_is_well_formed() {
    for site in sites() {
        for (space, page) in every_page(&site) {
            assert_eq!(flaw(&page.body), None, "{}/{}: {}", space.key, page.title, page.body);
            for comment in every_comment(page) {
                assert_eq!(flaw(&comment.body), None, "a comment of {}/{}", space.key, page.title);
            }
        }
    }
}

#[test]
fn no_notation_is_left_in_a_body() {
    for site in sites() {
        for (space, page) in every_page(&site) {
            let bodies = every_comment(page)
                .into_iter()
                .map(|comment| &comment.body)
                .chain([&page.body]);
            for body in bodies {
                // Code may begin with a bracket of its own.
                let body = body.replace("<![CDATA[", "");
                for mark in [
                    "[[", "]]<", "**", "<p>!", "{status", "{date", "<p>|", "<p>- ", "<p>%", "<p>@",
                ] {
                    assert!(!body.contains(mark), "{mark} in {}/{}: {body}", space.key, page.title);
                }
            }
        }
    }
}

#[test]
fn parents_come_before_children_and_trees_are_five_deep() {
    let mut deepest = 0;
    for site in sites() {
        for space in &site.spaces {
            let mut depths: Vec<usize> = Vec::new();
            for (at, page) in space.pages.iter().enumerate() {
                if let Some(parent) = page.parent {
                    assert!(parent < at, "{}", page.title);
                }
                depths.push(page.parent.map_or(1, |parent| depths[parent] + 1));
            }
            deepest = deepest.max(depths.into_iter().max().unwrap_or(0));
            assert!(space.blog_posts.iter().all(|post| post.parent.is_none()));
        }
    }
    assert_eq!(deepest, 5);
}

#[test]
fn everybody_who_wrote_or_is_named_belongs_to_the_site() {
    for site in sites() {
        let people: BTreeSet<&str> = site.people.iter().map(|person| person.account_id.as_str()).collect();
        assert_eq!(people.len(), site.people.len());
        for (space, page) in every_page(&site) {
            let place = format!("{}/{}", space.key, page.title);
            let known = |id: &str| assert!(people.contains(id), "{id} at {place} of {}", site.name);
            known(&page.author);
            known(&page.editor);
            values(&page.body, "ri:account-id").for_each(|id| known(&id));
            for comment in every_comment(page) {
                known(&comment.author);
                values(&comment.body, "ri:account-id").for_each(|id| known(&id));
            }
            page.attachments.iter().for_each(|file| known(&file.author));
            if let Some(Readers::Only { accounts, groups }) = &page.restricted_to {
                accounts.iter().for_each(|id| known(id));
                for group in groups {
                    assert!(
                        site.groups.iter().any(|known| known.name == *group),
                        "{group} at {place}"
                    );
                }
            }
        }
        for group in &site.groups {
            assert!(
                group.members.iter().all(|member| people.contains(member.as_str())),
                "{}",
                group.name
            );
        }
    }
}

#[test]
fn every_link_leads_to_a_page_and_every_picture_to_a_file() {
    for site in sites() {
        for (space, page) in every_page(&site) {
            for link in page.body.match_indices("<ri:page").map(|(at, _)| &page.body[at..]) {
                let tag = &link[..link.find('>').unwrap_or(0)];
                let key = values(tag, "ri:space-key").next().unwrap_or_else(|| space.key.clone());
                let title = values(tag, "ri:content-title").next().unwrap_or_default();
                let there = site
                    .spaces
                    .iter()
                    .filter(|space| space.key == key)
                    .flat_map(|space| &space.pages);
                assert!(
                    there.clone().any(|page| page.title == title),
                    "{title} of {key} in {}",
                    page.title
                );
            }
            for name in values(&page.body, "ri:filename") {
                assert!(
                    page.attachments.iter().any(|file| file.file_name == name),
                    "{name} in {}",
                    page.title
                );
            }
        }
    }
}

#[test]
fn titles_are_unique_in_a_space_and_sites_and_bodies_in_the_world() {
    let sites = sites();
    let clouds: BTreeSet<_> = sites.iter().map(|site| (&site.cloud_id, &site.name)).collect();
    assert_eq!(clouds.len(), sites.len());
    let mut bodies = BTreeSet::new();
    for site in &sites {
        let keys: BTreeSet<_> = site.spaces.iter().map(|space| &space.key).collect();
        assert_eq!(keys.len(), site.spaces.len());
        for space in &site.spaces {
            let mut titles = BTreeSet::new();
            for page in space.pages.iter().filter(|page| page.status == "current") {
                assert!(titles.insert(&page.title), "{} twice in {}", page.title, space.key);
            }
        }
        for (space, page) in every_page(site).filter(|(_, page)| !page.body.is_empty()) {
            assert!(
                bodies.insert(page.body.clone()),
                "the body of {} in {} is another's",
                page.title,
                space.key
            );
        }
    }
}

#[test]
fn nothing_happens_out_of_order_or_after_the_last_day() {
    for site in sites() {
        for (_, page) in every_page(&site) {
            assert!((1..=30).contains(&page.version), "{}", page.title);
            assert!(
                page.created_at <= page.modified_at,
                "{} is changed before it is written",
                page.title
            );
            assert!(page.modified_at <= calendar::now(), "{}", page.title);
            assert!(
                page.created_at >= calendar::now() - (calendar::PAST_DAYS + 1) * calendar::DAY_MS,
                "{}",
                page.title
            );
            for comment in every_comment(page) {
                assert!(
                    (page.created_at..=calendar::now()).contains(&comment.created_at),
                    "{}",
                    page.title
                );
                assert!(
                    comment
                        .replies
                        .iter()
                        .all(|reply| reply.created_at >= comment.created_at),
                    "{}",
                    page.title
                );
            }
            for file in &page.attachments {
                assert!(
                    (page.created_at..=calendar::now()).contains(&file.created_at),
                    "{}",
                    file.file_name
                );
            }
        }
    }
}

#[test]
fn an_inline_comment_points_at_words_of_its_page_unless_it_lost_them() {
    for site in sites() {
        for (_, page) in every_page(&site) {
            let rooted = page.comments.iter().filter(|comment| comment.inline);
            for comment in rooted {
                let quoted = comment.quoted.as_deref().unwrap_or_default();
                assert!(!quoted.is_empty(), "{}", page.title);
                let marked = page.body.contains(&format!(
                    ">{}</ac:inline-comment-marker>",
                    super::markup::escaped(quoted)
                ));
                let lost = comment.resolution.as_deref() == Some("dangling");
                assert_ne!(marked, lost, "{quoted:?} in {}: {}", page.title, page.body);
            }
        }
    }
}

#[test]
fn mara_comes_first_on_the_main_site_and_may_read_most_but_not_all() {
    let sites = sites();
    let mara = &sites[0].people[0];
    assert_eq!((mara.name.as_str(), mara.active), ("Mara Lindqvist", true));
    for site in &sites {
        assert!(site.people.iter().any(|person| person.account_id == mara.account_id));
    }
    let groups: Vec<&str> = sites[0]
        .groups
        .iter()
        .filter(|group| group.members.contains(&mara.account_id))
        .map(|group| group.name.as_str())
        .collect();
    let may = |readers: &Readers| match readers {
        Readers::Everyone => true,
        Readers::Only {
            accounts,
            groups: allowed,
        } => accounts.contains(&mara.account_id) || allowed.iter().any(|group| groups.contains(&group.as_str())),
    };
    let finance = sites[0].spaces.iter().find(|space| space.key == "FIN");
    assert!(finance.is_some_and(|space| !may(&space.readers) && space.pages.len() >= 5));
    let hidden = every_page(&sites[0])
        .filter(|(space, page)| may(&space.readers) && page.restricted_to.as_ref().is_some_and(|only| !may(only)))
        .count();
    assert!(hidden >= 4, "{hidden} pages are kept from Mara one by one");
    let shared = every_page(&sites[0])
        .filter(|(_, page)| page.restricted_to.as_ref().is_some_and(may))
        .count();
    assert!(shared >= 2, "{shared} restricted pages are open to Mara");
    assert!(
        sites[0]
            .people
            .iter()
            .any(|person| !person.active && person.name.ends_with("(Deactivated)"))
    );
}

#[test]
fn the_well_known_pages_are_there() {
    let sites = sites();
    let space = |key: &str| sites[0].spaces.iter().find(|space| space.key == key);
    assert!(space("OPS").is_some_and(|ops| ops.pages.iter().any(|page| page.title == "Pump runbook")));
    assert!(space("HR").is_some_and(|hr| hr.pages.iter().any(|page| page.title.contains("first day"))));
    assert!(every_page(&sites[0]).any(|(_, page)| page.body.contains("trade fair") && page.parent.is_none()));
    assert!(every_page(&sites[0]).any(|(_, page)| page.body.is_empty()));
    assert!(every_page(&sites[0]).any(|(_, page)| page.title.chars().count() > 150));
}

#[test]
fn every_file_is_what_it_says() {
    let sites = sites();
    for file in every_attachment(&sites) {
        let name = &file.file_name;
        let bytes = file.bytes.as_slice();
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("pdf") => {
                assert!(
                    bytes.starts_with(b"%PDF") && bytes.trim_ascii_end().ends_with(b"%%EOF"),
                    "{name}"
                );
                let text = String::from_utf8_lossy(bytes);
                let start = text
                    .rsplit_once("startxref\n")
                    .and_then(|(_, rest)| rest.lines().next()?.parse().ok());
                assert!(
                    start.is_some_and(|at: usize| bytes[at..].starts_with(b"xref")),
                    "{name}"
                );
            }
            Some(kind @ ("docx" | "xlsx" | "pptx")) => {
                let main = match kind {
                    "docx" => "word/document.xml",
                    "xlsx" => "xl/worksheets/sheet1.xml",
                    _ => "ppt/slides/slide1.xml",
                };
                let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
                for part in ["[Content_Types].xml", "_rels/.rels", main] {
                    let mut xml = String::new();
                    archive
                        .by_name(part)
                        .expect("the part")
                        .read_to_string(&mut xml)
                        .expect("text");
                    let (_, xml) = xml.split_once("?>").expect("an XML declaration");
                    assert_eq!(flaw(xml), None, "{part} of {name}");
                }
            }
            Some("png") => {
                assert!(
                    bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.ends_with(b"IEND\xae\x42\x60\x82"),
                    "{name}"
                );
            }
            Some("csv") => {
                let text = String::from_utf8(bytes.to_vec()).expect("text");
                assert!(text.lines().count() >= 3 && text.contains(','), "{name}");
            }
            _ => panic!("{name} is of no kind that was promised"),
        }
        assert!(!file.media_type.is_empty());
    }
}

#[test]
fn the_world_is_the_same_each_time() {
    assert_eq!(format!("{:?}", sites()[1]), format!("{:?}", sites()[1]));
}
