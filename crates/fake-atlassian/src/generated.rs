//! Given a number of pages and a seed, gives a site of that size. Titles, bodies and files are computed whenever they are
//! asked for; what is held for each page is a few dozen bytes.

use crate::{
    chance::{self, Chance, scattered},
    prose::{capitalised, page_body, sentence, word},
    seed::SeedPerson,
    world::{File, Group, Item, Kind, Own, Readers, Site, Space, SpaceStatus, Status, World},
};

pub const PAGES_MIN: u64 = 2;
pub const PAGES_MAX: u64 = 2_000_000;
const PAGES_PER_SPACE: u64 = 2_500;
const PERCENT: u64 = 100;
/// Ten to a page.
const PERCENT_MAX: u64 = 1_000;
/// With eight children each, 2,500 pages are five levels deep.
const CHILDREN: u64 = 8;
/// One page in so many is not for the main person.
const PAGES_PER_HIDDEN: u64 = 499;
/// One page in so many is restricted to people among whom the main person is.
const PAGES_PER_RESTRICTED: u64 = 211;
/// 13 September 2020.
const BEGINNING_MS: i64 = 1_600_000_000_000;
const SPAN_MS: u64 = 4 * 365 * 24 * 3600 * 1000;
const EDITED_WITHIN_MS: u64 = 200 * 24 * 3600 * 1000;

#[rustfmt::skip]
const GIVEN: [&str; 30] = [
    "Mara", "Jonas", "Aiko", "Tomás", "Ingrid", "Kwame", "Priya", "Lukas", "Zeynep", "Émile", "Nadia", "Oskar",
    "Sofia", "Dmitri", "Chiara", "Hassan", "Freya", "Mateus", "Yuki", "Anouk", "Piotr", "Leila", "Viktor",
    "Amara", "Bruno", "Sinéad", "Ravi", "Elif", "Noah", "Greta",
];
#[rustfmt::skip]
const FAMILY: [&str; 30] = [
    "Lindqvist", "Weber", "Tanaka", "Silva", "Haugen", "Mensah", "Raman", "Novak", "Demir", "Laurent", "Petrov",
    "Berg", "Romano", "Volkov", "Ricci", "Farouk", "Olsen", "Costa", "Mori", "Visser", "Kowalski", "Haddad",
    "Schulz", "Okafor", "Marino", "Byrne", "Iyer", "Kaya", "Fischer", "Holm",
];
#[rustfmt::skip]
const LABELS: [&str; 12] = [
    "runbook", "decision", "how-to", "meeting-notes", "policy", "draft-idea", "postmortem", "roadmap",
    "reference", "onboarding", "quarterly", "archive-soon",
];

/// How much a generated site holds. [`Amounts::of`] gives what a site of so many pages usually has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// At least 2 and at most two million; others are taken as the nearest of these.
    pub pages: u64,
    /// At least one, and no more than pages.
    pub spaces: u64,
    /// Of these so many for each hundred pages of a space, at least one if any, and at most a thousand.
    pub blog_posts_percent: u64,
    pub comments_percent: u64,
    pub attachments_percent: u64,
}

impl Amounts {
    /// 2,500 pages a space; a blog post for twenty pages, a comment for four, a file for ten.
    pub fn of(pages: u64) -> Self {
        let pages = pages.clamp(PAGES_MIN, PAGES_MAX);
        Self {
            pages,
            spaces: (pages / PAGES_PER_SPACE).max(2),
            blog_posts_percent: 5,
            comments_percent: 25,
            attachments_percent: 10,
        }
    }

    fn within_bounds(self) -> Self {
        let pages = self.pages.clamp(PAGES_MIN, PAGES_MAX);
        Self {
            pages,
            spaces: self.spaces.clamp(1, pages),
            blog_posts_percent: self.blog_posts_percent.min(PERCENT_MAX),
            comments_percent: self.comments_percent.min(PERCENT_MAX),
            attachments_percent: self.attachments_percent.min(PERCENT_MAX),
        }
    }

    fn items(self) -> usize {
        let percent = PERCENT + self.blog_posts_percent + self.comments_percent + self.attachments_percent;
        usize::try_from(self.pages * percent / PERCENT).unwrap_or(0)
    }
}

/// What a generated site computes from.
#[derive(Clone, Debug)]
pub struct Recipe {
    seed: u64,
}

impl World {
    /// One site that holds so much.
    pub fn generated(amounts: Amounts, seed: u64) -> Self {
        let amounts = amounts.within_bounds();
        let Amounts { pages, spaces, .. } = amounts;
        let mut world = World::default();
        let seed_word = seed.to_string();
        let mut site = Site {
            cloud_id: chance::uuid(&["generated site", &seed_word]),
            name: "meridian".into(),
            recipe: Some(Recipe { seed }),
            ..Site::default()
        };
        for (place, (given, family)) in GIVEN.iter().zip(FAMILY).enumerate() {
            let active = place != 29;
            let left = match active {
                true => "",
                false => " (Deactivated)",
            };
            let person = SeedPerson {
                account_id: format!("712020:{}", chance::uuid(&["person", &seed_word, &place.to_string()])),
                name: format!("{given} {family}{left}"),
                email: format!("{}.{}@meridian.example", plain(given), plain(family)),
                active,
            };
            site.members.insert(world.introduce(person));
        }
        site.groups.push(Group {
            id: chance::uuid(&["group", &seed_word, "leadership"]),
            name: "leadership".into(),
            members: [3, 5, 8].into(),
        });
        site.items.reserve_exact(amounts.items());
        for place in 0..spaces {
            let share = pages / spaces + u64::from(place < pages % spaces);
            let amounts = Amounts {
                pages: share,
                ..amounts
            };
            site.fill_space(place, amounts, seed);
        }
        site.items.shrink_to_fit();
        world.sites.push(site);
        world
    }
}

fn plain(name: &str) -> String {
    name.to_lowercase()
        .replace(['é', 'è'], "e")
        .replace('á', "a")
        .replace(' ', "-")
}

impl Site {
    fn fill_space(&mut self, place: u64, amounts: Amounts, seed: u64) {
        let pages = amounts.pages;
        let mut chance = Chance::new(scattered(seed, place ^ 0x5bac_e000));
        let subject = word(&mut chance);
        let space = self.add_space(Space {
            key: format!(
                "{}{}",
                subject
                    .chars()
                    .filter(char::is_ascii_alphabetic)
                    .take(4)
                    .collect::<String>()
                    .to_uppercase(),
                place + 1
            ),
            name: format!("{} {}", capitalised(&subject), capitalised(&word(&mut chance))),
            kind: "global".into(),
            description: Some(sentence(&mut chance)),
            readers: Readers::Everyone,
            status: SpaceStatus::Current,
            ruled_out: false,
            author: 0,
            created_at: BEGINNING_MS,
            homepage: None,
            content: Default::default(),
        });
        let first = self.items.len() as u32;
        for number in 0..pages {
            let holder = number.checked_sub(1).map(|number| first + (number / CHILDREN) as u32);
            let mut item = drawn(&mut chance, Kind::Page, space, holder);
            let slot = u64::from(first) + number;
            let restriction = match (number > CHILDREN, slot) {
                (true, slot) if slot % PAGES_PER_HIDDEN == 17 => Some([1, 2, 3].into()),
                (true, slot) if slot % PAGES_PER_RESTRICTED == 5 => Some([0, 1, 2].into()),
                _ => None,
            };
            item.own = restriction.map(|people| {
                let groups = Default::default();
                Box::new(Own {
                    restriction: Some(Readers::Only { people, groups }),
                    ..Own::default()
                })
            });
            self.add_item(item);
        }
        let share = |percent: u64| (pages * percent).div_ceil(PERCENT);
        // Spread over the pages, and once more over all of them when there are more than pages.
        let page = |number: u64, percent: u64| {
            let step = (PERCENT / percent.max(1)).max(1);
            first + (number * step % pages) as u32
        };
        for _ in 0..share(amounts.blog_posts_percent) {
            let post = drawn(&mut chance, Kind::BlogPost, space, None);
            self.add_item(post);
        }
        let mut last_comment = None;
        for number in 0..share(amounts.comments_percent) {
            let page = page(number, amounts.comments_percent);
            let mut comment = drawn(&mut chance, Kind::Comment, space, Some(page));
            comment.inline = number % 3 == 1;
            comment.version = 1;
            if let Some(answered) = last_comment.filter(|_| number % 5 == 4) {
                let answered_item = self.item(answered);
                (comment.holder, comment.inline) = (answered_item.holder, answered_item.inline);
                comment.reply_to = Some(answered);
            }
            last_comment = Some(self.add_item(comment));
        }
        for number in 0..share(amounts.attachments_percent) {
            let page = page(number, amounts.attachments_percent);
            let attachment = drawn(&mut chance, Kind::Attachment, space, Some(page));
            self.add_item(attachment);
        }
        let content = &mut self.spaces[space as usize].content;
        content.iter_mut().for_each(Vec::shrink_to_fit);
    }
}

fn drawn(chance: &mut Chance, kind: Kind, space: u32, holder: Option<u32>) -> Item {
    let created_at = BEGINNING_MS + chance.below(SPAN_MS) as i64;
    let version = 1 + chance.below(9) as u32;
    let edited_after = match version {
        1 => 0,
        _ => 1 + chance.below(EDITED_WITHIN_MS) as i64,
    };
    let author = chance.below(GIVEN.len() as u64) as u16;
    let editor = match version {
        1 => author,
        _ => chance.below(GIVEN.len() as u64) as u16,
    };
    Item {
        kind,
        status: Status::Current,
        inline: false,
        author,
        editor,
        space,
        version,
        position: 0,
        holder,
        reply_to: None,
        created_at,
        modified_at: created_at + edited_after,
        own: None,
    }
}

impl Recipe {
    fn chance(&self, what: u64, slot: u32) -> Chance {
        Chance::new(scattered(
            self.seed ^ what.wrapping_mul(0x1234_5678_9abc_def1),
            u64::from(slot),
        ))
    }

    pub fn title(&self, kind: Kind, slot: u32) -> String {
        let mut chance = self.chance(1, slot);
        let (one, two) = (word(&mut chance), word(&mut chance));
        match kind {
            Kind::Attachment => {
                let (_, ending) = self.media(slot);
                format!("{one}-{two}-{slot}.{ending}")
            }
            Kind::Page | Kind::BlogPost | Kind::Comment => format!("{} {two} {slot}", capitalised(&one)),
        }
    }

    pub fn labels(&self, kind: Kind, slot: u32) -> Vec<String> {
        let mut chance = self.chance(2, slot);
        match kind {
            Kind::Page | Kind::BlogPost => {
                let count = chance.below(3) as usize;
                let first = chance.below(LABELS.len() as u64) as usize;
                (0..count)
                    .map(|step| LABELS[(first + step * 5) % LABELS.len()].to_owned())
                    .collect()
            }
            Kind::Comment | Kind::Attachment => Vec::new(),
        }
    }

    pub fn quoted(&self, slot: u32) -> String {
        let mut chance = self.chance(3, slot);
        format!("{} {} {}", word(&mut chance), word(&mut chance), word(&mut chance))
    }

    pub fn body(&self, kind: Kind, slot: u32) -> String {
        let mut chance = self.chance(4, slot);
        match kind {
            Kind::Attachment => String::new(),
            Kind::Comment => format!("<p>{}</p>", sentence(&mut chance)),
            Kind::Page | Kind::BlogPost => page_body(&mut chance),
        }
    }

    fn media(&self, slot: u32) -> (&'static str, &'static str) {
        match scattered(self.seed ^ 5, u64::from(slot)) % 4 {
            0 => ("text/plain", "txt"),
            1 => ("text/csv", "csv"),
            2 => ("text/markdown", "md"),
            _ => ("application/json", "json"),
        }
    }

    pub fn file(&self, slot: u32) -> File {
        let mut chance = self.chance(6, slot);
        let (media_type, ending) = self.media(slot);
        let mut text = String::with_capacity(2048);
        for number in 0..6 + chance.below(12) {
            match ending {
                "csv" => write_line(
                    &mut text,
                    &[&number.to_string(), &word(&mut chance), &word(&mut chance)]
                        .map(|cell| cell.to_owned())
                        .join(","),
                ),
                "json" => write_line(
                    &mut text,
                    &format!("{{\"number\":{number},\"name\":\"{}\"}}", word(&mut chance)),
                ),
                _ => write_line(&mut text, &sentence(&mut chance)),
            }
        }
        File {
            media_type: media_type.into(),
            bytes: text.into(),
            comment: String::new(),
        }
    }
}

fn write_line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}
