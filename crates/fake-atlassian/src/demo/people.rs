//! Who works where. Given a handle of the authored text, gives the person's account id, the same on every site.

use crate::seed::{SeedGroup, SeedPerson};

/// One person, as the authored text knows them.
pub(super) struct Person {
    /// How `by: mara` and `@mara` name them.
    pub handle: &'static str,
    account_id: &'static str,
    name: &'static str,
    active: bool,
    /// The sites they belong to, by [`super::Place`].
    sites: &'static [usize],
}

const fn person(handle: &'static str, account_id: &'static str, name: &'static str, sites: &'static [usize]) -> Person {
    Person {
        handle,
        account_id,
        name,
        active: true,
        sites,
    }
}

/// Everybody, in the order in which a site lists them.
#[rustfmt::skip]
pub(super) const PEOPLE: &[Person] = &[
    person("mara", "712020:6f2c1d84-0b3e-4a57-9c61-2e8f7ad0b513", "Mara Lindqvist", &[0, 1, 2]),
    person("jonas", "557058:1a9e4c07-77b2-4d3f-8e15-c0462bd9f3a8", "Jonas Ekdahl", &[0, 1, 2]),
    person("amina", "712020:c84b0e52-93fd-4f16-b7a8-5d21e6390c4f", "Amina Okonjo-Reyes", &[0, 1]),
    person("tobias", "5b10ac8d82e05b22cc7d4ef5", "Tobias Grünwald", &[0, 1]),
    person("yuki", "712020:07d5a2f9-4c1b-48e6-a3d0-9f6b81c2e7d4", "Yuki Tanemura", &[0, 2]),
    person("priya", "557058:e2f70b16-5a8d-4c94-91b3-7d04ca8e6f25", "Priya Venkatraman", &[0, 2]),
    person("olu", "712020:b39c6d10-e8f4-4275-8a1e-03d7f59b2c68", "Oluwaseun Adeyinka", &[0, 1]),
    person("ines", "5c93f1ae0d47b60f1b7a2ce9", "Inês Carvalhal", &[0]),
    person("marek", "712020:4e81d7c3-2f05-49ba-b6d9-a17c30e5f842", "Marek Dvorský", &[0, 1]),
    person("sofia", "557058:90cd3e7a-b165-4f28-a402-6be8d1f7395c", "Sofia Papadaki", &[0]),
    person("henrik", "712020:fd2a5b80-6c97-4e31-8f04-d5b9e7162ca3", "Henrik Nordahl-Moe", &[0, 1, 2]),
    person("leila", "5d7e20b94f8c1a0c2e63bb14", "Leila Farhadi", &[0]),
    person("callum", "712020:38e7f0a4-d15b-4c82-97e6-4b0f2d8c61a9", "Callum Rennick", &[0, 1]),
    person("freja", "557058:7b41c9d2-0e8f-43a6-b5d7-f182a6ce3094", "Freja Bastholm", &[0]),
    person("diego", "712020:a60f8d35-7e2c-4b19-8d4a-c3e5017fb926", "Diego Amparán", &[0, 1]),
    person("hana", "5e2b6c0a91d3f70c8a4d1e57", "Hana Kobayashi-Weiss", &[0, 2]),
    person("nils", "712020:51b7e3fc-a80d-4692-b1c5-08f94d6a7e3b", "Nils Åkerblom", &[0]),
    person("zofia", "557058:c5d80a6f-3b92-4e71-8a60-e9f17b24dc05", "Zofia Wierzbicka", &[0, 2]),
    person("ravi", "712020:e9034fb7-1c6a-4d58-a2f3-7bd60c95e184", "Ravi Chandrasekar", &[2, 0]),
    person("elin", "5f4a81c76be20d006f9c3a28", "Elin Sandström", &[0, 1]),
    person("kwame", "712020:2dc7b95e-f603-4a84-9b7f-61e8d03ac5f4", "Kwame Boateng-Lund", &[0, 1]),
    person("astrid", "557058:38f6e1b0-c42d-4795-8ea3-0d7b9c5fa261", "Astrid Hallbäck", &[0]),
    person("bruno", "712020:86a3d0ce-59f7-4b12-a8d4-f20c7e1b9365", "Bruno Castelnau", &[1, 0]),
    person("meera", "602c9d17e8b4a5006912fc3b", "Meera Iyengar", &[2]),
    person("piotr", "712020:da5f2e91-80c6-4d37-b9a2-3c7e6f410b58", "Piotr Zalewski", &[2]),
    person("lucia", "712020:15c8f6a7-d3b0-4e94-86f1-b07d2c9e5a43", "Lucía Menchaca", &[1]),
    person("tomoko", "712020:9b0e47d6-25ac-4f83-b6e1-8d3c07f5a219", "Tomoko Hirasawa", &[0]),
    person("viktor", "602f3b81d0c9e7006a54f2d8", "Viktor Szabados", &[0, 1]),
    Person {
        handle: "gunnar",
        account_id: "557058:4af9c2d8-61e3-4b70-95c8-a7d0e3f81b26",
        name: "Gunnar Tveit (Deactivated)",
        active: false,
        sites: &[0, 1],
    },
];

/// The account id behind a handle.
pub(super) fn account_of(handle: &str) -> Option<&'static str> {
    PEOPLE
        .iter()
        .find(|person| person.handle == handle)
        .map(|person| person.account_id)
}

/// The account id behind a handle of the authored text, which is part of the program.
///
/// # Panics
///
/// When the text names nobody of [`PEOPLE`]; the tests build the whole world.
pub(super) fn account(handle: &str) -> String {
    match account_of(handle) {
        Some(id) => id.to_owned(),
        None => panic!("the demo's text names {handle:?}, who is nobody"),
    }
}

/// The people of a site.
pub(super) fn people_of(site: usize) -> Vec<SeedPerson> {
    PEOPLE
        .iter()
        .filter(|person| person.sites.contains(&site))
        .map(|person| SeedPerson {
            account_id: person.account_id.to_owned(),
            name: person.name.to_owned(),
            email: format!("{}@norrhav.example", person.handle),
            active: person.active,
        })
        .collect()
}

/// The group of everybody who works at a site, then the named ones.
pub(super) fn groups_of(site: usize, named: &[(&str, &[&str])]) -> Vec<SeedGroup> {
    let everybody = PEOPLE
        .iter()
        .filter(|person| person.active && person.sites.contains(&site));
    let mut groups = vec![SeedGroup {
        name: "confluence-users".to_owned(),
        members: everybody.map(|person| person.account_id.to_owned()).collect(),
    }];
    groups.extend(named.iter().map(|(name, handles)| SeedGroup {
        name: (*name).to_owned(),
        members: handles.iter().map(|handle| account(handle)).collect(),
    }));
    groups
}
