//! The shapes of Confluence's answers, read tolerantly: the specification's required fields may be null, its enums have
//! more members than it says, ids come as text or as numbers (facts.md §1, recorded answers).

use domain::{
    Timestamp,
    document::{DocumentKind, TITLE_CHARS_MAX},
};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::Value;
use url::Url;

use crate::client::Rows;

/// A listing. Rows are kept raw: one that cannot be read must not take the others with it.
#[derive(Deserialize)]
pub struct Listing {
    pub results: Vec<Value>,
    #[serde(default, rename = "_links")]
    pub links: Links,
}

/// What each row of a listing costs: comments are not among the objects that have a price (facts.md §4).
pub fn points_each(kind: DocumentKind) -> u64 {
    match kind {
        DocumentKind::Page | DocumentKind::BlogPost | DocumentKind::Attachment => 1,
        DocumentKind::Comment => 0,
    }
}

impl Rows for Listing {
    fn rows(&self) -> u64 {
        self.results.len() as u64
    }
}

/// Of v1's `/search` alone.
#[derive(Deserialize)]
pub struct SearchTotals {
    #[serde(default)]
    pub results: Vec<IgnoredAny>,
    #[serde(default, rename = "totalSize")]
    pub total_size: Option<u64>,
}

impl Rows for SearchTotals {
    fn rows(&self) -> u64 {
        self.results.len() as u64
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Links {
    pub next: Option<String>,
    pub webui: Option<String>,
}

#[derive(Deserialize)]
pub struct SpaceRow {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default)]
    pub key: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
}

/// A page or blog post of v2.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageRow {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "maybe_id")]
    pub space_id: Option<String>,
    #[serde(default, deserialize_with = "maybe_id")]
    pub parent_id: Option<String>,
    #[serde(default)]
    pub parent_type: Option<String>,
    /// `live` for a live doc; in listings only.
    #[serde(default)]
    pub subtype: Option<String>,
    #[serde(default)]
    pub author_id: Option<String>,
    #[serde(default)]
    pub created_at: Option<String>,
    #[serde(default)]
    pub version: Option<VersionRow>,
    #[serde(default)]
    pub body: Option<BodyRow>,
    #[serde(default, rename = "_links")]
    pub links: Option<Links>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionRow {
    #[serde(default)]
    pub number: Option<u32>,
    #[serde(default)]
    pub author_id: Option<String>,
    #[serde(default)]
    pub created_at: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct BodyRow {
    pub storage: Option<BodyText>,
    pub atlas_doc_format: Option<BodyText>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct BodyText {
    pub value: Option<String>,
}

/// Content as v1's search gives it: here a comment or an attachment.
#[derive(Deserialize)]
pub struct ContentRow {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub space: Option<SpaceRow>,
    #[serde(default)]
    pub container: Option<Container>,
    #[serde(default)]
    pub ancestors: Option<Vec<Container>>,
    #[serde(default)]
    pub history: Option<History>,
    #[serde(default)]
    pub version: Option<VersionV1>,
    #[serde(default)]
    pub body: Option<BodyRow>,
    #[serde(default)]
    pub extensions: Option<Extensions>,
    #[serde(default, rename = "_links")]
    pub links: Option<Links>,
}

#[derive(Deserialize)]
pub struct Container {
    #[serde(default, deserialize_with = "maybe_id")]
    pub id: Option<String>,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub title: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    #[serde(default)]
    pub created_by: Option<PersonRow>,
    #[serde(default)]
    pub created_date: Option<String>,
}

#[derive(Deserialize)]
pub struct VersionV1 {
    #[serde(default)]
    pub number: Option<u32>,
    #[serde(default)]
    pub when: Option<String>,
    #[serde(default)]
    pub by: Option<PersonRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonRow {
    /// Atlassian's word: `known`, `unknown`, `anonymous`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub account_id: Option<String>,
    #[serde(default)]
    pub display_name: Option<String>,
    #[serde(default)]
    pub public_name: Option<String>,
}

/// Alone: the answer is a page.
impl Rows for PageRow {
    fn rows(&self) -> u64 {
        1
    }
}

/// Alone: the answer is a person.
impl Rows for PersonRow {
    fn rows(&self) -> u64 {
        1
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Extensions {
    pub media_type: Option<String>,
    pub file_size: Option<u64>,
    pub file_id: Option<String>,
    pub location: Option<String>,
    pub inline_properties: Option<InlineProperties>,
    pub resolution: Option<Resolution>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InlineProperties {
    pub original_selection: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Resolution {
    pub status: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(u64),
}

impl Id {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

pub fn id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let id = Id::deserialize(from)?.text();
    match is_id(&id) {
        true => Ok(id),
        false => Err(serde::de::Error::custom("not an id")),
    }
}

fn maybe_id<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Id>::deserialize(from)?.map(Id::text).filter(|id| is_id(id)))
}

/// The longest content id that is believed.
const ID_CHARS_MAX: usize = 64;

fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= ID_CHARS_MAX && text.bytes().all(plain)
}

/// The `cursor` of a `next` link. Nothing else of the link is used: where to ask is ours to say. The cursor need not be
/// the last parameter and may hold a raw `=` or `+` (recorded answers).
pub fn cursor(next: Option<&str>) -> Option<String> {
    let (_, query) = next?.split_once('?')?;
    let raw = query.split('&').find_map(|pair| pair.strip_prefix("cursor="))?;
    let pair = format!("c={}", raw.replace('+', "%2B"));
    let (_, decoded) = url::form_urlencoded::parse(pair.as_bytes()).next()?;
    (!decoded.is_empty()).then(|| decoded.into_owned())
}

/// The instant, or the first of the others that can be read; the epoch when none can.
pub fn instant<const N: usize>(texts: [Option<&str>; N]) -> Timestamp {
    texts
        .into_iter()
        .flatten()
        .find_map(|text| Timestamp::parse(text).ok())
        .unwrap_or_default()
}

/// A title within its bound, on one line.
pub fn shortened(title: &str) -> String {
    let plain = title.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(TITLE_CHARS_MAX).collect::<String>().trim().to_owned()
}

/// A site's address, without a slash at the end; none unless people can open it.
pub fn site_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let opens = matches!(url.scheme(), "https" | "http") && url.host().is_some() && url.username().is_empty();
    opens.then(|| url.as_str().trim_end_matches('/').to_owned())
}

/// Where a person opens it: below the site's own address, whatever the link says.
pub fn page_url(site: &str, links: Option<&Links>, otherwise: &str) -> String {
    let webui = links.and_then(|links| links.webui.as_deref());
    let safe = |path: &&str| path.starts_with('/') && !path.starts_with("//") && !path.chars().any(char::is_control);
    format!("{site}/wiki{}", webui.filter(safe).unwrap_or(otherwise))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_found_wherever_it_stands_and_whatever_it_holds() {
        assert_eq!(
            cursor(Some("/wiki/api/v2/pages?cursor=eyJpZCI6IjEifQ==&limit=2")).as_deref(),
            Some("eyJpZCI6IjEifQ==")
        );
        assert_eq!(cursor(Some("/x?limit=2&cursor=a%2Bb+c%3D")).as_deref(), Some("a+b+c="));
        assert_eq!(cursor(Some("/x?next=true&limit=2&start=4")), None);
        assert_eq!(cursor(None), None);
    }

    #[test]
    fn a_link_leads_below_the_site_whatever_it_says() {
        let links = |webui: &str| Links {
            next: None,
            webui: Some(webui.into()),
        };
        let site = "https://acme.atlassian.net";
        assert_eq!(
            page_url(site, Some(&links("/spaces/A/pages/1")), "/x"),
            "https://acme.atlassian.net/wiki/spaces/A/pages/1"
        );
        assert_eq!(
            page_url(site, Some(&links("javascript:alert(1)")), "/x"),
            "https://acme.atlassian.net/wiki/x"
        );
        assert_eq!(
            page_url(site, Some(&links("//evil.example")), "/x"),
            "https://acme.atlassian.net/wiki/x"
        );
        assert_eq!(site_url("javascript:alert(1)"), None);
    }

    #[test]
    fn nulls_numbers_and_unknown_words_are_read() {
        let row: PageRow = serde_json::from_str(
            r#"{"id":98432,"status":"hibernating","title":null,"spaceId":98308,"parentId":null,"parentType":"constellation","version":null,"body":{},"_links":null,"new":[1]}"#,
        )
        .unwrap();
        assert_eq!((row.id.as_str(), row.space_id.as_deref()), ("98432", Some("98308")));
        assert!(serde_json::from_str::<PageRow>(r#"{"id":"../../x"}"#).is_err());
    }
}
