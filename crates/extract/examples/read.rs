//! `cargo run -p extract --example read -- page.xhtml`: what is read of a page, as text, Markdown and passages.

use domain::document::Body;
use extract::{People, Surroundings, markdown, plain_text, read};

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path)?;
        let body = match path.ends_with(".json") {
            true => Body::Adf(text),
            false => Body::Storage(text),
        };
        let blocks = read(&body);
        println!("--- {path}: text\n{}", plain_text(&blocks, &People::new()));
        println!("--- {path}: Markdown\n{}", markdown(&blocks, &Surroundings::none()));
    }
    Ok(())
}
