//! Given a document's blocks, gives the documents of its site that they link to: by id or by title, as links name them.

use std::collections::BTreeSet;

use domain::{
    ContentId,
    document::{Held, TITLE_CHARS_MAX},
    link::{LINKS_MAX, Link},
};

use crate::{Block, People, Surroundings, Target, address::percent_decoded, spans};

/// The longest id that is believed to be one, in digits.
const ID_DIGITS_MAX: usize = 20;

/// What these blocks of a document link to, but for itself.
pub fn links(held: &Held, blocks: &[Block]) -> BTreeSet<Link> {
    let nobody = People::new();
    let surroundings = Surroundings::of(held, &nobody);
    let own = [
        Link::Document(held.document.id.content.clone()),
        titled(&held.space_key, &held.document.title),
    ];
    let mut links = BTreeSet::new();
    for target in spans(blocks).filter_map(|span| span.manner.link.as_deref()) {
        if links.len() == LINKS_MAX {
            break;
        }
        let link = match target {
            Target::Page { id: Some(id), .. } => document(id),
            Target::Page { space, title, .. } => Some(titled(space.as_deref().unwrap_or(&held.space_key), title)),
            Target::Url(url) => {
                let inside = surroundings.wiki.and_then(|wiki| url.strip_prefix(wiki));
                inside.or_else(|| url.strip_prefix("/wiki")).and_then(named)
            }
            Target::Attachment { .. } | Target::Space(_) | Target::Person(_) | Target::Anchor(_) | Target::Issue(_) => {
                None
            }
        };
        links.extend(link.filter(|link| !own.contains(link) && is_sound(link)));
    }
    links
}

/// What an address of the site names, from behind its `/wiki` on.
fn named(rest: &str) -> Option<Link> {
    let rest = rest.split('#').next()?;
    let (path, asked) = rest.split_once('?').unwrap_or((rest, ""));
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts[..] {
        ["spaces", _, "pages", id, ..] | ["spaces", _, "blog", _, _, _, id, ..] => document(id),
        ["pages", "viewpage.action"] => asked
            .split('&')
            .find_map(|pair| document(pair.strip_prefix("pageId=")?)),
        ["display", key, title] | ["display", key, _, _, _, title] => Some(titled(
            &percent_decoded(key),
            &percent_decoded(&title.replace('+', " ")),
        )),
        _ => None,
    }
}

fn document(id: &str) -> Option<Link> {
    let is_id = (1..=ID_DIGITS_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then(|| Link::Document(ContentId::new(id)))
}

/// Case makes no other space or title of it.
fn titled(space_key: &str, title: &str) -> Link {
    Link::Titled {
        space_key: space_key.to_lowercase(),
        title: title.trim().to_lowercase(),
    }
}

fn is_sound(link: &Link) -> bool {
    match link {
        Link::Document(_) => true,
        Link::Titled { space_key, title } => {
            let short = |text: &str| text.chars().nth(TITLE_CHARS_MAX).is_none();
            !title.is_empty() && short(title) && short(space_key)
        }
    }
}
