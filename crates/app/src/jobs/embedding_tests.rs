//! Models that read, refuse, fail and follow each other.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use domain::{
    access::Access,
    cursor::Watermark,
    embedder::{EmbeddingModel, Meaning, MeaningFigures},
    engine::{EngineBatch, EngineFigures, SearchEngine},
    hit::Hits,
    query::{Query, Sort},
};

use super::*;
use crate::jobs::worker::tests::World;

/// Keeps texts and vectors, and the meaning of what it was asked last.
#[derive(Default)]
struct Shelf {
    texts: Mutex<Vec<String>>,
    known: Mutex<BTreeMap<String, BTreeMap<u64, Vec<f32>>>>,
    asked: Mutex<Option<Meaning>>,
}

impl Shelf {
    fn holding(count: usize) -> Arc<Self> {
        let shelf = Self::default();
        *shelf.texts.lock().unwrap() = (0..count).map(|n| format!("text {n}")).collect();
        Arc::new(shelf)
    }

    fn known(&self, model: &str) -> usize {
        self.known.lock().unwrap().get(model).map_or(0, BTreeMap::len)
    }
}

#[async_trait]
impl SearchEngine for Shelf {
    async fn watermark(&self, _: IndexId) -> Result<Watermark> {
        Ok(Watermark(0))
    }
    async fn commit(&self, _: IndexId, _: EngineBatch, _: Watermark) -> Result<()> {
        Ok(())
    }
    async fn search(&self, _: &Access, query: &Query) -> Result<Hits> {
        self.asked.lock().unwrap().clone_from(&query.meaning);
        Ok(Hits::default())
    }
    async fn unembedded(&self, _: IndexId, model: &EmbeddingModel, limit: usize) -> Result<Vec<Unembedded>> {
        let known = self.known.lock().unwrap();
        let known = known.get(&model.fingerprint);
        let texts = self.texts.lock().unwrap();
        let all = texts.iter().zip(1..).map(|(text, key)| Unembedded {
            key,
            text: text.clone(),
        });
        Ok(all
            .filter(|text| known.is_none_or(|known| !known.contains_key(&text.key)))
            .take(limit)
            .collect())
    }
    async fn embedded(&self, _: IndexId, model: &EmbeddingModel, vectors: Vec<(u64, Vec<f32>)>) -> Result<()> {
        self.known
            .lock()
            .unwrap()
            .entry(model.fingerprint.clone())
            .or_default()
            .extend(vectors);
        Ok(())
    }
    async fn meanings(&self, _: IndexId, fingerprint: &str) -> Result<MeaningFigures> {
        Ok(MeaningFigures {
            passages: self.texts.lock().unwrap().len() as u64,
            known: self.known(fingerprint) as u64,
            bytes: 0,
        })
    }
    async fn models(&self, _: IndexId) -> Result<Vec<String>> {
        Ok(self.known.lock().unwrap().keys().cloned().collect())
    }
    async fn forget_model(&self, _: IndexId, fingerprint: &str) -> Result<()> {
        self.known.lock().unwrap().remove(fingerprint);
        Ok(())
    }
    async fn remove(&self, _: IndexId) -> Result<()> {
        Ok(())
    }
    async fn figures(&self, _: IndexId) -> Result<EngineFigures> {
        Ok(EngineFigures {
            passages: self.texts.lock().unwrap().len() as u64,
            bytes: 0,
        })
    }
}

/// A model whose vectors say how long a text is.
struct Reader {
    model: EmbeddingModel,
    calls: AtomicUsize,
    /// Texts that hold this are refused.
    refuses: Option<&'static str>,
    /// Calls for passages fail so often before they succeed.
    failing: AtomicUsize,
    slow: bool,
}

fn reader(name: &str) -> Reader {
    Reader {
        model: EmbeddingModel {
            name: name.to_owned(),
            fingerprint: name.to_owned(),
            dimensions: 2,
        },
        calls: AtomicUsize::new(0),
        refuses: None,
        failing: AtomicUsize::new(0),
        slow: false,
    }
}

#[async_trait]
impl Embedder for Reader {
    fn model(&self) -> &EmbeddingModel {
        &self.model
    }
    async fn embed(&self, purpose: Purpose, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        assert!(texts.len() <= EMBEDDED_AT_ONCE);
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.slow && purpose == Purpose::Question {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
        }
        if purpose == Purpose::Passage && self.failing.load(Ordering::SeqCst) > 0 {
            self.failing.fetch_sub(1, Ordering::SeqCst);
            return Err(Error::unavailable("the model rests"));
        }
        if self
            .refuses
            .is_some_and(|word| texts.iter().any(|text| text.contains(word)))
        {
            return Err(Error::invalid("the model refuses a text"));
        }
        Ok(texts.iter().map(|text| vec![text.len() as f32, 1.0]).collect())
    }
}

/// The current model, and one from before.
struct Two {
    current: Arc<Reader>,
    former: Option<Arc<Reader>>,
    /// So often the current one cannot be had.
    absent: AtomicUsize,
}

fn only(current: Reader) -> Arc<Two> {
    Arc::new(Two {
        current: Arc::new(current),
        former: None,
        absent: AtomicUsize::new(0),
    })
}

#[async_trait]
impl Models for Two {
    fn name(&self) -> &str {
        &self.current.model.name
    }
    async fn current(&self) -> Result<Arc<dyn Embedder>> {
        match self.absent.load(Ordering::SeqCst) {
            0 => Ok(self.current.clone()),
            left => {
                self.absent.store(left - 1, Ordering::SeqCst);
                Err(Error::invalid("config.json is not there"))
            }
        }
    }
    async fn former(&self, fingerprint: &str) -> Result<Option<Arc<dyn Embedder>>> {
        let former = self
            .former
            .clone()
            .filter(|former| former.model.fingerprint == fingerprint);
        Ok(former.map(|former| former as Arc<dyn Embedder>))
    }
}

/// Works until so many texts are known under the model, and then until it is told to stop.
async fn read_until(world: &World, shelf: &Shelf, model: &str, known: usize) {
    let (tell, stop) = watch::channel(false);
    let work = world.app.follow_indexes(stop);
    let watching = async {
        while shelf.known(model) < known {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tell.send_replace(true);
    };
    tokio::join!(work, watching);
}

async fn asked(world: &World, shelf: &Shelf, text: &str, sort: Sort) -> Option<Meaning> {
    let query = Query {
        text: text.to_owned(),
        sort,
        limit: 10,
        ..Query::default()
    };
    world.app.search(&world.caller, world.index, &query).await.unwrap();
    shelf.asked.lock().unwrap().clone()
}

#[tokio::test]
async fn everything_is_read_and_questions_with_words_in_them_are_understood_once() {
    let shelf = Shelf::holding(150);
    let models = only(reader("new"));
    let world = World::over(shelf.clone(), Some(models.clone())).await;
    assert_eq!(
        asked(&world, &shelf, "pump", Sort::Relevance).await,
        None,
        "nothing is read yet"
    );
    read_until(&world, &shelf, "new", 150).await;
    let calls = models.current.calls.load(Ordering::SeqCst);
    assert_eq!(calls, 3, "64 at once");
    let view = world
        .app
        .index(&world.caller, world.index)
        .await
        .unwrap()
        .semantic
        .unwrap();
    assert_eq!(
        (view.model.as_str(), view.passages, view.known, view.trouble),
        ("new", 150, 150, None)
    );

    let meaning = asked(&world, &shelf, "space:ENG pump", Sort::Relevance).await.unwrap();
    assert_eq!(
        (meaning.model.as_str(), meaning.vector),
        ("new", vec![4.0, 1.0]),
        "of the word alone"
    );
    assert!(asked(&world, &shelf, "pump", Sort::Relevance).await.is_some());
    assert_eq!(models.current.calls.load(Ordering::SeqCst), calls + 1, "the same words");
    assert_eq!(asked(&world, &shelf, "pump", Sort::Modified).await, None);
    assert_eq!(asked(&world, &shelf, "space:ENG -old", Sort::Relevance).await, None);
    assert_eq!(asked(&world, &shelf, "", Sort::Relevance).await, None);
}

#[tokio::test]
async fn a_model_that_is_slow_or_fails_leaves_a_search_by_words() {
    let shelf = Shelf::holding(1);
    let slow = Reader {
        slow: true,
        ..reader("new")
    };
    let world = World::over(shelf.clone(), Some(only(slow))).await;
    world.app.0.meanings.serve(
        world.index,
        Arc::new(Reader {
            slow: true,
            ..reader("new")
        }),
    );
    assert_eq!(asked(&world, &shelf, "pump", Sort::Relevance).await, None);
    assert!(world.app.semantic_trouble().unwrap().contains("words alone"));
    world.app.0.meanings.serve(
        world.index,
        Arc::new(Reader {
            refuses: Some("pump"),
            ..reader("new")
        }),
    );
    assert_eq!(asked(&world, &shelf, "pump", Sort::Relevance).await, None);
    assert!(asked(&world, &shelf, "valve", Sort::Relevance).await.is_some());
    assert_eq!(world.app.semantic_trouble(), None);
}

#[tokio::test]
async fn a_text_that_a_model_refuses_does_not_hold_up_the_others() {
    let shelf = Shelf::holding(100);
    let models = only(Reader {
        refuses: Some("text 7"),
        ..reader("new")
    });
    let world = World::over(shelf.clone(), Some(models)).await;
    // The seventh and the seventies.
    let mut refused = BTreeSet::new();
    let current: Arc<dyn Embedder> = Arc::new(Reader {
        refuses: Some("text 7"),
        ..reader("new")
    });
    while world.app.read_some(&current, world.index, &mut refused).await.unwrap() > 0 {}
    assert_eq!((shelf.known("new"), refused.len()), (89, 11));

    let none: Arc<dyn Embedder> = Arc::new(Reader {
        refuses: Some("text"),
        ..reader("other")
    });
    let mut refused = BTreeSet::new();
    assert!(
        world.app.read_some(&none, world.index, &mut refused).await.is_err(),
        "then it is the model's fault"
    );
    assert!(refused.is_empty());
}

#[tokio::test]
async fn the_former_model_serves_until_the_new_one_has_read_everything() {
    let shelf = Shelf::holding(70);
    let models = Arc::new(Two {
        current: Arc::new(reader("new")),
        former: Some(Arc::new(reader("former"))),
        absent: AtomicUsize::new(0),
    });
    let world = World::over(shelf.clone(), Some(models.clone())).await;
    for model in ["former", "older"] {
        let vectors = (1..=70).map(|key| (key, vec![1.0, 0.0]));
        shelf.known.lock().unwrap().insert(model.to_owned(), vectors.collect());
    }
    let current: Arc<dyn Embedder> = models.current.clone();
    world.app.choose_serving(&*models, &current, world.index).await.unwrap();
    assert_eq!(
        asked(&world, &shelf, "pump", Sort::Relevance).await.unwrap().model,
        "former"
    );
    let mut refused = BTreeSet::new();
    world.app.read_some(&current, world.index, &mut refused).await.unwrap();
    assert_eq!((shelf.known("new"), shelf.known("former")), (64, 70));
    assert_eq!(
        asked(&world, &shelf, "pump", Sort::Relevance).await.unwrap().model,
        "former"
    );
    world.app.read_all(&*models, &current, &mut refused).await.unwrap();
    assert_eq!(
        asked(&world, &shelf, "pump", Sort::Relevance).await.unwrap().model,
        "new"
    );
    assert_eq!(shelf.models(world.index).await.unwrap(), ["new"]);

    // Where the former cannot be had, the new one serves as far as it has read.
    let shelf = Shelf::holding(70);
    shelf.known.lock().unwrap().insert("former".to_owned(), BTreeMap::new());
    let models = only(reader("new"));
    let world = World::over(shelf.clone(), Some(models.clone())).await;
    let current: Arc<dyn Embedder> = models.current.clone();
    world.app.choose_serving(&*models, &current, world.index).await.unwrap();
    assert_eq!(
        asked(&world, &shelf, "pump", Sort::Relevance).await.unwrap().model,
        "new"
    );
}

#[tokio::test]
async fn what_fails_is_told_and_tried_again_until_it_is_over() {
    let shelf = Shelf::holding(10);
    let models = Arc::new(Two {
        current: Arc::new(Reader {
            failing: AtomicUsize::new(1),
            ..reader("new")
        }),
        former: None,
        absent: AtomicUsize::new(1),
    });
    let world = World::over(shelf.clone(), Some(models)).await;
    let (tell, stop) = watch::channel(false);
    let told = async {
        let until = async |said: Option<&str>| {
            while world.app.semantic_trouble().as_deref() != said {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        until(Some("config.json is not there")).await;
        let view = world
            .app
            .index(&world.caller, world.index)
            .await
            .unwrap()
            .semantic
            .unwrap();
        assert_eq!((view.passages, view.known), (10, 0));
        until(Some("the model rests")).await;
        until(None).await;
        while shelf.known("new") < 10 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tell.send_replace(true);
    };
    tokio::join!(world.app.follow_indexes(stop), told);
}
