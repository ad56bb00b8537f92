//! A model of two layers with numbers by chance, against the same arithmetic done the plain way in 64 bits.

use std::{collections::BTreeMap, path::Path};

use domain::embedder::{Embedder, Purpose};
use embed::local::LocalEmbedder;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use tempfile::TempDir;

const WORDS: [&str; 12] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "pump", "stops", "valve", "##s", "open", "query", ":",
];
const HIDDEN: usize = 24;
const HEADS: usize = 3;
const WIDE: usize = 40;
const PLACES: usize = 16;

struct Tiny {
    directory: TempDir,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

fn tiny(dtype: &str, pooling: &str) -> Tiny {
    let mut rng = StdRng::seed_from_u64(7);
    let mut tensors = BTreeMap::new();
    let mut make = |name: String, shape: &[usize], around: f32| {
        let numbers = (0..shape.iter().product())
            .map(|_| around + rng.random_range(-0.5..0.5_f32))
            .collect();
        tensors.insert(name, (shape.to_vec(), numbers));
    };
    for (name, rows) in [("word", WORDS.len()), ("position", PLACES), ("token_type", 2)] {
        make(format!("embeddings.{name}_embeddings.weight"), &[rows, HIDDEN], 0.0);
    }
    let mut norm_at = vec!["embeddings.LayerNorm".to_owned()];
    for layer in ["encoder.layer.0", "encoder.layer.1"] {
        for (part, out, into) in [
            ("attention.self.query", HIDDEN, HIDDEN),
            ("attention.self.key", HIDDEN, HIDDEN),
            ("attention.self.value", HIDDEN, HIDDEN),
            ("attention.output.dense", HIDDEN, HIDDEN),
            ("intermediate.dense", WIDE, HIDDEN),
            ("output.dense", HIDDEN, WIDE),
        ] {
            make(format!("{layer}.{part}.weight"), &[out, into], 0.0);
            make(format!("{layer}.{part}.bias"), &[out], 0.0);
        }
        norm_at.push(format!("{layer}.attention.output.LayerNorm"));
        norm_at.push(format!("{layer}.output.LayerNorm"));
    }
    for place in norm_at {
        make(format!("{place}.weight"), &[HIDDEN], 1.0);
        make(format!("{place}.bias"), &[HIDDEN], 0.0);
    }
    let directory = tempfile::tempdir().unwrap();
    let at = |file: &str| directory.path().join(file);
    let config = json!({"model_type": "bert", "hidden_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": HEADS,
        "intermediate_size": WIDE, "vocab_size": WORDS.len(), "max_position_embeddings": PLACES, "hidden_act": "gelu",
        "layer_norm_eps": 1e-6});
    std::fs::write(at("config.json"), config.to_string()).unwrap();
    std::fs::create_dir(at("1_Pooling")).unwrap();
    std::fs::write(at("1_Pooling/config.json"), json!({pooling: true}).to_string()).unwrap();
    let vocabulary: BTreeMap<&str, usize> = WORDS.iter().zip(0..).map(|(word, id)| (*word, id)).collect();
    let tokenizer = json!({"version": "1.0", "added_tokens": [], "normalizer": {"type": "BertNormalizer", "clean_text": true,
        "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}, "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocabulary}});
    std::fs::write(at("tokenizer.json"), tokenizer.to_string()).unwrap();
    write_weights(&at("model.safetensors"), &mut tensors, dtype);
    Tiny { directory, tensors }
}

/// The numbers are rounded to what the file can hold, so that both sides compute with the same.
fn write_weights(path: &Path, tensors: &mut BTreeMap<String, (Vec<usize>, Vec<f32>)>, dtype: &str) {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, (shape, numbers)) in tensors {
        let from = data.len();
        for number in numbers {
            match dtype {
                "F32" => data.extend_from_slice(&number.to_le_bytes()),
                _ => {
                    let bits = (number.to_bits() >> 16) as u16;
                    *number = f32::from_bits(u32::from(bits) << 16);
                    data.extend_from_slice(&bits.to_le_bytes());
                }
            }
        }
        header.insert(
            name.clone(),
            json!({"dtype": dtype, "shape": shape, "data_offsets": [from, data.len()]}),
        );
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(data);
    std::fs::write(path, file).unwrap();
}

type Rows = Vec<Vec<f64>>;

impl Tiny {
    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn rows(&self, name: &str) -> Rows {
        let (shape, numbers) = &self.tensors[name];
        let width = *shape.last().unwrap();
        numbers
            .chunks(width)
            .map(|row| row.iter().map(|x| f64::from(*x)).collect())
            .collect()
    }

    fn linear(&self, place: &str, rows: &Rows) -> Rows {
        let (weight, bias) = (
            self.rows(&format!("{place}.weight")),
            self.rows(&format!("{place}.bias")),
        );
        let one = |row: &Vec<f64>| {
            let product = |w: &Vec<f64>| w.iter().zip(row).map(|(w, x)| w * x).sum::<f64>();
            weight.iter().zip(&bias[0]).map(|(w, b)| product(w) + b).collect()
        };
        rows.iter().map(one).collect()
    }

    fn norm(&self, place: &str, rows: &Rows) -> Rows {
        let (weight, bias) = (
            self.rows(&format!("{place}.weight")),
            self.rows(&format!("{place}.bias")),
        );
        let one = |row: &Vec<f64>| {
            let mean = row.iter().sum::<f64>() / row.len() as f64;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / row.len() as f64;
            let scaled = row.iter().map(|x| (x - mean) / (variance + 1e-6).sqrt());
            scaled
                .zip(&weight[0])
                .zip(&bias[0])
                .map(|((x, w), b)| x * w + b)
                .collect()
        };
        rows.iter().map(one).collect()
    }

    /// The tokens' vectors after the last layer.
    fn plainly(&self, tokens: &[usize]) -> Rows {
        let table = |name: &str| self.rows(&format!("embeddings.{name}_embeddings.weight"));
        let (words, places, types) = (table("word"), table("position"), table("token_type"));
        let row = |place: usize, token: usize| {
            (0..HIDDEN)
                .map(|i| words[token][i] + places[place][i] + types[0][i])
                .collect::<Vec<f64>>()
        };
        let rows: Rows = tokens
            .iter()
            .enumerate()
            .map(|(place, token)| row(place, *token))
            .collect();
        let mut state = self.norm("embeddings.LayerNorm", &rows);
        for layer in ["encoder.layer.0", "encoder.layer.1"] {
            let at = |part: &str| format!("{layer}.{part}");
            let [query, key, value] =
                ["query", "key", "value"].map(|part| self.linear(&at(&format!("attention.self.{part}")), &state));
            let mut context = vec![vec![0.0; HIDDEN]; tokens.len()];
            let size = HIDDEN / HEADS;
            for head in 0..HEADS {
                let own = head * size..(head + 1) * size;
                for (i, out) in context.iter_mut().enumerate() {
                    let score =
                        |j: usize| own.clone().map(|d| query[i][d] * key[j][d]).sum::<f64>() / (size as f64).sqrt();
                    let shares: Vec<f64> = (0..tokens.len()).map(|j| score(j).exp()).collect();
                    let whole: f64 = shares.iter().sum();
                    for d in own.clone() {
                        out[d] = shares.iter().zip(&value).map(|(share, v)| share / whole * v[d]).sum();
                    }
                }
            }
            let attended = self.linear(&at("attention.output.dense"), &context);
            state = self.norm(&at("attention.output.LayerNorm"), &sums(&state, &attended));
            let mut wide = self.linear(&at("intermediate.dense"), &state);
            wide.iter_mut()
                .flatten()
                .for_each(|x| *x = 0.5 * *x * (1.0 + erf(*x / 2.0_f64.sqrt())));
            let narrow = self.linear(&at("output.dense"), &wide);
            state = self.norm(&at("output.LayerNorm"), &sums(&state, &narrow));
        }
        state
    }
}

fn sums(a: &Rows, b: &Rows) -> Rows {
    a.iter()
        .zip(b)
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect())
        .collect()
}

fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..100 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

fn mean(rows: &Rows) -> Vec<f64> {
    (0..HIDDEN)
        .map(|i| rows.iter().map(|row| row[i]).sum::<f64>() / rows.len() as f64)
        .collect()
}

fn assert_near(vector: &[f32], plain: &[f64]) {
    let length = plain.iter().map(|x| x * x).sum::<f64>().sqrt();
    for (x, y) in vector.iter().zip(plain) {
        assert!((f64::from(*x) - y / length).abs() < 1e-5, "{vector:?} {plain:?}");
    }
}

const TEXTS: [(&str, &[usize]); 6] = [
    ("the pump stops", &[2, 4, 5, 6, 3]),
    ("", &[2, 3]),
    ("Open the VALVES", &[2, 9, 4, 7, 8, 3]),
    ("nobody knows", &[2, 1, 1, 3]),
    (
        "the the the the the the the the the the the the the the the the the the",
        &[2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3],
    ),
    ("pump", &[2, 5, 3]),
];

#[tokio::test]
async fn a_model_gives_what_plain_arithmetic_gives_in_the_order_of_the_texts() {
    let texts: Vec<String> = TEXTS.iter().map(|(text, _)| (*text).to_owned()).collect();
    for dtype in ["F32", "BF16"] {
        let tiny = tiny(dtype, "pooling_mode_mean_tokens");
        let embedder = LocalEmbedder::load(tiny.path(), "tiny", 2).unwrap();
        assert_eq!(embedder.model().dimensions, HIDDEN);
        for purpose in [Purpose::Passage, Purpose::Question] {
            let vectors = embedder.embed(purpose, &texts).await.unwrap();
            assert_eq!(vectors.len(), TEXTS.len());
            for ((_, tokens), vector) in TEXTS.iter().zip(&vectors) {
                assert_near(vector, &mean(&tiny.plainly(tokens)));
            }
        }
    }
}

#[tokio::test]
async fn a_model_may_take_the_first_token_and_want_a_word_before_a_question() {
    let tiny = tiny("F32", "pooling_mode_cls_token");
    let embedder = LocalEmbedder::load(tiny.path(), "tiny-e5", 1).unwrap();
    let vectors = embedder.embed(Purpose::Question, &["pump".to_owned()]).await.unwrap();
    assert_near(&vectors[0], &tiny.plainly(&[2, 10, 11, 5, 3])[0]);
}

#[test]
fn a_fingerprint_differs_with_whatever_changes_a_vector_and_with_nothing_else() {
    let tiny = tiny("F32", "pooling_mode_mean_tokens");
    let fingerprint = |name: &str| {
        LocalEmbedder::load(tiny.path(), name, 1)
            .unwrap()
            .model()
            .fingerprint
            .clone()
    };
    let first = fingerprint("tiny");
    assert_eq!(first.len(), 64);
    assert_eq!(first, fingerprint("another name"));
    assert_ne!(first, fingerprint("e5"), "prefixes");
    std::fs::write(
        tiny.path().join("sentence_bert_config.json"),
        r#"{"max_seq_length": 9}"#,
    )
    .unwrap();
    let shorter = fingerprint("tiny");
    assert_ne!(first, shorter, "how much is read");
    let tokenizer = std::fs::read_to_string(tiny.path().join("tokenizer.json")).unwrap();
    std::fs::write(
        tiny.path().join("tokenizer.json"),
        tokenizer.replace("\"lowercase\":true", "\"lowercase\":false"),
    )
    .unwrap();
    assert_ne!(shorter, fingerprint("tiny"), "tokenizer");
}

#[test]
fn files_that_do_not_fit_each_other_are_refused_and_named() {
    let refusal = |file: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let tiny = tiny("F32", "pooling_mode_mean_tokens");
        let path = tiny.path().join(file);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, change(bytes)).unwrap();
        match LocalEmbedder::load(tiny.path(), "tiny", 1) {
            Ok(_) => panic!("{file} was taken"),
            Err(error) => error.message,
        }
    };
    let replaced = |from: &'static str, to: &'static str| {
        move |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(from, to).into_bytes()
    };
    let why = refusal("model.safetensors", &|bytes| bytes[..bytes.len() - 100].to_vec());
    assert!(why.contains("model.safetensors") && why.contains("fetch"), "{why}");
    let why = refusal("config.json", &replaced("\"hidden_size\":24", "\"hidden_size\":48"));
    assert!(why.contains("shape"), "{why}");
    // Tokens beyond the table of words would read what is not theirs.
    let why = refusal(
        "tokenizer.json",
        &replaced("\"[CLS]\",\"ids\":[2]", "\"[CLS]\",\"ids\":[4000]"),
    );
    assert!(why.contains("tokenizer.json"), "{why}");
    for text in ["", "{}", "null", "[[[[", "{\"model\": {\"type\": \"WordPiece\"}}"] {
        let why = refusal("tokenizer.json", &|_| text.as_bytes().to_vec());
        assert!(why.contains("tokenizer.json"), "{why}");
    }
}

#[tokio::test]
async fn numbers_that_are_none_are_an_error_and_no_vector() {
    let mut tiny = tiny("F32", "pooling_mode_mean_tokens");
    let path = tiny.path().join("model.safetensors");
    tiny.tensors.get_mut("embeddings.LayerNorm.bias").unwrap().1[0] = f32::NAN;
    write_weights(&path, &mut tiny.tensors, "F32");
    let embedder = LocalEmbedder::load(tiny.path(), "tiny", 1).unwrap();
    let why = embedder
        .embed(Purpose::Passage, &["pump".to_owned()])
        .await
        .unwrap_err()
        .message;
    assert!(why.contains("tiny") && why.contains("damaged"), "{why}");
}
