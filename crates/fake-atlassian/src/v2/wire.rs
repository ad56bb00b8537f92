//! Given an item, gives its JSON as v2 spells it.

use serde_json::{Value, json};

use crate::{
    call::Call,
    moment::iso,
    storage_format::{adf, view},
    web_links::{blog_or_page, space_link, tiny},
    world::{Item, Kind, SpaceStatus, Status, content_id, space_id},
};

/// The representation of a body that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    None,
    Storage,
    Adf,
    View,
}

impl Call<'_> {
    pub fn space_json(&self, place: u32) -> Value {
        let space = &self.site.spaces[place as usize];
        let author = self.account_of(space.author);
        let status = match space.status {
            SpaceStatus::Archived => "archived",
            SpaceStatus::Current | SpaceStatus::Deleted => "current",
        };
        let description = match (self.query.first("description-format"), &space.description) {
            (Some(format @ ("plain" | "view")), text) => {
                json!({ format: { "representation": format, "value": text.as_deref().unwrap_or_default() } })
            }
            _ => Value::Null,
        };
        json!({
            "id": space_id(place as usize).to_string(),
            "key": space.key,
            "name": space.name,
            "type": space.kind,
            "status": status,
            "authorId": author,
            "spaceOwnerId": author,
            "createdAt": iso(space.created_at),
            "homepageId": space.homepage.map(|slot| content_id(slot).to_string()),
            "description": description,
            "icon": null,
            "currentActiveAlias": space.key,
            "_links": { "webui": space_link(space) },
        })
    }

    pub fn version_json(&self, item: &Item) -> Value {
        json!({
            "number": item.version,
            "message": "",
            "minorEdit": false,
            "authorId": self.account_of(item.editor),
            "createdAt": iso(item.modified_at),
        })
    }

    pub fn body_json(&self, slot: u32, format: BodyFormat) -> Value {
        match format {
            BodyFormat::None => json!({}),
            BodyFormat::Storage | BodyFormat::Adf | BodyFormat::View => text_json(&self.site.body(slot), format),
        }
    }

    /// A page or a blog post.
    pub fn page_json(&self, slot: u32, format: BodyFormat) -> Value {
        let site = self.site;
        let item = site.item(slot);
        let id = content_id(slot).to_string();
        let mut version = self.version_json(item);
        version["ncsStepVersion"] = json!(item.version.to_string());
        let key = &site.space_of(slot).key;
        let mut page = json!({
            "id": id,
            "status": item.status.word(),
            "title": site.title(slot),
            "spaceId": space_id(item.space as usize).to_string(),
            "authorId": self.account_of(item.author),
            "createdAt": iso(item.created_at),
            "_links": { "webui": blog_or_page(site, slot) },
        });
        page["version"] = version;
        page["body"] = self.body_json(slot, format);
        if !self.terse() {
            let part = match item.kind {
                Kind::BlogPost => "blog",
                Kind::Page | Kind::Comment | Kind::Attachment => "pages",
            };
            page["_links"]["editui"] = json!(format!("/pages/resumedraft.action?draftId={id}"));
            page["_links"]["edituiv2"] = json!(format!("/spaces/{key}/{part}/edit-v2/{id}"));
            page["_links"]["tinyui"] = json!(tiny(content_id(slot)));
        }
        if item.kind == Kind::Page {
            let trashed = item.status == Status::Trashed;
            let parent = item.holder.filter(|_| !trashed);
            page["parentId"] = json!(parent.map(|slot| content_id(slot).to_string()));
            page["parentType"] = json!(parent.map(|_| "page"));
            page["position"] = match trashed {
                true => Value::Null,
                false => json!(item.position),
            };
            page["ownerId"] = json!(self.account_of(item.author));
            page["lastOwnerId"] = Value::Null;
        }
        page
    }

    pub fn attachment_json(&self, slot: u32) -> Value {
        let site = self.site;
        let item = site.item(slot);
        let file = site.file(slot);
        let holder = item.holder.unwrap_or_default();
        let (holder_id, id) = (content_id(holder), site.shown_id(slot));
        let title = site.title(slot);
        let webui = format!(
            "/pages/viewpageattachments.action?pageId={holder_id}&preview=%2F{holder_id}%2F{}%2F{}",
            content_id(slot),
            encoded(&title)
        );
        let download = format!("/rest/api/content/{holder_id}/child/attachment/{id}/download");
        let mut attachment = json!({
            "id": id,
            "status": item.status.word(),
            "title": title,
            "createdAt": iso(item.created_at),
            "mediaType": file.media_type,
            "mediaTypeDescription": null,
            "comment": file.comment,
            "fileId": site.file_id(slot),
            "fileSize": file.bytes.len(),
            "webuiLink": webui,
            "downloadLink": download,
            "version": self.version_json(item),
            "_links": { "webui": webui, "download": download },
        });
        attachment[holder_field(site.item(holder).kind)] = json!(holder_id.to_string());
        attachment
    }

    pub fn comment_json(&self, slot: u32, format: BodyFormat) -> Value {
        let site = self.site;
        let item = site.item(slot);
        let holder = item.holder.unwrap_or_default();
        let mut comment = json!({
            "id": content_id(slot).to_string(),
            "status": item.status.word(),
            "title": site.title(slot),
            "version": self.version_json(item),
            "body": self.body_json(slot, format),
            "resolutionStatus": "open",
            "_links": { "webui": format!("{}?focusedCommentId={}", blog_or_page(site, holder), content_id(slot)) },
        });
        comment[holder_field(site.item(holder).kind)] = json!(content_id(holder).to_string());
        if let Some(answered) = item.reply_to {
            comment["parentCommentId"] = json!(content_id(answered).to_string());
        }
        if item.inline {
            let (resolution, quoted) = site.inline_marks(slot);
            let marker = crate::chance::uuid(&["marker", &site.cloud_id, &slot.to_string()]);
            comment["properties"] = json!({
                "inlineMarkerRef": marker,
                "inlineOriginalSelection": quoted,
                "inline-original-selection": quoted,
                "inline-marker-ref": marker,
            });
            if matches!(resolution.as_str(), "resolved" | "reopened") {
                comment["resolutionLastModifierId"] = json!(self.account_of(item.editor));
                comment["resolutionLastModifiedAt"] = json!(iso(item.modified_at));
            }
            comment["resolutionStatus"] = json!(resolution);
        }
        comment
    }
}

/// A body in the representation asked for.
pub fn text_json(body: &str, format: BodyFormat) -> Value {
    match format {
        BodyFormat::None => json!({}),
        BodyFormat::Storage => json!({ "storage": { "representation": "storage", "value": body } }),
        BodyFormat::Adf => {
            json!({ "atlas_doc_format": { "representation": "atlas_doc_format", "value": adf(body).to_string() } })
        }
        BodyFormat::View => json!({ "view": { "representation": "view", "value": view(body) } }),
    }
}

fn holder_field(kind: Kind) -> &'static str {
    match kind {
        Kind::BlogPost => "blogPostId",
        Kind::Page | Kind::Comment | Kind::Attachment => "pageId",
    }
}

pub fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
