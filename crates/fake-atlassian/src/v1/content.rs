//! Given an item and what to expand, gives its JSON as v1 spells it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{restrictions, users};
use crate::{
    call::Call,
    chance,
    moment::{friendly, iso},
    storage_format::{adf, view},
    v2::wire::encoded,
    web_links::{blog_or_page, space_link, tiny},
    world::{Item, Kind, SpaceStatus, content_id, space_id},
};

/// Of a body: how it is asked for, and its name.
const REPRESENTATIONS: [(&str, &str); 7] = [
    ("body.storage", "storage"),
    ("body.view", "view"),
    ("body.export_view", "export_view"),
    ("body.styled_view", "styled_view"),
    ("body.atlas_doc_format", "atlas_doc_format"),
    ("body.editor", "editor"),
    ("body.editor2", "editor2"),
];

/// The names in `expand`.
pub struct Expand(Vec<String>);

impl Expand {
    pub fn of(call: &Call) -> Self {
        Self(call.query.listed("expand").into_iter().map(str::to_owned).collect())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|asked| asked == name || asked.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    }
}

impl Call<'_> {
    pub fn content_json(&self, slot: u32, expand: &Expand) -> Value {
        let site = self.site;
        let item = site.item(slot);
        let mut content = json!({
            "id": site.shown_id(slot),
            "type": item.kind.word(),
            "status": item.status.word(),
            "title": site.title(slot),
        });
        // Moved in, not named in `json!`, which copies what it is given.
        content["extensions"] = self.extensions(slot, item, expand);
        content["_links"] = self.links(slot, item);
        if !self.terse() {
            let ari = format!(
                "ari:cloud:confluence:{}:{}/{}",
                site.cloud_id,
                item.kind.word(),
                content_id(slot)
            );
            content["base64EncodedAri"] = json!(STANDARD.encode(&ari));
            content["ari"] = json!(ari);
            content["childTypes"] = json!({});
            content["macroRenderedOutput"] = json!({});
        }
        let left = self.fill(&mut content, slot, expand);
        if !self.terse() {
            content["_expandable"] = Value::Object(left);
        }
        content
    }

    /// Fills in what is expanded and gives the names of what is not.
    fn fill(&self, content: &mut Value, slot: u32, expand: &Expand) -> Map<String, Value> {
        let site = self.site;
        let item = site.item(slot);
        let own = |rest: &str| format!("/rest/api/content/{}{rest}", site.shown_id(slot));
        let mut left = Map::new();
        let mut put = |name: &str, link: &dyn Fn() -> String, value: &dyn Fn() -> Value| {
            let always = name == "metadata" && item.kind == Kind::Attachment && !self.terse();
            if always || expand.has(name) {
                content[name] = value();
            } else if !self.terse() {
                left.insert(name.to_owned(), json!(link()));
            }
        };
        put(
            "space",
            &|| format!("/rest/api/space/{}", site.space_of(slot).key),
            &|| self.v1_space_json(item.space),
        );
        put("container", &|| self.container_link(item), &|| {
            self.container_json(item)
        });
        put("version", &String::new, &|| self.v1_version_json(slot, item));
        put("history", &|| own("/history"), &|| {
            self.history_json(slot, item, expand)
        });
        put("ancestors", &String::new, &|| self.ancestors_json(slot, item));
        put("body", &String::new, &|| self.v1_body_json(slot, expand));
        put("restrictions", &|| own("/restriction/byOperation"), &|| {
            restrictions::by_operation_json(self, slot)
        });
        put("metadata", &String::new, &|| self.metadata_json(slot, item, expand));
        put("operations", &String::new, &|| Value::Null);
        put("children", &|| own("/child"), &|| Value::Null);
        put("descendants", &|| own("/descendant"), &|| Value::Null);
        left
    }

    fn container_link(&self, item: &Item) -> String {
        match (item.kind, item.holder) {
            (Kind::Comment | Kind::Attachment, Some(holder)) => format!("/rest/api/content/{}", content_id(holder)),
            _ => format!("/rest/api/space/{}", self.site.spaces[item.space as usize].key),
        }
    }

    fn container_json(&self, item: &Item) -> Value {
        match (item.kind, item.holder) {
            (Kind::Comment | Kind::Attachment, Some(holder)) => self.brief_json(holder),
            _ => self.v1_space_json(item.space),
        }
    }

    /// Content inside other content: its name and where it is.
    fn brief_json(&self, slot: u32) -> Value {
        let item = self.site.item(slot);
        if self.terse() {
            return json!({
                "id": self.site.shown_id(slot),
                "type": item.kind.word(),
                "status": item.status.word(),
                "title": self.site.title(slot),
            });
        }
        json!({
            "id": self.site.shown_id(slot),
            "type": item.kind.word(),
            "status": item.status.word(),
            "title": self.site.title(slot),
            "macroRenderedOutput": {},
            "extensions": match item.kind { Kind::Page => json!({ "position": item.position }), _ => json!({}) },
            "_expandable": {},
            "_links": self.links(slot, item),
        })
    }

    fn v1_space_json(&self, place: u32) -> Value {
        let space = &self.site.spaces[place as usize];
        if self.terse() {
            return json!({ "id": space_id(place as usize), "key": space.key, "name": space.name, "type": space.kind });
        }
        json!({
            "id": space_id(place as usize),
            "key": space.key,
            "alias": space.key,
            "name": space.name,
            "type": space.kind,
            "status": match space.status { SpaceStatus::Archived => "archived", SpaceStatus::Current | SpaceStatus::Deleted => "current" },
            "_expandable": {
                "settings": format!("/rest/api/space/{}/settings", space.key),
                "metadata": "", "operations": "", "lookAndFeel": "", "identifiers": "", "permissions": "", "icon": "",
                "theme": "", "history": "", "homepage": "",
            },
            "_links": {
                "webui": space_link(space),
                "self": format!("{}/wiki/rest/api/space/{}", self.site.url(), space.key),
            },
        })
    }

    fn v1_version_json(&self, slot: u32, item: &Item) -> Value {
        let by = users::known_json(self, item.editor);
        if self.terse() {
            let mut version = json!({ "when": iso(item.modified_at), "number": item.version });
            version["by"] = by;
            return version;
        }
        json!({
            "by": by,
            "when": iso(item.modified_at),
            "friendlyWhen": friendly(item.modified_at),
            "message": "",
            "number": item.version,
            "minorEdit": false,
            "contentTypeModified": false,
            "_expandable": { "collaborators": "", "content": format!("/rest/api/content/{}", self.site.shown_id(slot)) },
            "_links": { "self": format!("{}/wiki/rest/api/content/{}/version/{}", self.site.url(), self.site.shown_id(slot), item.version) },
        })
    }

    fn history_json(&self, slot: u32, item: &Item, expand: &Expand) -> Value {
        let mut history = json!({ "latest": true, "createdDate": iso(item.created_at) });
        history["createdBy"] = users::known_json(self, item.author);
        if !self.terse() {
            let own = format!(
                "{}/wiki/rest/api/content/{}/history",
                self.site.url(),
                self.site.shown_id(slot)
            );
            history["_expandable"] = json!({
                "previousVersion": "", "contributors": "", "nextVersion": "", "ownedBy": "", "lastOwnedBy": "",
            });
            history["_links"] = json!({ "self": own });
        }
        match expand.has("history.lastUpdated") {
            true => history["lastUpdated"] = self.v1_version_json(slot, item),
            false if self.terse() => {}
            false => history["_expandable"]["lastUpdated"] = json!(""),
        }
        history
    }

    /// From the root down: pages above a page, comments above a reply.
    fn ancestors_json(&self, slot: u32, item: &Item) -> Value {
        let above = match item.kind {
            Kind::Page => self.site.ancestors(slot),
            Kind::Comment => self.site.answered(slot),
            Kind::BlogPost | Kind::Attachment => Vec::new(),
        };
        Value::Array(above.iter().rev().map(|slot| self.brief_json(*slot)).collect())
    }

    fn v1_body_json(&self, slot: u32, expand: &Expand) -> Value {
        let body = self.site.body(slot);
        let content = match self.terse() {
            true => String::new(),
            false => format!("/rest/api/content/{}", self.site.shown_id(slot)),
        };
        let mut out = json!({});
        for (path, name) in REPRESENTATIONS {
            if !expand.has(path) {
                if !self.terse() {
                    out["_expandable"][name] = json!("");
                }
                continue;
            }
            let value = match name {
                "storage" | "editor" | "editor2" => body.to_string(),
                "atlas_doc_format" => adf(&body).to_string(),
                _ => view(&body),
            };
            out[name] = json!({ "value": value, "representation": name });
            if !self.terse() {
                out[name]["embeddedContent"] = json!([]);
                out[name]["_expandable"] = json!({ "content": content });
            }
        }
        out
    }

    fn metadata_json(&self, slot: u32, item: &Item, expand: &Expand) -> Value {
        let mut metadata = json!({ "_expandable": {} });
        if item.kind == Kind::Attachment {
            metadata["mediaType"] = json!(self.site.file(slot).media_type);
        }
        match expand.has("metadata.labels") {
            true => {
                let label = |name: &String| json!({ "prefix": "global", "name": name, "id": content_id(slot).to_string(), "label": name });
                let labels: Vec<Value> = self.site.labels(slot).iter().map(label).collect();
                metadata["labels"] = json!({
                    "size": labels.len(), "start": 0, "limit": 200, "results": labels,
                    "_links": { "self": format!("{}/wiki/rest/api/content/{}/label", self.site.url(), self.site.shown_id(slot)) },
                });
            }
            false if self.terse() => {}
            false => metadata["_expandable"]["labels"] = json!(""),
        }
        metadata
    }

    fn extensions(&self, slot: u32, item: &Item, expand: &Expand) -> Value {
        match item.kind {
            Kind::Page => json!({ "position": item.position }),
            Kind::BlogPost => json!({}),
            Kind::Attachment => {
                let file = self.site.file(slot);
                json!({
                    "mediaType": file.media_type,
                    "fileSize": file.bytes.len(),
                    "comment": file.comment,
                    "mediaTypeDescription": "File",
                    "fileId": self.site.file_id(slot),
                    "collectionName": format!("contentId-{}", item.holder.map(content_id).unwrap_or_default()),
                })
            }
            Kind::Comment => {
                let location = match item.inline {
                    true => "inline",
                    false => "footer",
                };
                let mut extensions = json!({ "location": location, "_expandable": {} });
                let (resolution, quoted) = match item.inline {
                    true => self.site.inline_marks(slot),
                    false => ("open".to_owned(), String::new()),
                };
                match item.inline && expand.has("extensions.inlineProperties") {
                    true => {
                        let marker = chance::uuid(&["marker", &self.site.cloud_id, &slot.to_string()]);
                        extensions["inlineProperties"] = json!({ "originalSelection": quoted, "markerRef": marker });
                    }
                    false if self.terse() => {}
                    false => extensions["_expandable"]["inlineProperties"] = json!(""),
                }
                match expand.has("extensions.resolution") {
                    true => {
                        let mut state = json!({ "status": resolution });
                        if resolution == "resolved" {
                            state["lastModifier"] = users::known_json(self, item.editor);
                            state["lastModifiedDate"] = json!(iso(item.modified_at));
                        }
                        extensions["resolution"] = state;
                    }
                    false if self.terse() => {}
                    false => extensions["_expandable"]["resolution"] = json!(""),
                }
                extensions
            }
        }
    }

    fn links(&self, slot: u32, item: &Item) -> Value {
        let site = self.site;
        let id = site.shown_id(slot);
        let holder = item.holder.unwrap_or_default();
        if self.terse() {
            return match item.kind {
                Kind::Page | Kind::BlogPost => json!({ "webui": blog_or_page(site, slot) }),
                Kind::Comment => json!({ "webui": format!("{}?focusedCommentId={id}", blog_or_page(site, holder)) }),
                Kind::Attachment => json!({
                    "webui": format!("/pages/viewpageattachments.action?pageId={}", content_id(holder)),
                }),
            };
        }
        let own = format!("{}/wiki/rest/api/content/{id}", site.url());
        match item.kind {
            Kind::Page | Kind::BlogPost => json!({
                "webui": blog_or_page(site, slot),
                "self": own,
                "tinyui": tiny(content_id(slot)),
                "editui": format!("/pages/resumedraft.action?draftId={id}"),
                "edituiv2": format!("/spaces/{}/pages/edit-v2/{id}", site.space_of(slot).key),
            }),
            Kind::Comment => json!({
                "webui": format!("{}?focusedCommentId={id}", blog_or_page(site, holder)),
                "self": own,
            }),
            Kind::Attachment => json!({
                "webui": format!(
                    "/pages/viewpageattachments.action?pageId={}&preview=%2F{}%2F{}%2F{}",
                    content_id(holder), content_id(holder), content_id(slot), encoded(&site.title(slot))
                ),
                "self": own,
                "download": format!("/rest/api/content/{}/child/attachment/{id}/download", content_id(holder)),
            }),
        }
    }
}
