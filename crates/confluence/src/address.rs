//! Given what a person pasted, gives what it names in Confluence's web. Asks nobody, and never fails: what it does not know
//! is some other address, or none.

use base64::{
    Engine, alphabet, engine::DecodePaddingMode, engine::GeneralPurposeConfig, engine::general_purpose::GeneralPurpose,
};
use domain::{
    ContentId,
    address::{ADDRESS_BYTES_MAX, Address, Named, Place},
    document::DocumentKind,
};
use url::{Url, form_urlencoded};

/// The longest space key, in characters (facts.md §6 has them at 255).
const KEY_CHARS_MAX: usize = 255;

/// Tiny links are base64 in which `+` and `/` became `_` and `-`: the other way round than RFC 4648 has it. Zeros at the
/// end are left out.
const TINY: GeneralPurpose = {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    let Ok(alphabet) = alphabet::Alphabet::new(letters) else {
        panic!("64 letters, each once")
    };
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet, lenient)
};
/// Letters of eight bytes.
const TINY_LETTERS_MAX: usize = 11;

/// What this names; none when it is no address at all.
pub fn read(pasted: &str) -> Option<Address> {
    if pasted.len() > ADDRESS_BYTES_MAX {
        return None;
    }
    let text = pasted.trim().trim_matches(['<', '>', '"', '\'', '(', ')']).trim();
    if let Some(id) = content_id(text) {
        let kind = text.starts_with("att").then_some(DocumentKind::Attachment);
        let place = named(id, kind, None);
        return Some(Address { host: None, place });
    }
    let url = url(text)?;
    let name = url.host_str()?.trim_end_matches('.').to_lowercase();
    let host = match url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name,
    };
    Some(Address {
        host: Some(host),
        place: place(&url),
    })
}

/// Of the web, with or without its scheme, and without anybody's password.
fn url(text: &str) -> Option<Url> {
    let begins = |scheme: &str| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let url = match begins("https://") || begins("http://") {
        true => Url::parse(text).ok()?,
        // `acme.atlassian.net/wiki/…`, as some browsers show it.
        false if text.split('/').next()?.contains('.') && !text.contains("://") => {
            Url::parse(&format!("https://{text}")).ok()?
        }
        false => return None,
    };
    let open = url.username().is_empty() && url.password().is_none();
    (open && url.has_host()).then_some(url)
}

fn place(url: &Url) -> Place {
    let segments: Vec<String> = url.path_segments().into_iter().flatten().map(decoded).collect();
    let mut segments: Vec<&str> = segments
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    if segments.first() == Some(&"wiki") {
        segments.remove(0);
    }
    let place = stands(&segments, url);
    match (hanging(url), place) {
        (Some((id, kind)), Place::Content(holder)) => Place::Content(Named {
            id,
            kind: Some(kind),
            key: holder.key,
            on: Some(holder.id),
        }),
        (_, place) => place,
    }
}

fn stands(segments: &[&str], url: &Url) -> Place {
    let asked = |name: &str| value(url, name).as_deref().and_then(content_id);
    let by_query = || {
        ["pageId", "contentId", "homepageId", "draftId"]
            .into_iter()
            .find_map(asked)
    };
    match segments {
        ["spaces", key, rest @ ..] => in_space(key, rest, by_query()),
        ["x", tiny] => tiny_id(tiny).map_or(Place::Elsewhere, |id| named(id, None, None)),
        ["display", key] => space(key),
        ["display", key, _, _, _, title] | ["display", key, title] => titled(key, title),
        ["download", "attachments" | "thumbnails", on, name] => match content_id(on) {
            Some(on) => Place::File {
                on,
                name: (*name).to_owned(),
            },
            None => Place::Elsewhere,
        },
        ["pages", id] | ["rest", "api", "content", id, ..] if content_id(id).is_some() => by_id(id, None),
        ["api", "v2", what, id, ..] => by_id(id, kind_of(what)),
        ["pages" | "blogposts" | "spaces", ..] | ["dosearchsite.action" | "plugins", ..] => match by_query() {
            Some(id) => named(id, None, None),
            None => by_title(url),
        },
        _ => Place::Elsewhere,
    }
}

fn in_space(key: &str, rest: &[&str], by_query: Option<ContentId>) -> Place {
    let of = |id: &str, kind: DocumentKind| content_id(id).map(|id| named(id, Some(kind), Some(key)));
    let found = match rest {
        ["pages", "edit-v2" | "edit", id, ..] | ["pages", id, ..] => of(id, DocumentKind::Page),
        ["blog", "edit-v2" | "edit", id, ..] | ["blog", _, _, _, id, ..] | ["blog", id] => {
            of(id, DocumentKind::BlogPost)
        }
        ["whiteboard" | "whiteboards", ..] => Some(Place::NotCarried { what: "whiteboard" }),
        ["database" | "databases", ..] => Some(Place::NotCarried { what: "database" }),
        ["folder" | "folders", ..] => Some(Place::NotCarried { what: "folder" }),
        ["embed", ..] => Some(Place::NotCarried { what: "Smart Link" }),
        _ => None,
    };
    found
        .or_else(|| by_query.map(|id| named(id, None, Some(key))))
        .unwrap_or_else(|| space(key))
}

fn by_id(id: &str, kind: Option<DocumentKind>) -> Place {
    content_id(id).map_or(Place::Elsewhere, |id| named(id, kind, None))
}

fn kind_of(listing: &str) -> Option<DocumentKind> {
    match listing {
        "pages" => Some(DocumentKind::Page),
        "blogposts" => Some(DocumentKind::BlogPost),
        "attachments" => Some(DocumentKind::Attachment),
        "footer-comments" | "inline-comments" => Some(DocumentKind::Comment),
        _ => None,
    }
}

/// `viewpage.action?spaceKey=…&title=…`
fn by_title(url: &Url) -> Place {
    match (value(url, "spaceKey"), value(url, "title")) {
        (Some(key), Some(title)) => titled(&key, &title),
        (Some(key), None) => space(&key),
        (None, _) => Place::Elsewhere,
    }
}

fn named(id: ContentId, kind: Option<DocumentKind>, key: Option<&str>) -> Place {
    let key = key.and_then(readable).map(str::to_owned);
    Place::Content(Named {
        id,
        kind,
        key,
        on: None,
    })
}

fn titled(key: &str, title: &str) -> Place {
    match readable(key) {
        Some(key) => Place::Titled {
            key: key.to_owned(),
            title: title.to_owned(),
        },
        None => Place::Elsewhere,
    }
}

fn space(key: &str) -> Place {
    readable(key).map_or(Place::Elsewhere, |key| Place::Space { key: key.to_owned() })
}

/// A key as Confluence gives it: it is repeated to people, so nothing else passes.
fn readable(key: &str) -> Option<&str> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '~' | '-' | '_' | ':' | '.');
    let key_like = !key.is_empty() && key.chars().count() <= KEY_CHARS_MAX && key.chars().all(letter);
    key_like.then_some(key)
}

/// A comment or a file that the address opens upon its page.
fn hanging(url: &Url) -> Option<(ContentId, DocumentKind)> {
    let comment = value(url, "focusedCommentId").or_else(|| {
        let fragment = url.fragment()?;
        Some(fragment.strip_prefix("comment-")?.to_owned())
    });
    if let Some(id) = comment.as_deref().and_then(digits) {
        return Some((id, DocumentKind::Comment));
    }
    // `preview=/98432/98448/plan.pdf`: page, file, name.
    let preview = value(url, "preview")?;
    let id = preview.trim_start_matches('/').split('/').nth(1)?;
    let id = digits(id.trim_start_matches("att"))?;
    Some((ContentId::new(format!("att{id}")), DocumentKind::Attachment))
}

fn value(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(given, _)| given == name)
        .map(|(_, value)| value.into_owned())
}

/// Digits, or those of an attachment behind `att`.
fn content_id(text: &str) -> Option<ContentId> {
    match text.strip_prefix("att") {
        Some(rest) => digits(rest).map(|id| ContentId::new(format!("att{id}"))),
        None => digits(text),
    }
}

fn digits(text: &str) -> Option<ContentId> {
    // A 64-bit number there, so what is larger is none.
    let number = text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i64>().is_ok();
    number.then(|| ContentId::new(text))
}

fn tiny_id(letters: &str) -> Option<ContentId> {
    if letters.is_empty() || letters.len() > TINY_LETTERS_MAX || !letters.is_ascii() {
        return None;
    }
    let whole = format!("{letters:A<TINY_LETTERS_MAX$}");
    let bytes: [u8; 8] = TINY.decode(whole).ok()?.try_into().ok()?;
    let id = i64::from_le_bytes(bytes);
    (id > 0).then(|| ContentId::new(id.to_string()))
}

/// A segment of a path; Confluence writes blanks as `+`.
fn decoded(segment: &str) -> String {
    let pair = format!("t={}", segment.replace('&', "%26"));
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    pairs.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pasted: &str) -> String {
        let Some(address) = read(pasted) else {
            return "nothing".into();
        };
        let host = address.host.unwrap_or_else(|| "anywhere".into());
        let place = match address.place {
            Place::Content(named) => {
                let kind = named.kind.map_or("content", DocumentKind::word);
                let key = named.key.map(|key| format!(" of {key}")).unwrap_or_default();
                let on = named.on.map(|on| format!(" on {on}")).unwrap_or_default();
                format!("{kind} {}{key}{on}", named.id)
            }
            Place::File { on, name } => format!("file {name} on {on}"),
            Place::Titled { key, title } => format!("{title:?} of {key}"),
            Place::Space { key } => format!("space {key}"),
            Place::NotCarried { what } => format!("a {what}"),
            Place::Elsewhere => "elsewhere".into(),
        };
        format!("{host}: {place}")
    }

    #[test]
    fn every_form_of_an_address_that_confluence_gives_is_read() {
        for (path, place) in [
            ("/spaces/ENG/pages/98432/Release+notes", "page 98432 of ENG"),
            ("/spaces/ENG/pages/98432", "page 98432 of ENG"),
            (
                "/spaces/ENG/pages/98432/Notes?atlOrigin=x#Heading-two",
                "page 98432 of ENG",
            ),
            ("/spaces/ENG/pages/edit-v2/98432?draftShareId=1", "page 98432 of ENG"),
            (
                "/spaces/~712020abc/blog/2026/02/03/77/Hello",
                "blogpost 77 of ~712020abc",
            ),
            ("/spaces/ENG/blog/edit-v2/77", "blogpost 77 of ENG"),
            ("/spaces/ENG/pages/1/T?focusedCommentId=55", "comment 55 of ENG on 1"),
            ("/spaces/ENG/pages/1/T#comment-56", "comment 56 of ENG on 1"),
            (
                "/spaces/ENG/pages/1/T?preview=%2F1%2F98448%2Fplan.pdf",
                "attachment att98448 of ENG on 1",
            ),
            ("/pages/viewpage.action?pageId=98432", "content 98432"),
            (
                "/pages/viewpage.action?spaceKey=ENG&title=Pump+runbook",
                "\"Pump runbook\" of ENG",
            ),
            (
                "/pages/viewpageattachments.action?pageId=1&preview=/1/2/a.png",
                "attachment att2 on 1",
            ),
            ("/pages/resumedraft.action?draftId=9", "content 9"),
            ("/x/gIAB", "content 98432"),
            (
                "/download/attachments/98432/plan%20b%26c.pdf?version=2",
                "file plan b&c.pdf on 98432",
            ),
            ("/display/ENG/Pump+runbook", "\"Pump runbook\" of ENG"),
            ("/display/ENG/2020/01/02/Old+news", "\"Old news\" of ENG"),
            ("/display/ENG", "space ENG"),
            ("/spaces/ENG", "space ENG"),
            ("/spaces/ENG/overview", "space ENG"),
            ("/spaces/ENG/overview?homepageId=12", "content 12 of ENG"),
            ("/spaces/ENG/whiteboard/5", "a whiteboard"),
            ("/spaces/ENG/folder/5?type=x", "a folder"),
            ("/api/v2/blogposts/5", "blogpost 5"),
            ("/home", "elsewhere"),
            ("/spaces/%3Cscript%3E", "elsewhere"),
        ] {
            let pasted = format!("https://acme.atlassian.net/wiki{path}");
            assert_eq!(told(&pasted), format!("acme.atlassian.net: {place}"), "{pasted}");
        }
    }

    #[test]
    fn what_people_paste_around_an_address_does_not_matter() {
        let page = "acme.atlassian.net: page 5 of ENG";
        for pasted in [
            "  <https://acme.atlassian.net/wiki/spaces/ENG/pages/5>\n",
            "HTTP://ACME.atlassian.net./wiki/spaces/ENG/pages/5",
            "acme.atlassian.net/wiki/spaces/ENG/pages/5/",
            "https://acme.atlassian.net//wiki//spaces/ENG/pages/5",
        ] {
            assert_eq!(told(pasted), page, "{pasted}");
        }
        assert_eq!(told("98432"), "anywhere: content 98432");
        assert_eq!(told("att98448"), "anywhere: attachment att98448");
        assert_eq!(
            told("http://localhost:8080/wiki/spaces/A/pages/5"),
            "localhost:8080: page 5 of A"
        );
    }

    #[test]
    fn hostile_input_is_no_address_or_leads_nowhere() {
        let long = format!("https://a.example/wiki/{}", "x".repeat(ADDRESS_BYTES_MAX));
        for pasted in [
            "",
            "pump runbook",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "ftp://acme.atlassian.net/wiki/spaces/ENG/pages/5",
            "https://ann:secret@acme.atlassian.net/wiki/spaces/ENG/pages/5",
            "https://",
            "123456789012345678901",
            long.as_str(),
        ] {
            assert_eq!(told(pasted), "nothing", "{pasted}");
        }
        for path in [
            "/x/",
            "/x/%00",
            "/x/AAAA",
            "/x/not-a-tiny-link",
            "/spaces/ENG%0aX/pages/z",
            "/pages/viewpage.action?pageId=5e9",
        ] {
            let pasted = format!("https://acme.atlassian.net/wiki{path}");
            assert_eq!(told(&pasted), "acme.atlassian.net: elsewhere", "{pasted}");
        }
    }

    #[test]
    fn a_tiny_link_has_its_two_odd_letters_the_other_way_round_than_others() {
        let tiny = |id: u64| TINY.encode(id.to_le_bytes()).trim_end_matches(['=', 'A']).to_owned();
        for id in [1, 255, 98_432, 4_294_967_296, 0xfb_ff_bf, i64::MAX as u64] {
            assert_eq!(tiny_id(&tiny(id)), Some(ContentId::new(id.to_string())), "{id}");
        }
        assert_eq!(tiny(0xff_ff_ff), "----", "sixty-three is a dash");
        assert_eq!(tiny(0xbe_ef_fb), "____", "sixty-two is an underscore");
    }
}
