//! Given seeds, gives the world that they describe.

use crate::{
    chance,
    seed::{self, SeedComment, SeedPage, SeedSite},
    world::{File, Group, Item, Kind, Own, Readers, Site, Space, SpaceStatus, Status, World},
};

/// Replies to replies to replies: deeper ones of a seed hang on the last level that fits.
const REPLY_DEPTH_MAX: usize = 32;

impl World {
    pub fn new(seeds: Vec<SeedSite>) -> Self {
        let mut world = World::default();
        // Everybody first: what they wrote on one site may come before they are introduced on another.
        for person in seeds.iter().flat_map(|seed| &seed.people) {
            world.introduce(person.clone());
        }
        for seed in seeds {
            world.add_site(seed);
        }
        world
    }

    fn add_site(&mut self, seed: SeedSite) {
        let mut site = Site {
            cloud_id: seed.cloud_id,
            name: seed.name,
            ..Site::default()
        };
        for person in seed.people {
            site.members.insert(self.introduce(person));
        }
        for group in seed.groups {
            let members = group.members.iter().map(|account| self.met(account)).collect();
            let id = chance::uuid(&["group", &site.cloud_id, &group.name]);
            site.groups.push(Group {
                id,
                name: group.name,
                members,
            });
        }
        for space in seed.spaces {
            let readers = self.readers(&site, &space.readers);
            let author = space.pages.first().map_or(0, |page| self.met(&page.author));
            let created_at = space
                .pages
                .iter()
                .chain(&space.blog_posts)
                .map(|page| page.created_at)
                .min();
            let place = site.add_space(Space {
                key: space.key,
                name: space.name,
                kind: space.kind,
                description: space.description,
                readers,
                status: SpaceStatus::Current,
                ruled_out: false,
                author,
                created_at: created_at.unwrap_or_default(),
                homepage: None,
                content: Default::default(),
            });
            let mut slots: Vec<u32> = Vec::with_capacity(space.pages.len());
            for page in space.pages {
                let parent = page.parent.and_then(|place| slots.get(place).copied());
                slots.push(self.add_page(&mut site, place, Kind::Page, parent, page));
            }
            for post in space.blog_posts {
                self.add_page(&mut site, place, Kind::BlogPost, None, post);
            }
        }
        self.sites.push(site);
    }

    pub fn readers(&mut self, site: &Site, readers: &seed::Readers) -> Readers {
        match readers {
            seed::Readers::Everyone => Readers::Everyone,
            seed::Readers::Only { accounts, groups } => Readers::Only {
                people: accounts.iter().map(|account| self.met(account)).collect(),
                groups: groups.iter().filter_map(|name| site.group(name)).collect(),
            },
        }
    }

    fn add_page(&mut self, site: &mut Site, space: u32, kind: Kind, parent: Option<u32>, page: SeedPage) -> u32 {
        let restriction = page.restricted_to.as_ref().map(|readers| self.readers(site, readers));
        let item = Item {
            kind,
            status: Status::named(&page.status),
            inline: false,
            author: self.met(&page.author),
            editor: self.met(&page.editor),
            space,
            version: page.version.max(1),
            position: 0,
            holder: parent,
            reply_to: None,
            created_at: page.created_at,
            modified_at: page.modified_at.max(page.created_at),
            own: Some(Box::new(Own {
                title: Some(page.title),
                body: Some(page.body.into()),
                labels: page.labels,
                restriction,
                live: page.live,
                ..Own::default()
            })),
        };
        let slot = site.add_item(item);
        for comment in page.comments {
            self.add_comment(site, slot, None, comment, 0);
        }
        for file in page.attachments {
            let author = self.met(&file.author);
            site.add_item(Item {
                kind: Kind::Attachment,
                status: Status::Current,
                inline: false,
                author,
                editor: author,
                space,
                version: file.version.max(1),
                position: 0,
                holder: Some(slot),
                reply_to: None,
                created_at: file.created_at,
                modified_at: file.created_at,
                own: Some(Box::new(Own {
                    title: Some(file.file_name),
                    file: Some(File {
                        media_type: file.media_type,
                        bytes: file.bytes.into(),
                        comment: file.comment.unwrap_or_default(),
                    }),
                    ..Own::default()
                })),
            });
        }
        slot
    }

    fn add_comment(&mut self, site: &mut Site, page: u32, reply_to: Option<u32>, comment: SeedComment, depth: usize) {
        let author = self.met(&comment.author);
        let space = site.items[page as usize].space;
        let slot = site.add_item(Item {
            kind: Kind::Comment,
            status: Status::Current,
            inline: comment.inline,
            author,
            editor: author,
            space,
            version: 1,
            position: 0,
            holder: Some(page),
            reply_to,
            created_at: comment.created_at,
            modified_at: comment.created_at,
            own: Some(Box::new(Own {
                body: Some(comment.body.into()),
                resolution: comment.resolution,
                quoted: comment.quoted,
                ..Own::default()
            })),
        });
        let answered = match depth < REPLY_DEPTH_MAX {
            true => Some(slot),
            false => reply_to,
        };
        for reply in comment.replies {
            let inline = comment.inline;
            self.add_comment(site, page, answered, SeedComment { inline, ..reply }, depth + 1);
        }
    }
}
