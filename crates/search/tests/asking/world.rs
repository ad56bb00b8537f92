//! A small index to ask: some hundred documents in several languages, in several segments, of which a space and a document
//! are hidden from who asks, and some were replaced or removed.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    AccountId, DocumentId, FeedId, IndexId, Result, SiteId, SpaceId, Timestamp,
    access::Access,
    cursor::Watermark,
    document::{DocumentKind, Person},
    embedder::{EmbeddingModel, Meaning},
    engine::{EngineBatch, SearchEngine},
    hit::{Completion, Hits},
    passage::Passage,
    query::Query,
};
use search::EmbeddedEngine;
use tokio::runtime::{Builder, Runtime};

use crate::{chance::Chance, effort::effort};

pub const INDEX: IndexId = IndexId(1);
/// Documents that are put; each commit brings some of them.
const DOCUMENTS: usize = 300;
const COMMITS: usize = 5;
/// Its documents are hidden: feed 2, space 30.
pub const HIDDEN_SPACE: &str = "30";
const HIDDEN_DOCUMENT: &str = "17";
/// What vectors are made of: so many numbers.
const DIMENSIONS: usize = 16;
/// Longer than any run: the thread that searches stays the same, and so does its clock.
const THREAD_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Sentences of which texts are made; questions are torn out of them as well.
pub const SENTENCES: &[&str] = &[
    "When the booster pump runs dry, restart it and wait for the pressure.",
    "The service answers ERR_CONN_42 if src/main.rs cannot read config.yaml.",
    "Call std::fmt or readTimeoutMs, see PROJ-1234 and v1.2.3 for ann@acme.example.",
    "Holidays are granted by the team lead; don't book before that.",
    "Die Pumpe läuft trocken, danach wird die Heizungsanlage neu gestartet.",
    "Der Urlaubsantrag für Größe und Straße wird vom Vorgesetzten geprüft.",
    "La pompe s'arrête lorsque la pression tombe; l'équipe d'astreinte la redémarre.",
    "Las facturas se pagan el día quince de cada mes, según el acuerdo.",
    "Насос работает всухую, ёлка стоит, а отпуск согласован с руководителем.",
    "水ポンプが空転したら再起動してください。会議室は三階です。",
    "水泵空转时请重新启动，然后等待压力恢复。发票在月底支付。",
    "펌프를 재시작하고 압력을 기다리십시오.",
    "أعد تشغيل المضخة وانتظر حتى يعود الضغط.",
    "รีสตาร์ทปั๊มและรอแรงดัน",
    "Pompa kuru çalışırsa yeniden başlatın; İstanbul ve ISPARTA ofisleri bekler.",
    "Invoice bill payment soup lunch canteen 2026-03-01 42 007 3.14 100%.",
    "A\u{30a}ngstro\u{308}m and café, e\u{301}te\u{301}, naïve co-operation — \u{200b}zero\u{200d}width.",
    "\u{1f680} launch \u{1f469}\u{200d}\u{1f4bb} of the platform, step 1. then step 2.",
];

const TITLES: &[&str] = &[
    "Pump runbook",
    "Urlaub und Abwesenheit",
    "ERR_CONN_42",
    "会議室の予約",
    "Release notes v1.2.3",
    "Invoices and bills",
    "Насосы",
    "main.rs",
    "The",
    "",
];

pub struct World {
    engine: EmbeddedEngine,
    runtime: Runtime,
    /// What is in it, by document.
    pub documents: BTreeMap<DocumentId, Vec<Passage>>,
    pub access: Access,
    model: EmbeddingModel,
}

impl World {
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(1)
            .thread_keep_alive(THREAD_KEPT)
            .build();
        let mut world = Self {
            engine: EmbeddedEngine::in_memory(),
            runtime: runtime.unwrap(),
            documents: BTreeMap::new(),
            access: Access {
                index: INDEX,
                hidden: [(FeedId(2), SpaceId::new(HIDDEN_SPACE))].into(),
                hidden_documents: [(FeedId(1), document(HIDDEN_DOCUMENT))].into(),
            },
            model: EmbeddingModel {
                name: "letters".into(),
                fingerprint: "a1".into(),
                dimensions: DIMENSIONS,
            },
        };
        let mut chance = Chance::of(7);
        for commit in 0..COMMITS {
            let mut batch = EngineBatch::default();
            for number in (0..DOCUMENTS).skip(commit).step_by(COMMITS) {
                world.put(&mut batch, number, &mut chance);
            }
            // Some of what stood before is written anew, and some is taken away.
            for number in (0..DOCUMENTS).take(commit * DOCUMENTS / COMMITS).step_by(29) {
                let gone = document(&number.to_string());
                batch.documents.push((feed(number), gone.clone()));
                batch.passages.retain(|passage| passage.document != gone);
                world.documents.remove(&gone);
            }
            let reached = Watermark(commit as i64 + 1);
            world
                .runtime
                .block_on(world.engine.commit(INDEX, batch, reached))
                .unwrap();
        }
        world.learn();
        world
    }

    fn put(&mut self, batch: &mut EngineBatch, number: usize, chance: &mut Chance) {
        let passages: Vec<Passage> = (0..=chance.below(3) as u32)
            .map(|ordinal| passage(number, ordinal, chance))
            .collect();
        let document = passages[0].document.clone();
        batch.documents.push((feed(number), document.clone()));
        batch.passages.extend(passages.iter().cloned());
        self.documents.insert(document, passages);
    }

    /// All that was put gets its meaning but for every ninth text, which is not known yet.
    fn learn(&self) {
        let (engine, model) = (&self.engine, &self.model);
        self.runtime.block_on(async {
            let unknown = engine.unembedded(INDEX, model, usize::MAX).await.unwrap();
            let vectors = (0..).zip(unknown).filter(|(at, _)| at % 9 != 0);
            let vectors = vectors.map(|(_, one)| (one.key, vector(&one.text))).collect();
            engine.embedded(INDEX, model, vectors).await.unwrap();
        });
    }

    /// What a text means.
    pub fn meaning(&self, text: &str) -> Meaning {
        Meaning {
            model: self.model.fingerprint.clone(),
            vector: vector(text),
        }
    }

    /// An answer, and what it took.
    pub fn search(&self, query: &Query) -> (Result<Hits>, Duration) {
        self.timed(self.engine.search(&self.access, query))
    }

    pub fn completions(&self, text: &str) -> (Result<Vec<Completion>>, Duration) {
        self.timed(self.engine.completions(&self.access, text))
    }

    /// All searching is done by one thread, which tells how long it has worked.
    fn timed<T>(&self, asked: impl Future<Output = T>) -> (T, Duration) {
        let begin = self.worked();
        let answer = self.runtime.block_on(asked);
        (answer, self.worked() - begin)
    }

    /// How long the searching thread has worked.
    pub fn worked(&self) -> Duration {
        self.runtime
            .block_on(async { tokio::task::spawn_blocking(effort).await.unwrap() })
    }
}

fn document(number: &str) -> DocumentId {
    DocumentId::new(&SiteId::new("site"), number)
}

fn feed(number: usize) -> FeedId {
    FeedId(1 + (number % 3 == 2) as i64)
}

fn passage(number: usize, ordinal: u32, chance: &mut Chance) -> Passage {
    // All of a document but its text follows from its number.
    let (space, key, name) = match number % 3 {
        0 => ("10", "ENG", "Engineering"),
        1 => ("20", "HR", "People and places"),
        _ if number.is_multiple_of(2) => (HIDDEN_SPACE, "SECRET", "Hidden plans"),
        _ => ("40", "ENG2", "Größe"),
    };
    let kinds = [
        DocumentKind::Page,
        DocumentKind::Page,
        DocumentKind::BlogPost,
        DocumentKind::Comment,
        DocumentKind::Attachment,
    ];
    let people = [("a-1", "Ann Author"), ("a-2", "Ed O'Editor"), ("a-3", "Jürgen Müller")];
    let person = |at: usize| {
        let (account, name) = people.get(at % 4)?;
        Some(Person {
            account: AccountId::new(*account),
            name: (*name).into(),
        })
    };
    let sentences = (0..=chance.below(4)).map(|_| *chance.one_of(SENTENCES));
    let sentences: Vec<&str> = sentences.collect();
    Passage {
        feed: feed(number),
        document: document(&number.to_string()),
        ordinal,
        kind: kinds[number % kinds.len()],
        space: SpaceId::new(space),
        space_key: key.into(),
        space_name: name.into(),
        title: match number % 4 {
            0 => format!("{} {number}", TITLES[number % TITLES.len()]),
            _ => TITLES[number % TITLES.len()].into(),
        },
        breadcrumb: vec!["Handbook".into(); number % 4],
        headings: vec![TITLES[(number + ordinal as usize) % TITLES.len()].into(); ordinal as usize],
        text: sentences.join(if number.is_multiple_of(2) { "\n" } else { " " }),
        author: person(number),
        editor: person(number / 4),
        labels: [
            vec![],
            vec!["runbook".into()],
            vec!["Runbook".into(), "über-uns".into()],
        ][number % 3]
            .clone(),
        created_at: Timestamp(1_000),
        // From 2024 on, a few days each.
        modified_at: Timestamp(1_704_067_200_000 + number as i64 * 300_000_000),
        url: format!("https://acme.example/wiki/{number}#{ordinal}"),
    }
}

/// What letters a text is of: no meaning, but a vector.
fn vector(text: &str) -> Vec<f32> {
    let mut vector = [0.1_f32; DIMENSIONS];
    for c in text.chars() {
        vector[c as usize % DIMENSIONS] += 1.0;
    }
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / length).collect()
}
