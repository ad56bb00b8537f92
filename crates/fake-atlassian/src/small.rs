//! Given a seed and a size, gives a small world in which there is something of everything: what a simulation runs in,
//! thousands of times. The same seed gives the same world.

use crate::{
    chance::{self, Chance, scattered},
    moment::{DAY_MS, MINUTE_MS},
    prose::sentence,
    seed::{Readers, SeedAttachment, SeedComment, SeedGroup, SeedPage, SeedPerson, SeedSite, SeedSpace},
};

/// 14 November 2023, from when a small world's content is, a month long.
pub const WRITTEN_FROM_MS: i64 = 1_700_000_000_000;
const WRITTEN_DAYS: u64 = 30;
/// One page, and one space but the first, in so many is not for everybody.
const PAGES_PER_RESTRICTED: u64 = 7;
const SPACES_PER_HIDDEN: u64 = 3;
/// One comment in so many answers the one before, one is inline.
const COMMENTS_PER_REPLY: u64 = 3;
const COMMENTS_PER_INLINE: u64 = 2;

/// How much there is of everything, over the whole site.
#[derive(Clone, Debug)]
pub struct SmallWorld {
    pub seed: u64,
    /// The site's name; its cloud id follows from it.
    pub name: String,
    pub people: u64,
    pub spaces: u64,
    pub pages: u64,
    pub blog_posts: u64,
    pub comments: u64,
    pub attachments: u64,
}

impl SmallWorld {
    /// Three people, three spaces, 15 pages, two blog posts, eight comments and four files.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            name: "acme".into(),
            people: 3,
            spaces: 3,
            pages: 15,
            blog_posts: 2,
            comments: 8,
            attachments: 4,
        }
    }

    /// The account id of the person at that place, `0` being the one who sees everything.
    pub fn account(place: u64) -> String {
        format!("712020:person-{place}")
    }

    /// The id of a site of that name.
    pub fn cloud_id(name: &str) -> String {
        chance::uuid(&["small site", name])
    }

    /// The key of the space at that place.
    pub fn space_key(place: u64) -> String {
        format!("S{}", place + 1)
    }

    pub fn site(&self) -> SeedSite {
        let mut chance = Chance::new(scattered(self.seed, 0x5a11));
        let person = |place: u64| SeedPerson {
            account_id: Self::account(place),
            name: format!("Person {place}"),
            email: format!("person-{place}@{}.example", self.name),
            active: true,
        };
        let mut site = SeedSite {
            cloud_id: Self::cloud_id(&self.name),
            name: self.name.clone(),
            people: (0..self.people.max(1)).map(person).collect(),
            groups: vec![SeedGroup {
                name: "insiders".into(),
                members: vec![Self::account(0)],
            }],
            spaces: (0..self.spaces.max(1)).map(|place| space(place, &mut chance)).collect(),
        };
        let spaces = site.spaces.len() as u64;
        for number in 0..self.pages {
            let page = self.page(&mut chance, &format!("Page {number}"));
            let pages = &mut site.spaces[chance.below(spaces) as usize].pages;
            let parent = pages
                .len()
                .checked_sub(1)
                .map(|last| chance.below(last as u64 + 1) as usize);
            pages.push(SeedPage { parent, ..page });
        }
        for number in 0..self.blog_posts {
            let post = self.page(&mut chance, &format!("Post {number}"));
            site.spaces[chance.below(spaces) as usize].blog_posts.push(post);
        }
        self.belongings(&mut site, &mut chance);
        site
    }

    fn page(&self, chance: &mut Chance, title: &str) -> SeedPage {
        let author = Self::account(chance.below(self.people.max(1)));
        let at = WRITTEN_FROM_MS + chance.below(WRITTEN_DAYS) as i64 * DAY_MS;
        let restricted = chance.below(PAGES_PER_RESTRICTED) == 0;
        SeedPage {
            body: format!("<p>{}</p>", sentence(chance)),
            restricted_to: restricted.then(insiders),
            ..SeedPage::written(title, &author, at)
        }
    }

    fn belongings(&self, site: &mut SeedSite, chance: &mut Chance) {
        let mut pages: Vec<&mut SeedPage> = site
            .spaces
            .iter_mut()
            .flat_map(|space| space.pages.iter_mut().chain(&mut space.blog_posts))
            .collect();
        if pages.is_empty() {
            return;
        }
        for number in 0..self.comments {
            let author = Self::account(chance.below(self.people.max(1)));
            let place = chance.below(pages.len() as u64) as usize;
            let page = &mut pages[place];
            let at = page.modified_at + MINUTE_MS;
            let comment = SeedComment {
                inline: chance.below(COMMENTS_PER_INLINE) == 0,
                ..SeedComment::written(&format!("<p>Comment {number}: {}</p>", sentence(chance)), &author, at)
            };
            match page
                .comments
                .last_mut()
                .filter(|_| chance.below(COMMENTS_PER_REPLY) == 0)
            {
                Some(answered) => answered.replies.push(comment),
                None => page.comments.push(comment),
            }
        }
        for number in 0..self.attachments {
            let author = Self::account(chance.below(self.people.max(1)));
            let place = chance.below(pages.len() as u64) as usize;
            let at = pages[place].modified_at + MINUTE_MS;
            let file = SeedAttachment::text(&format!("file-{number}.txt"), &sentence(chance), &author, at);
            pages[place].attachments.push(file);
        }
    }
}

fn insiders() -> Readers {
    Readers::Only {
        accounts: Vec::new(),
        groups: vec!["insiders".into()],
    }
}

fn space(place: u64, chance: &mut Chance) -> SeedSpace {
    let hidden = place > 0 && chance.below(SPACES_PER_HIDDEN) == 0;
    SeedSpace {
        key: SmallWorld::space_key(place),
        name: format!("Space {}", place + 1),
        kind: "global".into(),
        readers: match hidden {
            true => insiders(),
            false => Readers::Everyone,
        },
        ..SeedSpace::default()
    }
}
