//! What every engine must do that knows what passages mean, run on the one in memory and the one on disk.

use std::path::Path;

use domain::{
    AccountId, DocumentId, ErrorKind, FeedId, SiteId, SpaceId, Timestamp,
    access::Access,
    cursor::Watermark,
    document::DocumentKind,
    embedder::{EmbeddingModel, Meaning},
    engine::{EngineBatch, SearchEngine},
    hit::Hits,
    passage::Passage,
    query::{Filter, Query, Sort},
};
use proptest::prelude::*;

use crate::{
    EmbeddedEngine,
    contract::{INDEX, access, every, ids, passage, person, put, shown},
};

/// Subjects that the model of these tests knows: each word means one of them, and every other word nothing.
const SUBJECTS: [&[&str]; 4] = [
    &["pump", "booster", "dry"],
    &["holiday", "leave", "vacation"],
    &["soup", "lunch", "canteen"],
    &["invoice", "bill", "payment"],
];

fn model(fingerprint: &str) -> EmbeddingModel {
    EmbeddingModel {
        name: "subjects".into(),
        fingerprint: fingerprint.into(),
        dimensions: 16,
    }
}

/// A little of everything, so that no two texts are wholly unlike, and much of the subjects that are named.
fn vector(text: &str) -> Vec<f32> {
    let mut vector = [0.01_f32; 16];
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    for (at, subject) in SUBJECTS.iter().enumerate() {
        vector[at] += words.iter().filter(|word| subject.contains(word)).count() as f32;
    }
    let other = words.iter().flat_map(|word| word.bytes()).map(u32::from).sum::<u32>() as usize;
    vector[SUBJECTS.len() + other % 12] += 0.1;
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / length).collect()
}

/// Gives everything its meaning that has none; how many texts that were.
async fn learn(engine: &dyn SearchEngine, model: &EmbeddingModel) -> usize {
    let mut count = 0;
    loop {
        let unknown = engine.unembedded(INDEX, model, 3).await.unwrap();
        if unknown.is_empty() {
            return count;
        }
        count += unknown.len();
        let vectors = unknown.iter().map(|one| (one.key, vector(&one.text))).collect();
        engine.embedded(INDEX, model, vectors).await.unwrap();
    }
}

fn asking(text: &str) -> Query {
    Query {
        text: text.into(),
        meaning: Some(Meaning {
            model: "a1".into(),
            vector: vector(text),
        }),
        limit: 100,
        ..Query::default()
    }
}

async fn search(engine: &dyn SearchEngine, text: &str) -> Hits {
    engine.search(&access(), &asking(text)).await.unwrap()
}

async fn found(engine: &dyn SearchEngine, text: &str) -> Vec<String> {
    ids(&search(engine, text).await)
}

/// One page of each subject, and as many that mean nothing as make an index of them.
fn pages() -> Vec<Passage> {
    let mut pages = vec![
        passage("1", "Restart", "how to start the booster again after a dry run"),
        passage("2", "Time off", "who wants a vacation asks the manager"),
        passage("3", "Food", "the canteen is on the second floor"),
        passage("4", "Money", "each bill is paid within a month"),
    ];
    for id in 10..40 {
        pages.push(passage(&id.to_string(), "Other", &format!("other things, part {id}")));
    }
    pages
}

async fn knowing(engine: &dyn SearchEngine) {
    put(engine, pages(), 1).await;
    learn(engine, &model("a1")).await;
}

#[tokio::test]
async fn what_no_word_finds_is_found_by_its_meaning() {
    every(async |engine| {
        put(engine, pages(), 1).await;
        assert!(found(engine, "holiday").await.is_empty(), "nothing is known yet");
        assert_eq!(learn(engine, &model("a1")).await, 34);
        let hits = search(engine, "holiday").await;
        assert_eq!(ids(&hits), ["2"], "and nothing that is near by chance");
        assert_eq!((hits.total, hits.facets.spaces[0].documents), (1, 1), "it is counted");
        assert_eq!(hits.facets.kinds, [("page".to_owned(), 1)]);
        assert_eq!(shown(&hits.hits[0].snippet), "who wants a vacation asks the manager");
        // The words' own hits are counted once each, also when meaning brings them as well.
        let hits = search(engine, "canteen other things").await;
        assert_eq!((ids(&hits)[0].as_str(), hits.total), ("3", 31));
        let mut query = asking("holiday");
        query.meaning = None;
        assert_eq!(engine.search(&access(), &query).await.unwrap().total, 0);
        query = Query {
            text: String::new(),
            ..asking("lunch soup")
        };
        assert_eq!(
            ids(&engine.search(&access(), &query).await.unwrap()),
            ["3"],
            "by meaning alone"
        );
    })
    .await;
}

#[tokio::test]
async fn words_and_meaning_place_a_hit_together_and_it_is_explained() {
    every(async |engine| {
        let mut pages = pages();
        pages.push(passage("5", "Other", "the booster of the lunch club"));
        pages.push(passage("6", "Other", "a booster is a pump that ran dry"));
        put(engine, pages, 1).await;
        learn(engine, &model("a1")).await;
        let hits = search(engine, "dry pump booster").await;
        assert_eq!(ids(&hits)[0], "6");
        let all = ids(&hits);
        let place = |id: &str| all.iter().position(|found| found == id);
        assert!(place("1") < place("5"), "{all:?}");
        for hit in &hits.hits {
            let fusion = hit.explanation.fusion.unwrap();
            assert_eq!(hit.score, hit.explanation.score());
            assert!((fusion.words + fusion.meaning - hit.score).abs() < 1e-6);
            assert_eq!(fusion.rank_by_words.is_some(), hit.explanation.words > 0.0);
            let exact = vector(&format!("{}\nOverview\n{}", hit.passage.title, hit.passage.text));
            let cosine: f32 = exact.iter().zip(vector("dry pump booster")).map(|(a, b)| a * b).sum();
            assert!(
                (fusion.similarity.unwrap() - cosine).abs() < 0.01,
                "{fusion:?}, {cosine}"
            );
        }
        let first = hits.hits[0].explanation.fusion.unwrap();
        assert_eq!(first.rank_by_words, Some(1));
        assert!(
            hits.hits
                .iter()
                .all(|hit| hit.explanation.fusion.unwrap().rank_by_meaning.is_some())
        );
    })
    .await;
}

#[tokio::test]
async fn meaning_weighs_less_the_more_words_were_mistyped_and_still_finds_by_itself() {
    every(async |engine| {
        knowing(engine).await;
        // What is lost of what the words give of the best hit is what meaning weighs.
        let weighs = async |text: &str| {
            let hits = search(engine, text).await;
            let best = hits.hits.iter().filter_map(|hit| hit.explanation.fusion);
            1.0 - best.map(|fusion| fusion.words).fold(0.0, f32::max)
        };
        for (text, weight) in [
            ("canteen floor ", 0.5),
            ("canteeen floor ", 0.25),
            ("canteeen flooor second month ", 0.25),
            ("canteeen ", 0.125),
        ] {
            let weighed = weighs(text).await;
            assert!((weighed - weight).abs() < 1e-6, "{text}: {weighed}");
        }
        // A word that only looks mistyped is found by what it means.
        put(engine, vec![passage("5", "Other", "lanch is somebody's name")], 2).await;
        learn(engine, &model("a1")).await;
        let found = found(engine, "lunch ").await;
        assert!(found.contains(&"3".to_owned()), "{found:?}");
    })
    .await;
}

#[tokio::test]
async fn no_meaning_brings_what_is_hidden_gone_or_filtered_out() {
    every(async |engine| {
        let mut pages = pages();
        pages[1].space = SpaceId::new("11");
        pages[1].kind = DocumentKind::BlogPost;
        pages[1].author = Some(person("a-3", "Bo"));
        pages[1].labels = vec!["hr".into()];
        pages[1].modified_at = Timestamp(5_000);
        put(engine, pages, 1).await;
        learn(engine, &model("a1")).await;
        let asked = async |access: Access, filter: Filter, text: &str| {
            let mut query = asking("holiday");
            query.text = text.into();
            query.filter = filter;
            ids(&engine.search(&access, &query).await.unwrap())
        };
        let (open, none) = (access, Filter::default);
        assert_eq!(asked(open(), none(), "holiday").await, ["2"]);
        let space = Access {
            hidden: [(FeedId(1), SpaceId::new("11"))].into(),
            ..open()
        };
        let document = Access {
            hidden_documents: [(FeedId(1), DocumentId::new(&SiteId::new("site"), "2"))].into(),
            ..open()
        };
        for access in [space, document] {
            for text in ["holiday", "", "holiday plans and more of it"] {
                let found = asked(access.clone(), none(), text).await;
                assert!(!found.contains(&"2".to_owned()), "{text}");
            }
        }
        let filters = [
            Filter {
                spaces: vec![SpaceId::new("10")],
                ..none()
            },
            Filter {
                kinds: vec![DocumentKind::Page],
                ..none()
            },
            Filter {
                people: vec![AccountId::new("a-1")],
                kinds: vec![DocumentKind::Page],
                ..none()
            },
            Filter {
                labels: vec!["runbook".into()],
                ..none()
            },
            Filter {
                modified_before: Some(Timestamp(5_000)),
                ..none()
            },
            Filter {
                modified_from: Some(Timestamp(5_001)),
                ..none()
            },
        ];
        for filter in filters {
            assert!(asked(open(), filter.clone(), "holiday").await.is_empty(), "{filter:?}");
        }
        let kept = Filter {
            spaces: vec![SpaceId::new("11")],
            labels: vec!["hr".into()],
            ..none()
        };
        assert_eq!(asked(open(), kept, "holiday").await, ["2"]);
        for text in [
            "holiday -vacation",
            "holiday -manager",
            "holiday type:page",
            "holiday space:ops",
            "holiday -title:time",
            "holiday after:2026",
            "holiday author:ann",
            "holiday \"paid holiday\"",
            "holiday \"asks manager\"",
        ] {
            assert!(!asked(open(), none(), text).await.contains(&"2".to_owned()), "{text}");
        }
        assert_eq!(
            asked(open(), none(), "holiday \"asks the manager\" type:blog").await,
            ["2"]
        );
        put(engine, vec![passage("2", "Time off", "")], 2).await;
        assert!(asked(open(), none(), "holiday").await.is_empty(), "its text is gone");
    })
    .await;
}

#[tokio::test]
async fn what_is_exact_and_what_is_newest_is_left_to_words() {
    every(async |engine| {
        let mut pages = pages();
        pages.push(passage("5", "Codes", "PUMP-042 and pump_start.sh are here"));
        put(engine, pages, 1).await;
        learn(engine, &model("a1")).await;
        let by = async |text: &str, sort: Sort| {
            let mut query = asking("booster pump dry");
            (query.text, query.sort) = (text.into(), sort);
            engine.search(&access(), &query).await.unwrap()
        };
        for text in [
            "PUMP-042",
            "pump_start.sh",
            "\"are here\"",
            "type:page title:codes",
            "-other -bill -canteen -vacation -booster",
        ] {
            let hits = by(text, Sort::Relevance).await;
            assert_eq!(ids(&hits), ["5"], "{text}");
            assert_eq!(hits.hits[0].explanation.fusion, None, "{text}");
        }
        assert_eq!(by("codes pump", Sort::Modified).await.total, 1);
        assert_eq!(by("codes pump", Sort::Relevance).await.total, 2);
    })
    .await;
}

#[tokio::test]
async fn an_edit_makes_only_its_own_texts_unknown_and_equal_texts_are_known_once() {
    every(async |engine| {
        knowing(engine).await;
        assert_eq!(learn(engine, &model("a1")).await, 0);
        let mut copy = passage("50", "Time off", "who wants a vacation asks the manager");
        copy.space = SpaceId::new("12");
        put(engine, vec![copy, passage("1", "Restart", "of the canteen")], 2).await;
        let figures = engine.meanings(INDEX, "a1").await.unwrap();
        assert_eq!((figures.passages, figures.known), (35, 34));
        assert!(figures.bytes > 34 * 16);
        let unknown = engine.unembedded(INDEX, &model("a1"), 10).await.unwrap();
        assert_eq!(unknown[0].text, "Restart\nOverview\nof the canteen");
        assert_eq!(
            learn(engine, &model("a1")).await,
            1,
            "a copy, another space, are no other text"
        );
        let mut lunch = found(engine, "lunch").await;
        lunch.sort();
        assert_eq!(lunch, ["1", "3"]);
        assert_eq!(found(engine, "vacation").await.len(), 2);
        let figures = engine.meanings(INDEX, "a1").await.unwrap();
        assert_eq!(figures.known, figures.passages);
        assert_eq!(engine.unembedded(INDEX, &model("b2"), 100).await.unwrap().len(), 34);
    })
    .await;
}

#[tokio::test]
async fn an_index_whose_meaning_is_half_known_answers_with_what_it_knows() {
    every(async |engine| {
        put(engine, pages(), 1).await;
        let unknown = engine.unembedded(INDEX, &model("a1"), 2).await.unwrap();
        assert_eq!(unknown.len(), 2);
        let vectors = unknown.iter().map(|one| (one.key, vector(&one.text))).collect();
        engine.embedded(INDEX, &model("a1"), vectors).await.unwrap();
        assert_eq!(engine.meanings(INDEX, "a1").await.unwrap().known, 2);
        assert_eq!(found(engine, "canteen floor").await, ["3"], "by its words");
        let hits = search(engine, "canteen floor").await;
        let fusion = hits.hits[0].explanation.fusion.unwrap();
        assert_eq!((fusion.similarity, fusion.rank_by_meaning), (None, None));
    })
    .await;
}

#[tokio::test]
async fn another_model_is_learnt_beside_the_old_one_which_serves_until_it_is_forgotten() {
    every(async |engine| {
        knowing(engine).await;
        let other = EmbeddingModel {
            dimensions: 16,
            ..model("0b")
        };
        let unknown = engine.unembedded(INDEX, &other, 1).await.unwrap();
        assert_eq!(unknown.len(), 1);
        assert_eq!(found(engine, "holiday").await, ["2"], "the old one serves");
        learn(engine, &other).await;
        assert_eq!(engine.models(INDEX).await.unwrap(), ["a1", "0b"], "oldest first");
        let mut query = asking("holiday");
        query.meaning.as_mut().unwrap().model = "0b".into();
        assert_eq!(ids(&engine.search(&access(), &query).await.unwrap()), ["2"]);
        engine.forget_model(INDEX, "a1").await.unwrap();
        engine.forget_model(INDEX, "a1").await.unwrap();
        assert_eq!(engine.models(INDEX).await.unwrap(), ["0b"]);
        assert!(found(engine, "holiday").await.is_empty(), "words alone");
        assert_eq!(engine.meanings(INDEX, "a1").await.unwrap().known, 0);
        engine.remove(INDEX).await.unwrap();
        assert!(engine.models(INDEX).await.unwrap().is_empty());
        knowing(engine).await;
        assert_eq!(found(engine, "holiday").await, ["2"]);
    })
    .await;
}

#[tokio::test]
async fn a_vector_that_is_none_is_refused_and_nothing_of_its_call_is_kept() {
    every(async |engine| {
        put(engine, pages(), 1).await;
        let key = engine.unembedded(INDEX, &model("a1"), 1).await.unwrap()[0].key;
        let good = vector("pump");
        let mut bad: Vec<Vec<f32>> = vec![
            vec![0.0; 16],
            vec![f32::MAX; 16],
            vec![0.5; 16],
            Vec::new(),
            good[..15].to_vec(),
        ];
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e30] {
            let mut vector = good.clone();
            vector[3] = wrong;
            bad.push(vector);
        }
        for vector in bad {
            let both = vec![(key, good.clone()), (key + 1, vector.clone())];
            let refused = engine.embedded(INDEX, &model("a1"), both).await.unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Invalid, "{vector:?}");
            let mut query = asking("pump");
            query.meaning.as_mut().unwrap().vector = vector;
            let refused = engine.search(&access(), &query).await.unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Invalid, "{query:?}");
        }
        assert_eq!(engine.meanings(INDEX, "a1").await.unwrap().known, 0);
        let other = EmbeddingModel {
            dimensions: 15,
            ..model("a1")
        };
        let refused = engine.unembedded(INDEX, &other, 1).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Invalid, "another number of dimensions");
        for fingerprint in ["", "A1", "../x", "g", "/etc", &"a".repeat(65)] {
            let refused = engine.unembedded(INDEX, &model(fingerprint), 1).await.unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Invalid, "{fingerprint}");
            assert_eq!(engine.meanings(INDEX, fingerprint).await.unwrap().known, 0);
            engine.forget_model(INDEX, fingerprint).await.unwrap();
        }
        for dimensions in [0, 5_000] {
            let other = EmbeddingModel {
                dimensions,
                ..model("cc")
            };
            let refused = engine.unembedded(INDEX, &other, 1).await.unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Invalid, "{dimensions}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_index_that_is_built_anew_finds_its_vectors_again() {
    let folder = tempfile::tempdir().unwrap();
    let engine = EmbeddedEngine::open(folder.path().to_owned()).unwrap();
    put(&engine, pages(), 7).await;
    learn(&engine, &model("a1")).await;
    drop(engine);
    std::fs::remove_dir_all(folder.path().join(INDEX.to_string())).unwrap();
    let engine = EmbeddedEngine::open(folder.path().to_owned()).unwrap();
    assert_eq!(engine.watermark(INDEX).await.unwrap(), Watermark(0));
    // What is not there yet is not taken for gone, however little of it there is.
    let mut pages = pages();
    let rest = pages.split_off(2);
    put(&engine, pages, 3).await;
    assert_eq!(learn(&engine, &model("a1")).await, 0);
    assert_eq!(found(&engine, "holiday").await, ["2"]);
    put(&engine, rest, 7).await;
    assert_eq!(learn(&engine, &model("a1")).await, 0, "all are known");
    assert_eq!(found(&engine, "lunch").await, ["3"]);
}

#[tokio::test]
async fn vectors_of_texts_that_are_gone_go_too() {
    every(async |engine| {
        knowing(engine).await;
        let before = engine.meanings(INDEX, "a1").await.unwrap().bytes;
        let pages = pages();
        let gone = EngineBatch {
            documents: pages[10..]
                .iter()
                .map(|page| (page.feed, page.document.clone()))
                .collect(),
            passages: Vec::new(),
            ..EngineBatch::default()
        };
        engine.commit(INDEX, gone, Watermark(2)).await.unwrap();
        learn(engine, &model("a1")).await;
        let after = engine.meanings(INDEX, "a1").await.unwrap();
        assert_eq!((after.passages, after.known), (10, 10));
        assert!(after.bytes < before / 2, "{before}, {}", after.bytes);
        assert_eq!(found(engine, "holiday").await, ["2"]);
        put(engine, vec![passage("60", "More", "a payment")], 3).await;
        assert_eq!(learn(engine, &model("a1")).await, 1);
        let mut paid = found(engine, "invoice").await;
        paid.sort();
        assert_eq!(paid, ["4", "60"]);
    })
    .await;
}

#[tokio::test]
async fn few_vectors_of_texts_that_are_gone_go_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let engine = EmbeddedEngine::open(folder.path().to_owned()).unwrap();
    knowing(&engine).await;
    let file = folder.path().join("1.vectors").join("a1");
    let whole = std::fs::metadata(&file).unwrap().len();
    let gone = EngineBatch {
        documents: vec![(FeedId(1), pages()[2].document.clone())],
        passages: Vec::new(),
        ..EngineBatch::default()
    };
    engine.commit(INDEX, gone, Watermark(2)).await.unwrap();
    learn(&engine, &model("a1")).await;
    assert_eq!(
        std::fs::metadata(&file).unwrap().len(),
        whole,
        "few are kept for a while"
    );
    drop(engine);
    let engine = EmbeddedEngine::open(folder.path().to_owned()).unwrap();
    learn(&engine, &model("a1")).await;
    assert!(std::fs::metadata(&file).unwrap().len() < whole);
    engine.remove(INDEX).await.unwrap();
    assert!(!folder.path().join("1.vectors").exists());
}

/// Opens an engine over this folder, learns what it lacks, and tells how much that was.
async fn learnt_anew(folder: &Path) -> usize {
    let engine = EmbeddedEngine::open(folder.to_owned()).unwrap();
    let count = learn(&engine, &model("a1")).await;
    assert_eq!(found(&engine, "holiday").await, ["2"]);
    assert_eq!(found(&engine, "lunch").await, ["3"]);
    count
}

#[tokio::test]
async fn a_torn_or_damaged_file_of_vectors_loses_only_what_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let engine = EmbeddedEngine::open(folder.path().to_owned()).unwrap();
    knowing(&engine).await;
    drop(engine);
    let file = folder.path().join("1.vectors").join("a1");
    let whole = std::fs::read(&file).unwrap();
    let record = (whole.len() - 24) / 34;
    // Torn at the end, as by a crash.
    std::fs::write(&file, &whole[..whole.len() - 5]).unwrap();
    assert_eq!(learnt_anew(folder.path()).await, 1);
    // Torn, and garbage behind it.
    let mut bytes = whole[..whole.len() - 5].to_vec();
    bytes.extend([0; 5 + 3]);
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(learnt_anew(folder.path()).await, 1);
    // A bit in the middle.
    let mut bytes = whole.clone();
    bytes[24 + record * 7 + record / 2] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(learnt_anew(folder.path()).await, 1);
    assert_eq!(learnt_anew(folder.path()).await, 0);
    // No file of vectors at all, and one of more dimensions than there are.
    for head in [&b"nothing of the kind, and not short"[..], b"", &[0xff; 400]] {
        std::fs::write(&file, head).unwrap();
        assert_eq!(learnt_anew(folder.path()).await, 34);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn whatever_vectors_come_they_are_kept_or_refused_and_searches_go_on(
        vectors in prop::collection::vec(prop::collection::vec(prop_oneof![
            4 => -1.0_f32..1.0,
            1 => prop::num::f32::ANY,
        ], 0..20), 1..6),
        unit in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            let engine = EmbeddedEngine::in_memory();
            knowing(&engine).await;
            put(&engine, vec![passage("70", "More", "quite another text")], 2).await;
            let key = engine.unembedded(INDEX, &model("a1"), 1).await.unwrap()[0].key;
            for mut vector in vectors {
                let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
                if unit {
                    vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
                }
                let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
                let good = vector.len() == 16 && (length - 1.0).abs() < 0.01;
                let kept = engine.embedded(INDEX, &model("a1"), vec![(key, vector.clone())]).await;
                assert_eq!(kept.is_ok(), good, "{vector:?}");
                let mut query = asking("holiday");
                query.meaning.as_mut().unwrap().vector = vector;
                assert_eq!(engine.search(&access(), &query).await.is_ok(), good);
                // By chance the other page may be nearer now.
                assert!(found(&engine, "holiday").await.contains(&"2".to_owned()));
            }
        });
    }
}
