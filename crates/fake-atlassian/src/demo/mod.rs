//! A world worth searching: the three sites of the Norrhav family, makers of pumps. Given nothing, gives the same
//! people, spaces, pages, comments and files each time.
//!
//! The text lives in `pages/*.txt` and `facts/*.txt` in the notation of `notation`; a fact table is a family of pages
//! with one page a row. No clock is read: all days lie in the three years before [`calendar::TODAY`].

mod calendar;
mod families;
mod files;
mod inline;
mod markup;
mod notation;
mod people;

#[cfg(test)]
mod tests;

use crate::seed::{Readers, SeedSite, SeedSpace};
use people::account;

/// The three sites, the largest first. Mara Lindqvist is on all of them and may read most, not all.
pub fn sites() -> Vec<SeedSite> {
    vec![norrhav(), service(), kvantlog()]
}

/// The pump maker itself.
fn norrhav() -> SeedSite {
    let mara = account("mara");
    SeedSite {
        cloud_id: "3b1f7c52-8d0e-4a96-b2c4-6e95f07a1d38".to_owned(),
        name: "norrhav".to_owned(),
        people: people::people_of(0),
        groups: people::groups_of(
            0,
            &[
                ("finance-team", &["leila", "freja", "henrik"]),
                ("hr-partners", &["sofia", "astrid"]),
                ("board", &["henrik", "leila", "jonas"]),
                (
                    "field-operations",
                    &["tobias", "amina", "olu", "marek", "callum", "diego", "mara"],
                ),
                ("security-officers", &["priya", "zofia"]),
            ],
        ),
        spaces: vec![
            space(
                ("ENG", "Engineering", "global"),
                "Pump hydraulics, drives, controllers and how we decide things.",
                &["yuki", "priya", "nils", "zofia", "hana", "mara", "jonas"],
                include_str!("pages/eng.txt"),
            ),
            space(
                ("OPS", "Field Operations", "knowledge_base"),
                "Runbooks, site visits and incident reviews for everybody who stands next to a pump.",
                &["tobias", "amina", "olu", "marek", "callum", "mara", "diego"],
                include_str!("pages/ops.txt"),
            ),
            space(
                ("PROD", "Products", "global"),
                "Every pump and controller we make, and what is in each release.",
                &["ines", "nils", "hana", "mara", "kwame", "yuki"],
                include_str!("pages/prod.txt"),
            ),
            space(
                ("HR", "People Handbook", "collaboration"),
                "How we work here: first days, leave, travel, pay and places.",
                &["sofia", "astrid", "elin", "kwame"],
                include_str!("pages/hr.txt"),
            ),
            SeedSpace {
                readers: Readers::Only {
                    accounts: Vec::new(),
                    groups: vec!["finance-team".to_owned()],
                },
                ..space(
                    ("FIN", "Finance", "global"),
                    "Budgets, closing and the audit. For the finance team only.",
                    &["leila", "freja", "henrik"],
                    include_str!("pages/fin.txt"),
                )
            },
            space(
                (
                    &format!("~{}", mara.replace([':', '-'], "")),
                    "Mara Lindqvist",
                    "personal",
                ),
                "Notes to self, and drafts that are not ready for others.",
                &["mara"],
                include_str!("pages/mara.txt"),
            ),
        ],
    }
}

/// The service arm, which keeps other people's pumps running.
fn service() -> SeedSite {
    SeedSite {
        cloud_id: "a84e0d19-26c7-4f5b-9e83-d07b15c6f492".to_owned(),
        name: "norrhav-service".to_owned(),
        people: people::people_of(1),
        groups: people::groups_of(
            1,
            &[
                ("contract-desk", &["bruno", "lucia"]),
                ("trainers", &["elin", "marek", "kwame"]),
            ],
        ),
        spaces: vec![
            space(
                ("SVC", "Service Contracts", "global"),
                "Who has which contract, and what we promised.",
                &["bruno", "lucia", "callum", "tobias", "mara"],
                include_str!("pages/svc.txt"),
            ),
            space(
                ("TRAIN", "Training", "knowledge_base"),
                "Courses for technicians and for customers' operators.",
                &["elin", "marek", "kwame", "diego"],
                include_str!("pages/train.txt"),
            ),
        ],
    }
}

/// The small software firm that came with its telemetry.
fn kvantlog() -> SeedSite {
    SeedSite {
        cloud_id: "f05c92b7-41da-4e68-8b37-9a2ce61d70f5".to_owned(),
        name: "kvantlog".to_owned(),
        people: people::people_of(2),
        groups: people::groups_of(2, &[("on-call", &["ravi", "meera", "piotr"])]),
        spaces: vec![
            space(
                ("DEV", "Kvantlog Development", "collaboration"),
                "The telemetry platform: design, interface and releases.",
                &["ravi", "meera", "piotr", "zofia", "priya"],
                include_str!("pages/dev.txt"),
            ),
            space(
                ("HELP", "Kvantlog Help", "knowledge_base"),
                "Answers for customers who watch their pumps with Kvantlog.",
                &["meera", "piotr", "hana", "mara"],
                include_str!("pages/help.txt"),
            ),
        ],
    }
}

/// A space everybody may read, from its key, name and kind, its description, the handles of its team and its text.
fn space((key, name, kind): (&str, &str, &str), description: &str, team: &[&str], text: &str) -> SeedSpace {
    let written = notation::read(key, &families::spliced(text), team);
    SeedSpace {
        key: key.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        description: Some(description.to_owned()),
        readers: Readers::Everyone,
        pages: written.pages,
        blog_posts: written.blog_posts,
    }
}
