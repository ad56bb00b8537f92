//! Configuration: defaults < `circuit.toml` < `CIRCUIT_*` < flags. The only place that reads the environment.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
};

use domain::{
    Error, Result, Secret,
    budget::{Allowance, BUDGET_PERCENT, QUOTA_POINTS},
    embedder::DIMENSIONS_MAX,
};
use embed::{
    hub::{Hub, ModelId, PUBLIC},
    remote::Endpoint,
};
use serde::Deserialize;
use url::Url;

use crate::{
    cli::{RemoteSettings, Settings},
    logins::Logins,
};

/// The configuration file that is read when none is named.
const DEFAULT_FILE: &str = "circuit.toml";
/// The largest configuration or secret file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Everything decided before the first line of work.
#[derive(Clone, Debug)]
pub struct Config {
    pub data_dir: PathBuf,
    pub address: SocketAddr,
    /// Without a slash at the end; none: made from the address that was bound.
    pub public_url: Option<String>,
    pub log: Log,
    pub atlassian: Atlassian,
    pub files: Files,
    pub semantic: Semantic,
    /// The key that seals tokens; none: the file `secret.key` in the data directory.
    pub secret_key: Option<Secret>,
}

#[derive(Clone, Debug)]
pub struct Log {
    pub filter: String,
    pub json: bool,
}

#[derive(Clone, Debug)]
pub struct Atlassian {
    pub app: Option<(String, Secret)>,
    pub auth_url: String,
    pub api_url: String,
    /// Asked for instead of the default list.
    pub scopes: Option<Vec<String>>,
    /// What Circuit may spend of the app's hourly points.
    pub allowance: Allowance,
}

/// Which attachments are read.
#[derive(Clone, Debug)]
pub struct Files {
    /// Whether any is.
    pub enabled: bool,
    /// The largest, in bytes.
    pub bytes_max: u64,
    /// How the media types begin that are not read, in small letters.
    pub skip_types: Vec<String>,
    /// A program with its arguments that is given a picture and gives the words in it; empty: pictures hold no words.
    pub ocr: Vec<String>,
    /// The program that reads them as `circuit read-file` does; none: this one. Not a setting.
    pub reader: Option<PathBuf>,
}

/// Which model gives texts their meaning.
#[derive(Clone, Debug)]
pub struct Semantic {
    /// None: search is by words alone.
    pub model: Option<Model>,
    /// How many threads read passages.
    pub threads: usize,
}

/// Where a model is.
#[derive(Clone, Debug)]
pub enum Model {
    Directory(PathBuf),
    Id {
        id: ModelId,
        hub: Hub,
    },
    Remote {
        url: String,
        model: String,
        key: Option<Secret>,
        dimensions: Option<usize>,
    },
}

/// The most threads that may be asked for.
const THREADS_BOUND: u64 = 64;

impl Default for Semantic {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            model: None,
            threads: (cores / 2).max(1),
        }
    }
}

/// The largest file that is read unless somebody says otherwise, in bytes.
pub const FILE_BYTES_MAX_DEFAULT: u64 = 50 << 20;
/// The largest bound: an answer of Atlassian has at most 64 MB.
const FILE_BYTES_BOUND: u64 = 60 << 20;
/// What holds no words, or none that are read: sounds, films, and pictures that are only that. SVG is not among them.
const SKIP_TYPES: &str = "audio/ video/ image/avif image/bmp image/gif image/heic image/heif image/jpeg image/png image/tiff \
                          image/vnd.microsoft.icon image/webp image/x-icon";
/// The same where a program reads pictures.
const SKIP_TYPES_WITH_OCR: &str =
    "audio/ video/ image/avif image/heic image/heif image/vnd.microsoft.icon image/x-icon";

impl Default for Files {
    fn default() -> Self {
        Self {
            enabled: true,
            bytes_max: FILE_BYTES_MAX_DEFAULT,
            skip_types: split(SKIP_TYPES),
            ocr: Vec::new(),
            reader: None,
        }
    }
}

/// One layer of settings: what it does not say is left to the layers below.
#[derive(Clone, Debug, Default, PartialEq)]
struct Layer(BTreeMap<&'static str, String>);

/// Every setting: its variable (after `CIRCUIT_`), its place in the file, and whether it is a secret (also `…_FILE`).
const SETTINGS: [(&str, &str, bool); 23] = [
    ("DATA_DIR", "data_dir", false),
    ("ADDRESS", "address", false),
    ("PUBLIC_URL", "public_url", false),
    ("LOG", "log.filter", false),
    ("LOG_FORMAT", "log.format", false),
    ("SECRET_KEY", "secret_key", true),
    ("ATLASSIAN_CLIENT_ID", "atlassian.client_id", false),
    ("ATLASSIAN_CLIENT_SECRET", "atlassian.client_secret", true),
    ("ATLASSIAN_AUTH_URL", "atlassian.auth_url", false),
    ("ATLASSIAN_API_URL", "atlassian.api_url", false),
    ("ATLASSIAN_SCOPES", "atlassian.scopes", false),
    ("ATLASSIAN_QUOTA_POINTS", "atlassian.quota_points", false),
    ("ATLASSIAN_BUDGET_PERCENT", "atlassian.budget_percent", false),
    ("FILES_ENABLED", "files.enabled", false),
    ("FILES_BYTES_MAX", "files.bytes_max", false),
    ("FILES_SKIP_TYPES", "files.skip_types", false),
    ("FILES_OCR", "files.ocr", false),
    ("SEMANTIC_MODEL", "semantic.model", false),
    ("SEMANTIC_URL", "semantic.url", false),
    ("SEMANTIC_KEY", "semantic.key", true),
    ("SEMANTIC_DIMENSIONS", "semantic.dimensions", false),
    ("SEMANTIC_HUB", "semantic.hub", false),
    ("SEMANTIC_THREADS", "semantic.threads", false),
];

/// Reads file, environment and flags. Errors name the setting and where it stands.
pub fn read(flags: &Settings) -> Result<Config> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with("CIRCUIT_"))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(Error::invalid(format!("the variable {name} is not UTF-8 text"))),
        })
        .collect::<Result<BTreeMap<_, _>>>()?;
    layered(flags, &variables)
}

/// Of the commands that ask a running Circuit; [`read`] passes over them.
const REMOTE_URL: &str = "URL";
const REMOTE_KEY: &str = "API_KEY";
const REMOTE_KEY_FILE: &str = "API_KEY_FILE";
const REMOTE_URL_DEFAULT: &str = "http://localhost:8470";

/// The running Circuit that is asked: its address, without a slash at the end, and the API key.
pub fn remote(flags: &RemoteSettings) -> Result<(String, Secret)> {
    let variable = |name: &str| std::env::var(format!("CIRCUIT_{name}")).ok();
    settled_remote(flags, variable, || Logins::read(&user_directory()?))
}

/// Where this user's own configuration is: `$XDG_CONFIG_HOME/circuit`, else `~/.config/circuit`.
pub fn user_directory() -> Result<PathBuf> {
    let place = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|place| place.is_absolute())
    };
    let base = place("XDG_CONFIG_HOME").or_else(|| place("HOME").map(|home| home.join(".config")));
    base.map(|base| base.join("circuit"))
        .ok_or_else(|| Error::invalid("there is no home directory to keep API keys in; set HOME or XDG_CONFIG_HOME"))
}

/// The same, the key from this file if one is named.
pub fn remote_with_key(flags: &RemoteSettings, key_file: Option<&Path>) -> Result<(String, Secret)> {
    let Some(path) = key_file else { return remote(flags) };
    let key = crate::mcp::key_in(&bounded_text(path, "--key-file")?)?;
    let variable = |name: &str| match name {
        REMOTE_KEY => Some(key.clone()),
        REMOTE_KEY_FILE => None,
        name => std::env::var(format!("CIRCUIT_{name}")).ok(),
    };
    settled_remote(flags, variable, || Ok(Logins::default()))
}

/// The key is asked for among the logins only when no other is given: then the Circuit may be that of the last login, too. A
/// key from the environment goes nowhere but where flag or environment say.
fn settled_remote(
    flags: &RemoteSettings,
    variable: impl Fn(&str) -> Option<String>,
    logins: impl FnOnce() -> Result<Logins>,
) -> Result<(String, Secret)> {
    let named = flags.url.clone().or_else(|| variable(REMOTE_URL));
    let url = checked_public_url(named.as_deref().unwrap_or(REMOTE_URL_DEFAULT))?;
    let key = match (variable(REMOTE_KEY), variable(REMOTE_KEY_FILE)) {
        (Some(key), _) => said("CIRCUIT_API_KEY", Some(key))?,
        (None, Some(path)) => {
            let text = bounded_text(Path::new(&path), "CIRCUIT_API_KEY_FILE")?;
            said("CIRCUIT_API_KEY_FILE", Some(text))?
        }
        (None, None) => None,
    };
    if let Some(key) = key {
        return Ok((url, Secret::new(key)));
    }
    let logins = logins()?;
    let url = match named {
        Some(_) => url,
        None => logins.last.clone().unwrap_or(url),
    };
    let key = logins.key(&url).ok_or_else(|| {
        Error::unauthenticated(format!(
            "no API key is given for {url}; make one under Account in the app, then `circuit login {url}`, or set \
             CIRCUIT_API_KEY or CIRCUIT_API_KEY_FILE"
        ))
    })?;
    Ok((url, key))
}

fn layered(flags: &Settings, variables: &BTreeMap<String, String>) -> Result<Config> {
    let mut layer = Layer::default();
    layer.over(file_layer(flags.config.as_deref())?);
    layer.over(variable_layer(variables)?);
    layer.over(flag_layer(flags));
    layer.settled()
}

impl Layer {
    fn over(&mut self, upper: Layer) {
        self.0.extend(upper.0);
    }

    fn settled(mut self) -> Result<Config> {
        let mut take = |place: &str| self.0.remove(place);
        let address = take("address").unwrap_or_else(|| "127.0.0.1:8470".into());
        let format = take("log.format").unwrap_or_else(|| "human".into());
        let client = (
            said("atlassian.client_id", take("atlassian.client_id"))?,
            said("atlassian.client_secret", take("atlassian.client_secret"))?,
        );
        let quota = whole("atlassian.quota_points", take("atlassian.quota_points"), QUOTA_POINTS)?;
        let percent = whole(
            "atlassian.budget_percent",
            take("atlassian.budget_percent"),
            BUDGET_PERCENT,
        )?;
        let files = settled_files(&mut take)?;
        let semantic = settled_semantic(&mut take)?;
        Ok(Config {
            files,
            semantic,
            data_dir: PathBuf::from(take("data_dir").unwrap_or_else(|| "circuit-data".into())),
            address: resolved(&address)?,
            public_url: take("public_url").map(|url| checked_public_url(&url)).transpose()?,
            log: Log {
                filter: take("log.filter").unwrap_or_else(|| "info".into()),
                json: match format.as_str() {
                    "human" => false,
                    "json" => true,
                    other => {
                        return Err(Error::invalid(format!(
                            "the log format is `human` or `json`, not {other:?}"
                        )));
                    }
                },
            },
            atlassian: Atlassian {
                app: match client {
                    (Some(id), Some(secret)) => Some((id, Secret::new(secret))),
                    (None, None) => None,
                    (Some(_), None) => {
                        return Err(Error::invalid(
                            "CIRCUIT_ATLASSIAN_CLIENT_ID is set and CIRCUIT_ATLASSIAN_CLIENT_SECRET (or …_FILE) is not; set both or neither",
                        ));
                    }
                    (None, Some(_)) => {
                        return Err(Error::invalid(
                            "CIRCUIT_ATLASSIAN_CLIENT_SECRET is set and CIRCUIT_ATLASSIAN_CLIENT_ID is not; set both or neither",
                        ));
                    }
                },
                auth_url: take("atlassian.auth_url").unwrap_or_else(|| "https://auth.atlassian.com".into()),
                api_url: take("atlassian.api_url").unwrap_or_else(|| "https://api.atlassian.com".into()),
                scopes: take("atlassian.scopes").map(|scopes| scopes.split_whitespace().map(str::to_owned).collect()),
                allowance: Allowance::new(quota, percent)?,
            },
            secret_key: said("secret_key", take("secret_key"))?.map(Secret::new),
        })
    }
}

fn settled_files(take: &mut impl FnMut(&str) -> Option<String>) -> Result<Files> {
    let otherwise = Files::default();
    let bytes_max = whole("files.bytes_max", take("files.bytes_max"), otherwise.bytes_max)?;
    let ocr = split(&said("files.ocr", take("files.ocr"))?.unwrap_or_default());
    if !(1..=FILE_BYTES_BOUND).contains(&bytes_max) {
        return Err(Error::invalid(format!(
            "files.bytes_max is between 1 and {FILE_BYTES_BOUND} bytes, not {bytes_max}; files.enabled = false reads none at all"
        )));
    }
    Ok(Files {
        enabled: match said("files.enabled", take("files.enabled"))?.as_deref() {
            None => otherwise.enabled,
            Some("true") => true,
            Some("false") => false,
            Some(other) => {
                return Err(Error::invalid(format!(
                    "files.enabled is `true` or `false`, not {other:?}"
                )));
            }
        },
        bytes_max,
        skip_types: match take("files.skip_types") {
            None if !ocr.is_empty() => split(SKIP_TYPES_WITH_OCR),
            None => otherwise.skip_types,
            // An empty list skips nothing.
            Some(types) => types.split_whitespace().map(media_type_prefix).collect::<Result<_>>()?,
        },
        ocr,
        reader: None,
    })
}

/// The environment without what is Circuit's, secrets among it: for programs that are not Circuit.
pub fn others() -> Vec<(OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| is_others(name)).collect()
}

fn is_others(name: &OsStr) -> bool {
    !name.to_string_lossy().starts_with("CIRCUIT_")
}

/// Whether this is a program: a file, or one on the `PATH`.
pub fn is_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    match name.contains(std::path::MAIN_SEPARATOR) {
        true => Path::new(name).is_file(),
        false => std::env::split_paths(&path).any(|folder| folder.join(name).is_file()),
    }
}

fn split(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

fn settled_semantic(take: &mut impl FnMut(&str) -> Option<String>) -> Result<Semantic> {
    let mut given = |place: &str| said(place, take(place));
    let (model, url, key) = (given("semantic.model")?, given("semantic.url")?, given("semantic.key")?);
    let (dimensions, hub) = (given("semantic.dimensions")?, given("semantic.hub")?);
    let otherwise = Semantic::default();
    let threads = whole("semantic.threads", given("semantic.threads")?, otherwise.threads as u64)?;
    if !(1..=THREADS_BOUND).contains(&threads) {
        return Err(Error::invalid(format!(
            "semantic.threads is between 1 and {THREADS_BOUND}, not {threads}"
        )));
    }
    let dimensions = match dimensions {
        None => None,
        Some(_) => match whole("semantic.dimensions", dimensions, 384)? as usize {
            dimensions @ 1..=DIMENSIONS_MAX => Some(dimensions),
            dimensions => {
                return Err(Error::invalid(format!(
                    "semantic.dimensions is between 1 and {DIMENSIONS_MAX}, not {dimensions}"
                )));
            }
        },
    };
    let without = |what: &str| {
        Err(Error::invalid(format!(
            "{what} is set and semantic.url is not; set both, or leave it out"
        )))
    };
    let model = match (model, url) {
        (None, Some(_)) => {
            return Err(Error::invalid(
                "semantic.url is set and semantic.model is not; set semantic.model to the name that the endpoint knows its \
                 model by, such as nomic-embed-text",
            ));
        }
        (_, None) if key.is_some() => return without("semantic.key"),
        (_, None) if dimensions.is_some() => return without("semantic.dimensions"),
        (None, None) => None,
        (Some(model), None) => Some(local_model(&model, Hub::parse(hub.as_deref().unwrap_or(PUBLIC))?)?),
        (Some(model), Some(url)) => {
            let key = key.map(Secret::new);
            // Said now and not when the first passage is read.
            Endpoint::new(&url, &model, key.clone(), dimensions)?;
            Some(Model::Remote {
                url,
                model,
                key,
                dimensions,
            })
        }
    };
    Ok(Semantic {
        model,
        threads: threads as usize,
    })
}

/// A directory, or an id at the hub. A directory that is not there yet is no fault of the setting.
fn local_model(text: &str, hub: Hub) -> Result<Model> {
    let path = Path::new(text);
    if path.is_absolute() || path.starts_with(".") || path.starts_with("..") || path.is_dir() {
        return Ok(Model::Directory(path.to_owned()));
    }
    let id = ModelId::parse(text).ok_or_else(|| {
        Error::invalid(format!(
            "semantic.model is a directory or a Hugging Face id such as sentence-transformers/all-MiniLM-L6-v2, not {text:?}; \
             with an endpoint, set semantic.url as well"
        ))
    })?;
    Ok(Model::Id { id, hub })
}

fn media_type_prefix(text: &str) -> Result<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/+-.".contains(&byte);
    match text.contains('/') && !text.starts_with('/') && text.bytes().all(plain) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(Error::invalid(format!(
            "files.skip_types holds beginnings of media types such as video/ or image/png, not {text:?}"
        ))),
    }
}

/// A setting without the blanks that pasting brings. One that is set to nothing is a mistake, and not the same as unset.
fn said(place: &str, value: Option<String>) -> Result<Option<String>> {
    let value = value.map(|value| value.trim().to_owned());
    match value.as_deref() {
        Some("") => Err(Error::invalid(format!(
            "{place} is set and empty; give it a value or leave it out"
        ))),
        _ => Ok(value),
    }
}

/// A whole number, or the default.
fn whole(place: &str, value: Option<String>, otherwise: u64) -> Result<u64> {
    match said(place, value)? {
        None => Ok(otherwise),
        Some(text) => text
            .parse()
            .map_err(|_| Error::invalid(format!("{place} is a whole number such as {otherwise}, not {text:?}"))),
    }
}

fn resolved(address: &str) -> Result<SocketAddr> {
    let wrong = || {
        Error::invalid(format!(
            "{address:?} is not an address to listen at; it looks like 127.0.0.1:8470 or [::]:8470"
        ))
    };
    address
        .to_socket_addrs()
        .map_err(|cause| wrong().because(cause))?
        .next()
        .ok_or_else(wrong)
}

pub fn checked_public_url(text: &str) -> Result<String> {
    let wrong = |why: &str| {
        Error::invalid(format!(
            "the public URL {text:?} {why}; it looks like https://circuit.example.org"
        ))
    };
    let url = Url::parse(text).map_err(|_| wrong("is not a URL"))?;
    match url.scheme() {
        "http" | "https" => {}
        _ => return Err(wrong("is neither http nor https")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        // Not repeated: it holds a secret.
        return Err(Error::invalid(
            "the public URL holds a user name or password; it looks like https://circuit.example.org",
        ));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a path: Circuit lives at the root of its host"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn flag_layer(flags: &Settings) -> Layer {
    let given = [
        ("data_dir", &flags.data_dir),
        ("address", &flags.address),
        ("public_url", &flags.public_url),
        ("log.filter", &flags.log),
        ("log.format", &flags.log_format),
    ];
    Layer(
        given
            .into_iter()
            .filter_map(|(place, value)| Some((place, value.clone()?)))
            .collect(),
    )
}

fn variable_layer(variables: &BTreeMap<String, String>) -> Result<Layer> {
    let mut layer = Layer::default();
    for (name, value) in variables {
        let short = name.strip_prefix("CIRCUIT_").unwrap_or(name);
        if is_link(short) || [REMOTE_URL, REMOTE_KEY, REMOTE_KEY_FILE].contains(&short) {
            continue;
        }
        if let Some((_, place, _)) = SETTINGS.iter().find(|(setting, ..)| *setting == short) {
            layer.0.insert(place, value.clone());
            continue;
        }
        let secret = SETTINGS
            .iter()
            .find(|(setting, _, secret)| *secret && short.strip_suffix("_FILE") == Some(setting));
        let Some((setting, place, _)) = secret else {
            return Err(unknown_variable(name));
        };
        if variables.contains_key(&format!("CIRCUIT_{setting}")) {
            return Err(Error::invalid(format!(
                "both CIRCUIT_{setting} and {name} are set; set one of them"
            )));
        }
        layer
            .0
            .insert(place, bounded_text(Path::new(value), name)?.trim().to_owned());
    }
    Ok(layer)
}

/// What Kubernetes and Docker set for a service that is called `circuit`: not meant for us.
fn is_link(short: &str) -> bool {
    short == "PORT" || short.starts_with("PORT_") || short.starts_with("SERVICE_")
}

fn unknown_variable(name: &str) -> Error {
    let known: Vec<String> = SETTINGS
        .iter()
        .map(|(setting, ..)| format!("CIRCUIT_{setting}"))
        .collect();
    Error::invalid(format!(
        "the variable {name} is not a setting of Circuit; there are {} (secrets also with _FILE)",
        known.join(", ")
    ))
}

/// The file's shape. What is not in it is refused, so that a typo does not pass for a default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    data_dir: Option<String>,
    address: Option<String>,
    public_url: Option<String>,
    secret_key: Option<String>,
    log: LogSection,
    atlassian: AtlassianSection,
    files: FilesSection,
    semantic: SemanticSection,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LogSection {
    filter: Option<String>,
    format: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AtlassianSection {
    client_id: Option<String>,
    client_secret: Option<String>,
    auth_url: Option<String>,
    api_url: Option<String>,
    scopes: Option<Vec<String>>,
    quota_points: Option<u64>,
    budget_percent: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FilesSection {
    enabled: Option<bool>,
    bytes_max: Option<u64>,
    skip_types: Option<Vec<String>>,
    ocr: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SemanticSection {
    model: Option<String>,
    url: Option<String>,
    key: Option<String>,
    dimensions: Option<u64>,
    hub: Option<String>,
    threads: Option<u64>,
}

fn file_layer(named: Option<&Path>) -> Result<Layer> {
    let path = match named {
        Some(path) => path,
        None if Path::new(DEFAULT_FILE).exists() => Path::new(DEFAULT_FILE),
        None => return Ok(Layer::default()),
    };
    let text = bounded_text(path, "the configuration file")?;
    parsed_file(&text).map_err(|why| Error::invalid(format!("{}: {why}", path.display())))
}

fn parsed_file(text: &str) -> Result<Layer, String> {
    let file: File = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        // What is said of a value may quote it, and the value may be a secret.
        match error.message() {
            message if message.starts_with("invalid type") || message.starts_with("invalid value") => {
                format!("line {line}: the value is not what is expected there; text stands in quotes")
            }
            message => format!("line {line}: {message}"),
        }
    })?;
    let given = [
        ("data_dir", file.data_dir),
        ("address", file.address),
        ("public_url", file.public_url),
        ("secret_key", file.secret_key),
        ("log.filter", file.log.filter),
        ("log.format", file.log.format),
        ("atlassian.client_id", file.atlassian.client_id),
        ("atlassian.client_secret", file.atlassian.client_secret),
        ("atlassian.auth_url", file.atlassian.auth_url),
        ("atlassian.api_url", file.atlassian.api_url),
        ("atlassian.scopes", file.atlassian.scopes.map(|scopes| scopes.join(" "))),
        (
            "atlassian.quota_points",
            file.atlassian.quota_points.map(|points| points.to_string()),
        ),
        (
            "atlassian.budget_percent",
            file.atlassian.budget_percent.map(|percent| percent.to_string()),
        ),
        ("files.enabled", file.files.enabled.map(|enabled| enabled.to_string())),
        ("files.bytes_max", file.files.bytes_max.map(|bytes| bytes.to_string())),
        ("files.skip_types", file.files.skip_types.map(|types| types.join(" "))),
        ("files.ocr", file.files.ocr),
        ("semantic.model", file.semantic.model),
        ("semantic.url", file.semantic.url),
        ("semantic.key", file.semantic.key),
        (
            "semantic.dimensions",
            file.semantic.dimensions.map(|dimensions| dimensions.to_string()),
        ),
        ("semantic.hub", file.semantic.hub),
        (
            "semantic.threads",
            file.semantic.threads.map(|threads| threads.to_string()),
        ),
    ];
    Ok(Layer(
        given
            .into_iter()
            .filter_map(|(place, value)| Some((place, value?)))
            .collect(),
    ))
}

fn bounded_text(path: &Path, what: &str) -> Result<String> {
    let unread = |why: String| Error::invalid(format!("{what} ({}) {why}", path.display()));
    let length = std::fs::metadata(path)
        .map_err(|error| unread(format!("cannot be read: {error}")))?
        .len();
    if length > FILE_BYTES_MAX {
        return Err(unread(format!("has {length} bytes; at most {FILE_BYTES_MAX} are read")));
    }
    std::fs::read_to_string(path).map_err(|error| unread(format!("cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn no_file() -> Settings {
        let empty = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/empty.toml");
        Settings {
            config: Some(empty),
            ..Settings::default()
        }
    }

    fn error_of(flags: &Settings, pairs: &[(&str, &str)]) -> String {
        layered(flags, &variables(pairs)).unwrap_err().to_string()
    }

    #[test]
    fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
        let mut layer =
            parsed_file("address = '127.0.0.1:1'\ndata_dir = 'a'\npublic_url = 'https://a.example'").unwrap();
        layer.over(
            variable_layer(&variables(&[
                ("CIRCUIT_ADDRESS", "127.0.0.1:2"),
                ("CIRCUIT_DATA_DIR", "b"),
            ]))
            .unwrap(),
        );
        layer.over(flag_layer(&Settings {
            address: Some("127.0.0.1:3".into()),
            ..Settings::default()
        }));
        let config = layer.settled().unwrap();
        assert_eq!(config.address.port(), 3);
        assert_eq!(config.data_dir, Path::new("b"));
        assert_eq!(config.public_url.as_deref(), Some("https://a.example"));
    }

    #[test]
    fn a_misspelt_setting_is_refused_and_named() {
        assert!(error_of(&no_file(), &[("CIRCUIT_ADRESS", "x")]).contains("CIRCUIT_ADRESS"));
        assert!(parsed_file("adress = 'x'").unwrap_err().contains("adress"));
    }

    #[test]
    fn a_client_id_without_its_secret_is_refused() {
        assert!(error_of(&no_file(), &[("CIRCUIT_ATLASSIAN_CLIENT_ID", "x")]).contains("CLIENT_SECRET"));
    }

    #[test]
    fn a_broken_file_does_not_put_its_secret_into_the_error() {
        let why = parsed_file("[atlassian]\nclient_secret = hunter2").unwrap_err();
        assert!(!why.contains("hunter2"), "{why}");
    }

    #[test]
    fn nonsense_is_refused_with_an_example_of_what_is_wanted() {
        assert!(error_of(&no_file(), &[("CIRCUIT_ADDRESS", "nowhere")]).contains("127.0.0.1:8470"));
        for url in ["ftp://x", "https://x/sub", "https://u:p@x", "x"] {
            assert!(
                error_of(&no_file(), &[("CIRCUIT_PUBLIC_URL", url)]).contains("https://circuit.example.org"),
                "{url}"
            );
        }
        assert!(error_of(&no_file(), &[("CIRCUIT_LOG_FORMAT", "xml")]).contains("json"));
        assert!(error_of(&no_file(), &[("CIRCUIT_SECRET_KEY_FILE", "/nowhere/key")]).contains("/nowhere/key"));
    }

    #[test]
    fn the_budget_of_points_has_a_default_and_bounds() {
        let budget = |pairs: &[(&str, &str)]| {
            layered(&no_file(), &variables(pairs)).map(|config| config.atlassian.allowance.points())
        };
        assert_eq!(budget(&[]).unwrap(), 32_500);
        let chosen = [
            ("CIRCUIT_ATLASSIAN_QUOTA_POINTS", "100000"),
            ("CIRCUIT_ATLASSIAN_BUDGET_PERCENT", "80"),
        ];
        assert_eq!(budget(&chosen).unwrap(), 80_000);
        let from_file = parsed_file("[atlassian]\nbudget_percent = 10")
            .unwrap()
            .settled()
            .unwrap();
        assert_eq!(from_file.atlassian.allowance.points(), 6_500);
        for (name, value) in [
            ("BUDGET_PERCENT", "0"),
            ("BUDGET_PERCENT", "101"),
            ("QUOTA_POINTS", "many"),
            ("QUOTA_POINTS", "10"),
        ] {
            assert!(
                budget(&[(&format!("CIRCUIT_ATLASSIAN_{name}"), value)]).is_err(),
                "{name} {value}"
            );
        }
    }

    #[test]
    fn which_files_are_read_is_a_setting_and_nonsense_is_said() {
        let files = |set: &[(&str, &str)]| layered(&no_file(), &variables(set)).map(|config| config.files);
        let usual = files(&[]).unwrap();
        assert!(usual.enabled && usual.bytes_max == 50 << 20);
        assert!(usual.skip_types.iter().any(|skipped| skipped == "video/"));
        let chosen = files(&[
            ("CIRCUIT_FILES_ENABLED", "false"),
            ("CIRCUIT_FILES_BYTES_MAX", "1048576"),
            ("CIRCUIT_FILES_SKIP_TYPES", "Image/ application/zip"),
        ]);
        let chosen = chosen.unwrap();
        assert!(!chosen.enabled && chosen.bytes_max == 1 << 20);
        assert_eq!(chosen.skip_types, ["image/", "application/zip"]);
        let from_file = parsed_file("[files]\nenabled = false\nskip_types = []")
            .unwrap()
            .settled()
            .unwrap()
            .files;
        assert!(!from_file.enabled && from_file.skip_types.is_empty());
        assert!(is_others(OsStr::new("TESSDATA_PREFIX")) && !is_others(OsStr::new("CIRCUIT_SECRET_KEY")));
        let with_ocr = files(&[("CIRCUIT_FILES_OCR", " tesseract - - ")]).unwrap();
        assert_eq!(with_ocr.ocr, ["tesseract", "-", "-"]);
        assert!(!with_ocr.skip_types.iter().any(|skipped| skipped == "image/png"));
        let but_not_photos = [("CIRCUIT_FILES_OCR", "ocr"), ("CIRCUIT_FILES_SKIP_TYPES", "image/jpeg")];
        assert_eq!(files(&but_not_photos).unwrap().skip_types, ["image/jpeg"]);
        let from_file = parsed_file("[files]\nocr = \"tesseract - - -l deu\"").unwrap();
        assert_eq!(from_file.settled().unwrap().files.ocr.len(), 5);
        for (name, value, said) in [
            ("FILES_ENABLED", "yes", "`true` or `false`"),
            ("FILES_BYTES_MAX", "0", "between 1 and"),
            ("FILES_BYTES_MAX", "100000000", "between 1 and"),
            ("FILES_SKIP_TYPES", "pdf", "video/"),
            ("FILES_OCR", " ", "files.ocr"),
        ] {
            let why = error_of(&no_file(), &[(&format!("CIRCUIT_{name}"), value)]);
            assert!(why.contains(said), "{why}");
        }
    }

    #[test]
    fn a_model_is_a_directory_an_id_or_an_endpoint_and_nonsense_is_said() {
        let semantic = |set: &[(&str, &str)]| {
            let set: Vec<(String, &str)> = set
                .iter()
                .map(|(name, value)| (format!("CIRCUIT_SEMANTIC_{name}"), *value))
                .collect();
            let set: Vec<(&str, &str)> = set.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            layered(&no_file(), &variables(&set)).map(|config| config.semantic)
        };
        assert!(semantic(&[]).unwrap().model.is_none());
        let here = env!("CARGO_MANIFEST_DIR");
        for directory in [here, "/not/there/yet", "./model"] {
            let model = semantic(&[("MODEL", directory)]).unwrap().model;
            assert!(matches!(model, Some(Model::Directory(path)) if path == Path::new(directory)));
        }
        let model = semantic(&[("MODEL", "BAAI/bge-small-en-v1.5"), ("THREADS", "3")]).unwrap();
        assert_eq!(model.threads, 3);
        assert!(matches!(model.model, Some(Model::Id { id, .. }) if id.as_str() == "BAAI/bge-small-en-v1.5"));
        let endpoint = [
            ("MODEL", "m"),
            ("URL", "http://localhost:11434"),
            ("KEY", "k"),
            ("DIMENSIONS", "256"),
        ];
        let endpoint = semantic(&endpoint).unwrap().model;
        assert!(matches!(
            endpoint,
            Some(Model::Remote {
                dimensions: Some(256),
                key: Some(_),
                ..
            })
        ));
        let from_file = parsed_file("[semantic]\nmodel = 'a/b'\nthreads = 1")
            .unwrap()
            .settled()
            .unwrap()
            .semantic;
        assert!(matches!(from_file.model, Some(Model::Id { .. })));
        for (set, said) in [
            (&[("MODEL", "MiniLM")][..], "sentence-transformers/all-MiniLM-L6-v2"),
            (&[("URL", "http://localhost:11434")][..], "semantic.model"),
            (&[("MODEL", "a/b"), ("KEY", "hunter2")][..], "semantic.url"),
            (&[("MODEL", "a/b"), ("DIMENSIONS", "3")][..], "semantic.url"),
            (&[("MODEL", "m"), ("URL", "localhost")][..], "http://localhost:11434/v1"),
            (
                &[("MODEL", "m"), ("URL", "http://x"), ("DIMENSIONS", "0")][..],
                "between 1 and",
            ),
            (&[("MODEL", "a/b"), ("HUB", "x")][..], "semantic.hub"),
            (&[("MODEL", "a/b"), ("THREADS", "0")][..], "between 1 and"),
            (&[("MODEL", "")][..], "set and empty"),
        ] {
            let why = semantic(set).unwrap_err().to_string();
            assert!(why.contains(said) && !why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn whom_to_ask_comes_from_flags_then_variables_and_the_key_never_from_a_flag() {
        let set = variables(&[("URL", "https://circuit.example/"), ("API_KEY", " key \n")]);
        let variable = |name: &str| set.get(name).cloned();
        let (url, key) = settled_remote(&RemoteSettings::default(), variable, || Ok(Logins::default())).unwrap();
        assert_eq!((url.as_str(), key.expose()), ("https://circuit.example", "key"));
        let flags = RemoteSettings {
            url: Some("http://127.0.0.1:1".into()),
        };
        assert_eq!(
            settled_remote(&flags, variable, || Ok(Logins::default())).unwrap().0,
            "http://127.0.0.1:1"
        );
        let keyless = settled_remote(&flags, |_| None, || Ok(Logins::default()))
            .unwrap_err()
            .to_string();
        assert!(keyless.contains("CIRCUIT_API_KEY"), "{keyless}");
        let asking = [("CIRCUIT_URL", "https://circuit.example"), ("CIRCUIT_API_KEY", "key")];
        assert!(
            layered(&no_file(), &variables(&asking)).is_ok(),
            "no settings of the server"
        );
    }

    #[test]
    fn what_kubernetes_sets_for_a_service_of_our_name_is_not_a_setting() {
        let set = [
            ("CIRCUIT_PORT", "tcp://10.0.0.1:8470"),
            ("CIRCUIT_PORT_8470_TCP", "tcp://10.0.0.1:8470"),
            ("CIRCUIT_SERVICE_HOST", "10.0.0.1"),
        ];
        assert!(layered(&no_file(), &variables(&set)).is_ok());
    }

    #[test]
    fn a_secret_that_is_set_to_nothing_is_a_mistake_and_said() {
        let set = [
            ("CIRCUIT_ATLASSIAN_CLIENT_ID", " "),
            ("CIRCUIT_ATLASSIAN_CLIENT_SECRET", "x"),
        ];
        assert!(error_of(&no_file(), &set).contains("atlassian.client_id is set and empty"));
    }

    #[test]
    fn no_error_quotes_a_value_that_may_be_a_secret() {
        for text in [
            "a = 1\n[atlassian]\nclient_secret = 12345678",
            "atlassian = 'id:12345678'",
            "secret_key = 12345678",
        ] {
            let why = parsed_file(text).unwrap_err();
            assert!(!why.contains("12345678"), "{why}");
            assert!(why.starts_with("line "), "{why}");
        }
        let set = [("CIRCUIT_PUBLIC_URL", "https://u:12345678@host.example")];
        assert!(!error_of(&no_file(), &set).contains("12345678"));
    }
}
