//! Given a chart or a diagram of an Office document, gives its words and figures.

use crate::{pieces::Pieces, xml::Element};

/// The most points of one series that are told.
const POINTS_MAX: usize = 200;

/// A chart as a small table: categories above, a row for each series.
pub fn read(root: &Element, out: &mut Pieces) {
    for title in titles(root) {
        out.paragraph(&title);
    }
    let mut series = Vec::new();
    root.find_all("ser", &mut series);
    let mut told: Option<Vec<String>> = None;
    for one in series {
        let name = one.child("tx").map(values).unwrap_or_default().join(" ");
        let categories = one
            .child("cat")
            .or_else(|| one.child("xVal"))
            .map(values)
            .unwrap_or_default();
        if told.as_ref() != Some(&categories) {
            out.row(true, std::iter::once(String::new()).chain(categories.iter().cloned()));
            told = Some(categories);
        }
        let figures = one
            .child("val")
            .or_else(|| one.child("yVal"))
            .map(values)
            .unwrap_or_default();
        out.row(false, std::iter::once(name).chain(figures));
    }
}

fn titles(root: &Element) -> Vec<String> {
    let mut titles = Vec::new();
    root.find_all("title", &mut titles);
    titles
        .into_iter()
        .map(|title| {
            let mut words = Vec::new();
            title.find_all("t", &mut words);
            words.into_iter().map(Element::text).collect()
        })
        .collect()
}

fn values(element: &Element) -> Vec<String> {
    let mut found = Vec::new();
    element.find_all("v", &mut found);
    found.into_iter().take(POINTS_MAX).map(Element::text).collect()
}

/// The words of a diagram (SmartArt), one paragraph for each shape.
pub fn read_diagram(root: &Element, out: &mut Pieces) {
    let mut paragraphs = Vec::new();
    root.find_all("p", &mut paragraphs);
    for paragraph in paragraphs {
        let mut words = Vec::new();
        paragraph.find_all("t", &mut words);
        let text: String = words.into_iter().map(Element::text).collect();
        out.paragraph(&text);
    }
}
