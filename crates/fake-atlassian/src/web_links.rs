//! Given an item, gives where people find it in Confluence, relative to the site's `/wiki`.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use crate::{
    moment::slashed,
    world::{Kind, Site, Space, content_id},
};

pub fn space_link(space: &Space) -> String {
    format!("/spaces/{}", space.key)
}

/// `/spaces/ENG/pages/98432/Release+notes`
pub fn blog_or_page(site: &Site, slot: u32) -> String {
    let (item, space) = (site.item(slot), site.space_of(slot));
    let id = content_id(slot);
    let title: String = url::form_urlencoded::byte_serialize(site.title(slot).as_bytes()).collect();
    match item.kind {
        Kind::BlogPost => format!("{}/blog/{}/{id}/{title}", space_link(space), slashed(item.created_at)),
        _ if space.homepage == Some(slot) => format!("{}/overview", space_link(space)),
        _ => format!("{}/pages/{id}/{title}", space_link(space)),
    }
}

/// `/x/gIAB`: the id's bytes, the lowest first. `+` and `/` become `_` and `-`, the other way round than elsewhere, and
/// zeros at the end are left out.
pub fn tiny(id: u64) -> String {
    let bytes = id.to_le_bytes();
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
    let letters = STANDARD_NO_PAD.encode(&bytes[..length]);
    format!(
        "/x/{}",
        letters.replace('+', "_").replace('/', "-").trim_end_matches('A')
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_tiny_link_is_the_one_that_confluence_gives() {
        assert_eq!(super::tiny(98_432), "/x/gIAB");
        assert_eq!(super::tiny(0xff_ff_ff), "/x/----");
    }
}
