//! Given the small JSON files of a model's directory, gives what it is: shape, pooling, prefixes.

use std::{fs::File, io::Read, path::Path};

use domain::{Error, Result, embedder::DIMENSIONS_MAX};
use serde::{Deserialize, de::DeserializeOwned};

use crate::family::Family;

/// The largest description that is read, in bytes.
const DESCRIPTION_BYTES_MAX: u64 = 1 << 20;
/// The most layers: the largest encoders have 24.
const LAYERS_MAX: usize = 64;
const HEADS_MAX: usize = 128;
/// Between the two linear layers of a block; usually four times the dimensions.
const INTERMEDIATE_MAX: usize = 4 * DIMENSIONS_MAX;
/// Multilingual models have 250,000 pieces of words.
const VOCABULARY_MAX: usize = 1 << 20;
/// The most tokens of a text that are read: attention costs their square, and no passage has more.
pub const TOKENS_MAX: usize = 512;
/// Room for the marks at both ends and some words.
const TOKENS_MIN: usize = 8;
const PREFIX_BYTES_MAX: usize = 1_000;
/// How the vectors of a text's tokens become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    Mean,
    /// That of the mark before the text.
    First,
}

/// A model without its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    pub hidden: usize,
    pub layers: usize,
    pub heads: usize,
    pub intermediate: usize,
    pub vocabulary: usize,
    pub positions: usize,
    pub types: usize,
    pub layer_norm_eps: f32,
    pub tokens_max: usize,
    pub pooling: Pooling,
    pub question_prefix: String,
    pub passage_prefix: String,
}

#[derive(Deserialize)]
struct Config {
    model_type: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "two")]
    type_vocab_size: usize,
    #[serde(default = "usual_eps")]
    layer_norm_eps: f64,
    #[serde(default)]
    hidden_act: Option<String>,
    #[serde(default)]
    position_embedding_type: Option<String>,
}

fn two() -> usize {
    2
}

fn usual_eps() -> f64 {
    1e-12
}

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PoolingConfig {
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
    pooling_mode_max_tokens: bool,
    pooling_mode_mean_sqrt_len_tokens: bool,
    pooling_mode_weightedmean_tokens: bool,
    pooling_mode_lasttoken: bool,
    /// As newer versions write it.
    pooling_mode: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SentenceBertConfig {
    max_seq_length: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SentenceTransformersConfig {
    prompts: std::collections::BTreeMap<String, String>,
}

impl Description {
    /// Reads what is there. `name` tells the family where the files do not.
    pub fn read(directory: &Path, name: &str) -> Result<Self> {
        let config: Config = needed(directory, "config.json")?;
        let wrong = |what: String| Err(Error::invalid(format!("the model {name} {what}")));
        if config.model_type != "bert" {
            return wrong(format!(
                "is of the type {:?}; Circuit runs models of the type \"bert\" itself, such as \
                 sentence-transformers/all-MiniLM-L6-v2, intfloat/multilingual-e5-small or BAAI/bge-small-en-v1.5; others \
                 are reached through an endpoint (semantic.url)",
                short(&config.model_type)
            ));
        }
        if !matches!(config.hidden_act.as_deref(), None | Some("gelu")) {
            return wrong(
                "has another activation than gelu, which Circuit does not run itself; use an endpoint".into(),
            );
        }
        if !matches!(config.position_embedding_type.as_deref(), None | Some("absolute")) {
            return wrong("has relative positions, which Circuit does not run itself; use an endpoint".into());
        }
        for (what, size, max) in [
            ("hidden_size", config.hidden_size, DIMENSIONS_MAX),
            ("num_hidden_layers", config.num_hidden_layers, LAYERS_MAX),
            ("num_attention_heads", config.num_attention_heads, HEADS_MAX),
            ("intermediate_size", config.intermediate_size, INTERMEDIATE_MAX),
            ("vocab_size", config.vocab_size, VOCABULARY_MAX),
            ("max_position_embeddings", config.max_position_embeddings, 1 << 16),
            ("type_vocab_size", config.type_vocab_size, 1 << 10),
        ] {
            if size == 0 || size > max {
                return wrong(format!(
                    "has a {what} of {size} in its config.json; Circuit takes 1 to {max}"
                ));
            }
        }
        if !config.hidden_size.is_multiple_of(config.num_attention_heads) {
            return wrong("has a hidden_size in its config.json that its attention heads do not divide".into());
        }
        if !(config.layer_norm_eps > 0.0 && config.layer_norm_eps < 1.0) {
            return wrong("has a layer_norm_eps in its config.json that is not between 0 and 1".into());
        }
        let sentence_bert: SentenceBertConfig = optional(directory, "sentence_bert_config.json")?;
        let tokens_max = sentence_bert.max_seq_length.unwrap_or(TOKENS_MAX);
        let tokens_max = tokens_max.min(config.max_position_embeddings).min(TOKENS_MAX);
        if tokens_max < TOKENS_MIN {
            return wrong(format!(
                "reads {tokens_max} tokens of a text; Circuit needs {TOKENS_MIN}"
            ));
        }
        let (question_prefix, passage_prefix) = prefixes(directory, name)?;
        Ok(Self {
            hidden: config.hidden_size,
            layers: config.num_hidden_layers,
            heads: config.num_attention_heads,
            intermediate: config.intermediate_size,
            vocabulary: config.vocab_size,
            positions: config.max_position_embeddings,
            types: config.type_vocab_size,
            layer_norm_eps: config.layer_norm_eps as f32,
            tokens_max,
            pooling: pooling(directory, name)?,
            question_prefix,
            passage_prefix,
        })
    }
}

/// As the files say; without them the family's.
fn pooling(directory: &Path, name: &str) -> Result<Pooling> {
    let modules: Vec<Module> = optional(directory, "modules.json")?;
    let mut place = "1_Pooling".to_owned();
    for module in modules {
        match module.kind.rsplit('.').next().unwrap_or_default() {
            "Transformer" | "Normalize" => {}
            "Pooling" if plain(&module.path) => place = module.path,
            other => {
                return Err(Error::invalid(format!(
                    "the model {name} has a part {:?} in its modules.json that Circuit does not run itself; use an endpoint",
                    short(other)
                )));
            }
        }
    }
    let file = format!("{place}/config.json");
    if !directory.join(&file).exists() {
        return Ok(match Family::of(name) {
            Family::Bge | Family::BgeChinese => Pooling::First,
            Family::E5 | Family::Nomic | Family::Other => Pooling::Mean,
        });
    }
    let config: PoolingConfig = needed(directory, &file)?;
    let other = config.pooling_mode_max_tokens
        || config.pooling_mode_mean_sqrt_len_tokens
        || config.pooling_mode_weightedmean_tokens
        || config.pooling_mode_lasttoken;
    match (
        config.pooling_mode_mean_tokens,
        config.pooling_mode_cls_token,
        other,
        config.pooling_mode.as_deref(),
    ) {
        (true, false, false, None) | (false, false, false, Some("mean")) => Ok(Pooling::Mean),
        (false, true, false, None) | (false, false, false, Some("cls")) => Ok(Pooling::First),
        _ => Err(Error::invalid(format!(
            "{} asks for a pooling that is neither the mean nor the first token, which Circuit does not run itself; use an \
             endpoint",
            directory.join(&file).display()
        ))),
    }
}

/// What stands before a question and before a passage.
fn prefixes(directory: &Path, name: &str) -> Result<(String, String)> {
    let mut told: SentenceTransformersConfig = optional(directory, "config_sentence_transformers.json")?;
    let mut take = |names: &[&str]| names.iter().find_map(|name| told.prompts.remove(*name));
    let (question, passage) = (take(&["query"]), take(&["passage", "document", "corpus"]));
    let (question, passage) = match (question, passage) {
        (None, None) => {
            let (question, passage) = Family::of(name).prefixes();
            (question.to_owned(), passage.to_owned())
        }
        (question, passage) => (question.unwrap_or_default(), passage.unwrap_or_default()),
    };
    match question.len().max(passage.len()) {
        ..=PREFIX_BYTES_MAX => Ok((question, passage)),
        _ => Err(Error::invalid(format!(
            "a prompt in {} has more than {PREFIX_BYTES_MAX} bytes",
            directory.join("config_sentence_transformers.json").display()
        ))),
    }
}

fn plain(path: &str) -> bool {
    !path.is_empty() && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Of what a file says, as much as fits into an error.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

fn optional<T: DeserializeOwned + Default>(directory: &Path, file: &str) -> Result<T> {
    match directory.join(file).exists() {
        true => needed(directory, file),
        false => Ok(T::default()),
    }
}

fn needed<T: DeserializeOwned>(directory: &Path, file: &str) -> Result<T> {
    let path = directory.join(file);
    let wrong = |why: String| {
        Error::invalid(format!(
            "{} {why}; semantic.model names a directory with config.json, tokenizer.json and model.safetensors, or a Hugging \
             Face id",
            path.display()
        ))
    };
    let bytes = bounded(&path, DESCRIPTION_BYTES_MAX).map_err(wrong)?;
    serde_json::from_slice(&bytes).map_err(|error| wrong(format!("is not what is expected there ({error})")))
}

/// The file's bytes, at most so many.
pub fn bounded(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let unread = |error: std::io::Error| format!("cannot be read: {error}");
    let file = File::open(path).map_err(unread)?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(unread)?;
    match bytes.len() as u64 > bytes_max {
        true => Err(format!("has more than {bytes_max} bytes")),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12,
        "intermediate_size": 1536, "vocab_size": 30522, "max_position_embeddings": 512, "hidden_act": "gelu"}"#;

    fn read(name: &str, files: &[(&str, &str)]) -> Result<Description> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("1_Pooling")).unwrap();
        for (file, text) in files {
            std::fs::write(directory.path().join(file), text).unwrap();
        }
        Description::read(directory.path(), name)
    }

    fn refusal(files: &[(&str, &str)]) -> String {
        read("m", files).unwrap_err().message
    }

    #[test]
    fn a_family_is_known_by_its_name_where_the_files_say_nothing() {
        let of = |name: &str| read(name, &[("config.json", CONFIG)]).unwrap();
        let e5 = of("intfloat/multilingual-e5-small");
        assert_eq!(
            (&*e5.question_prefix, &*e5.passage_prefix, e5.pooling),
            ("query: ", "passage: ", Pooling::Mean)
        );
        let bge = of("/models/bge-small-en-v1.5/");
        assert_eq!(
            (&*bge.question_prefix, &*bge.passage_prefix, bge.pooling),
            (
                "Represent this sentence for searching relevant passages: ",
                "",
                Pooling::First
            )
        );
        let mini = of("sentence-transformers/all-MiniLM-L6-v2");
        assert_eq!(
            (&*mini.question_prefix, mini.pooling, mini.tokens_max),
            ("", Pooling::Mean, 512)
        );
    }

    #[test]
    fn what_the_files_say_stands_before_the_name() {
        let said = read(
            "e5-small",
            &[
                ("config.json", CONFIG),
                ("1_Pooling/config.json", r#"{"pooling_mode_cls_token": true}"#),
                ("sentence_bert_config.json", r#"{"max_seq_length": 256}"#),
                (
                    "config_sentence_transformers.json",
                    r#"{"prompts": {"query": "Q: ", "document": "D: "}}"#,
                ),
            ],
        )
        .unwrap();
        assert_eq!(said.pooling, Pooling::First);
        assert_eq!(said.tokens_max, 256);
        assert_eq!((&*said.question_prefix, &*said.passage_prefix), ("Q: ", "D: "));
    }

    #[test]
    fn what_is_not_run_here_is_refused_with_what_to_do() {
        let missing = refusal(&[]);
        assert!(
            missing.contains("config.json cannot be read") && missing.contains("Hugging"),
            "{missing}"
        );
        assert!(refusal(&[("config.json", "{")]).contains("not what is expected"));
        let other = CONFIG.replace("\"bert\"", "\"xlm-roberta\"");
        assert!(refusal(&[("config.json", &other)]).contains("semantic.url"));
        for (from, to) in [
            ("384", "0"),
            ("384", "99999999"),
            ("384", "385"),
            ("\"num_hidden_layers\": 6", "\"num_hidden_layers\": 1000"),
            ("30522", "4000000000"),
            ("512", "4"),
            ("gelu", "swish"),
        ] {
            let config = CONFIG.replace(from, to);
            assert!(read("m", &[("config.json", &config)]).is_err(), "{from} {to}");
        }
        let pooling = |text| refusal(&[("config.json", CONFIG), ("1_Pooling/config.json", text)]);
        assert!(pooling(r#"{"pooling_mode_max_tokens": true}"#).contains("pooling"));
        assert!(pooling("{}").contains("pooling"));
        let modules = |text| refusal(&[("config.json", CONFIG), ("modules.json", text)]);
        assert!(modules(r#"[{"type": "sentence_transformers.models.Dense", "path": "2_Dense"}]"#).contains("Dense"));
        assert!(modules(r#"[{"type": "x.Pooling", "path": "../../etc"}]"#).contains("Pooling"));
    }

    #[test]
    fn a_large_description_is_not_read_whole() {
        let long = " ".repeat(DESCRIPTION_BYTES_MAX as usize + 1);
        assert!(refusal(&[("config.json", &long)]).contains("more than"));
    }
}
