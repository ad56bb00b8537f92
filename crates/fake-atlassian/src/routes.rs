//! Given a method and a path behind the gateway, gives the endpoint and the scopes that open it.

use http::Method;

use crate::world::Kind;

/// An endpoint with what its path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    Spaces,
    Space(&'a str),
    SpaceContent(Kind, &'a str),
    SpaceLabels(&'a str),
    SpaceContentLabels(&'a str),
    Content(Kind),
    ContentById(Kind, &'a str),
    Attachments,
    Attachment(&'a str),
    AttachmentsOf(Kind, &'a str),
    Comments {
        inline: bool,
    },
    CommentsOf {
        holder: Kind,
        id: &'a str,
        inline: bool,
    },
    Comment {
        inline: bool,
        id: &'a str,
    },
    Replies {
        inline: bool,
        id: &'a str,
    },
    Labels(Kind, &'a str),
    Versions(Kind, &'a str),
    DirectChildren(&'a str),
    /// The deprecated listing of child pages.
    Children(&'a str),
    Descendants(&'a str),
    Ancestors(&'a str),
    DataPolicySpaces,
    DataPolicy,
    UsersBulk,
    ConvertIds,
    ContentSearch,
    Search,
    Restrictions(&'a str),
    RestrictionsByOperation(&'a str),
    RestrictionByOperation(&'a str, &'a str),
    User,
    CurrentUser,
    BulkUsers,
    MemberOf,
    Download {
        holder: &'a str,
        attachment: &'a str,
    },
    /// Withdrawn from the gateway: content reads of v1.
    GoneContent,
    /// Withdrawn from the gateway: space reads of v1.
    GoneSpace,
}

const SPACE: &[&[&str]] = &[&["read:space:confluence"]];
const CONFIGURATION: &[&[&str]] = &[&["read:configuration:confluence"]];
const PAGE: &[&[&str]] = &[&["read:page:confluence"]];
const ATTACHMENT: &[&[&str]] = &[&["read:attachment:confluence"]];
const COMMENT: &[&[&str]] = &[&["read:comment:confluence"]];
const HIERARCHY: &[&[&str]] = &[&["read:hierarchical-content:confluence"]];
const METADATA: &[&[&str]] = &[&["read:content.metadata:confluence"]];
const USER: &[&[&str]] = &[&["read:user:confluence"]];
const SEARCH: &[&[&str]] = &[&["search:confluence"], &["read:content-details:confluence"]];
const RESTRICTIONS: &[&[&str]] = &[&["read:confluence-content.all"], &["read:content-details:confluence"]];
const V1_USER: &[&[&str]] = &[&["read:confluence-user"], &["read:content-details:confluence"]];
const MEMBER_OF: &[&[&str]] = &[
    &["read:confluence-user"],
    &["read:user:confluence", "read:group:confluence"],
];
const DOWNLOAD: &[&[&str]] = &[
    &["readonly:content.attachment:confluence"],
    &["read:attachment:confluence"],
];
const GONE_CONTENT: &[&[&str]] = &[
    &["read:confluence-content.summary"],
    &["read:content-details:confluence"],
];
const GONE_SPACE: &[&[&str]] = &[&["read:confluence-space.summary"], &["read:space-details:confluence"]];

impl<'a> Route<'a> {
    /// `path` begins after `/ex/confluence/{cloudId}`; `/wiki` is optional there.
    pub fn of(method: &Method, path: &'a str) -> Option<Self> {
        let path = path.strip_prefix("/wiki").unwrap_or(path);
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match (method, segments.as_slice()) {
            (_, ["api", "v2", rest @ ..]) => Self::v2(method, rest),
            (&Method::GET, ["rest", "api", rest @ ..]) => Self::v1(rest),
            _ => None,
        }
    }

    fn v2(method: &Method, segments: &[&'a str]) -> Option<Self> {
        if *method == Method::POST {
            return match segments {
                ["users-bulk"] => Some(Self::UsersBulk),
                ["content", "convert-ids-to-types"] => Some(Self::ConvertIds),
                _ => None,
            };
        }
        if *method != Method::GET {
            return None;
        }
        let kind = |word: &str| match word {
            "pages" => Some(Kind::Page),
            "blogposts" => Some(Kind::BlogPost),
            _ => None,
        };
        Some(match segments {
            ["spaces"] => Self::Spaces,
            ["spaces", id] => Self::Space(id),
            ["spaces", id, "labels"] => Self::SpaceLabels(id),
            ["spaces", id, "content", "labels"] => Self::SpaceContentLabels(id),
            ["spaces", id, what] => Self::SpaceContent(kind(what)?, id),
            ["data-policies", "spaces"] => Self::DataPolicySpaces,
            ["data-policies", "metadata"] => Self::DataPolicy,
            ["attachments"] => Self::Attachments,
            ["attachments", id] => Self::Attachment(id),
            ["footer-comments"] => Self::Comments { inline: false },
            ["inline-comments"] => Self::Comments { inline: true },
            ["footer-comments", id] => Self::Comment { inline: false, id },
            ["inline-comments", id] => Self::Comment { inline: true, id },
            ["footer-comments", id, "children"] => Self::Replies { inline: false, id },
            ["inline-comments", id, "children"] => Self::Replies { inline: true, id },
            ["pages", id, "direct-children"] => Self::DirectChildren(id),
            ["pages", id, "children"] => Self::Children(id),
            ["pages", id, "descendants"] => Self::Descendants(id),
            ["pages", id, "ancestors"] => Self::Ancestors(id),
            [what] => Self::Content(kind(what)?),
            [what, id] => Self::ContentById(kind(what)?, id),
            [what, id, "attachments"] => Self::AttachmentsOf(kind(what)?, id),
            [what, id, "footer-comments"] => Self::CommentsOf {
                holder: kind(what)?,
                id,
                inline: false,
            },
            [what, id, "inline-comments"] => Self::CommentsOf {
                holder: kind(what)?,
                id,
                inline: true,
            },
            [what, id, "labels"] => Self::Labels(kind(what)?, id),
            [what, id, "versions"] => Self::Versions(kind(what)?, id),
            _ => return None,
        })
    }

    fn v1(segments: &[&'a str]) -> Option<Self> {
        Some(match segments {
            ["search"] => Self::Search,
            ["content", "search"] => Self::ContentSearch,
            ["content", id, "restriction"] => Self::Restrictions(id),
            ["content", id, "restriction", "byOperation"] => Self::RestrictionsByOperation(id),
            ["content", id, "restriction", "byOperation", operation] => Self::RestrictionByOperation(id, operation),
            ["content", holder, "child", "attachment", attachment, "download"] => Self::Download { holder, attachment },
            ["user"] => Self::User,
            ["user", "current"] => Self::CurrentUser,
            ["user", "bulk"] => Self::BulkUsers,
            ["user", "memberof"] => Self::MemberOf,
            ["content"]
            | ["content", _]
            | ["content", _, "child" | "history" | "label" | "version" | "property", ..] => Self::GoneContent,
            ["space"] | ["space", _] | ["space", _, "content" | "property", ..] => Self::GoneSpace,
            _ => return None,
        })
    }

    /// Alternatives; within one, all are needed.
    pub fn scopes(&self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Spaces | Self::Space(_) | Self::SpaceLabels(_) | Self::SpaceContentLabels(_) => SPACE,
            Self::DataPolicySpaces => SPACE,
            Self::DataPolicy => CONFIGURATION,
            Self::SpaceContent(..) | Self::Content(_) | Self::ContentById(..) => PAGE,
            Self::Labels(..) | Self::Versions(..) | Self::Children(_) => PAGE,
            Self::Attachments | Self::Attachment(_) | Self::AttachmentsOf(..) => ATTACHMENT,
            Self::Comments { .. } | Self::CommentsOf { .. } | Self::Comment { .. } | Self::Replies { .. } => COMMENT,
            Self::DirectChildren(_) | Self::Descendants(_) => HIERARCHY,
            Self::Ancestors(_) | Self::ConvertIds => METADATA,
            Self::UsersBulk => USER,
            Self::ContentSearch | Self::Search => SEARCH,
            Self::Restrictions(_) | Self::RestrictionsByOperation(_) | Self::RestrictionByOperation(..) => RESTRICTIONS,
            Self::User | Self::CurrentUser | Self::BulkUsers => V1_USER,
            Self::MemberOf => MEMBER_OF,
            Self::Download { .. } => DOWNLOAD,
            Self::GoneContent => GONE_CONTENT,
            Self::GoneSpace => GONE_SPACE,
        }
    }
}
