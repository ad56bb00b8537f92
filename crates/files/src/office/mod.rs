//! Given documents of office programs, zips of XML, gives their pieces.

mod chart;
pub mod odf;
pub mod slides;
pub mod word;

use crate::{
    package::{Package, Relation},
    pieces::Pieces,
    xml::Element,
};

/// The words of shapes that are drawn upon a sheet.
pub fn drawn_words(root: &Element, out: &mut Pieces) {
    chart::read_diagram(root, out);
}

/// A chart or a diagram that a part refers to.
pub fn linked_chart(package: &Package<'_>, relation: &Relation, out: &mut Pieces) {
    match relation.kind.as_str() {
        "chart" => chart::read(&package.tree(&relation.target), out),
        "diagramData" => chart::read_diagram(&package.tree(&relation.target), out),
        _ => {}
    }
}
