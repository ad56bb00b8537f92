//! Given a name, gives the style, script or picture that the binary carries.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use sha2::{Digest, Sha256};

use super::error::no_page;

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Name, type and content.
const ASSETS: [(&str, &str, &str); 8] = [
    ("circuit.css", STYLE, include_str!("../../assets/circuit.css")),
    ("circuit.js", SCRIPT, include_str!("../../assets/circuit.js")),
    ("search.css", STYLE, include_str!("../../assets/search.css")),
    ("search.js", SCRIPT, include_str!("../../assets/search.js")),
    ("complete.js", SCRIPT, include_str!("../../assets/complete.js")),
    ("preview.js", SCRIPT, include_str!("../../assets/preview.js")),
    ("keys.js", SCRIPT, include_str!("../../assets/keys.js")),
    ("logo.svg", "image/svg+xml", include_str!("../../assets/logo.svg")),
];

/// Eight digits that change with any asset: addresses carry them, so that browsers may keep what they fetched.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let mut hash = Sha256::new();
        for (name, _, content) in ASSETS {
            hash.update(name);
            hash.update(content);
        }
        hash.finalize()
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    });
    &VERSION
}

pub async fn asset(Path(name): Path<String>) -> Response {
    match ASSETS.into_iter().find(|(known, _, _)| *known == name) {
        Some((_, kind, content)) => {
            let cached = "public, max-age=31536000, immutable";
            ([(CONTENT_TYPE, kind), (CACHE_CONTROL, cached)], content).into_response()
        }
        None => no_page().await.into_response(),
    }
}
