//! Tables of storage format.

use std::ops::Range;

use super::{Child, Element, Place, Reader, tag::Tag};
use crate::{
    block::{Block, Cell, Table},
    flow::Flow,
};

impl<'a> Reader<'a> {
    pub(super) fn table(&mut self, element: Element<'a>, flow: &mut Flow, place: &Place) {
        flow.flush();
        let mut table = Table::default();
        self.rows(element.inside(), &mut table, flow, place);
        table.rows.retain(|row| !row.is_empty());
        if !table.rows.is_empty() {
            flow.block(Block::Table(table));
        }
    }

    /// What stands in a table and is no row comes before it, as in a browser.
    fn rows(&mut self, inside: Range<usize>, table: &mut Table, flow: &mut Flow, place: &Place) {
        for child in self.children(inside) {
            match child {
                Child::Element(section) if section.tag == Tag::TableSection => {
                    for child in self.children(section.inside()) {
                        self.row(child, table, flow, place);
                    }
                }
                other => self.row(other, table, flow, place),
            }
        }
    }

    fn row(&mut self, child: Child<'a>, table: &mut Table, flow: &mut Flow, place: &Place) {
        match child {
            Child::Element(row) if row.tag == Tag::Row => {
                let mut cells = Vec::new();
                for child in self.children(row.inside()) {
                    match child {
                        Child::Element(cell) if cell.tag.is_cell() => cells.push(self.cell(cell, place)),
                        Child::Element(other) => self.read(other.at..other.end, flow, &place.block()),
                        Child::Words(at) => self.read(at..at + 1, flow, &place.block()),
                    }
                }
                table.rows.push(cells);
            }
            // A cell without a row begins one, or goes on with the row of the cell before it.
            Child::Element(cell) if cell.tag.is_cell() => {
                let cell = self.cell(cell, place);
                match table.rows.last_mut() {
                    Some(row) => row.push(cell),
                    None => table.rows.push(vec![cell]),
                }
            }
            Child::Element(other) => self.read(other.at..other.end, flow, &place.block()),
            Child::Words(at) => self.read(at..at + 1, flow, &place.block()),
        }
    }

    fn cell(&mut self, cell: Element<'a>, place: &Place) -> Cell {
        let covered = |name: &str| {
            let value = cell.value(name).and_then(|value| value.trim().parse().ok());
            value.unwrap_or(1).max(1)
        };
        Cell {
            header: cell.tag == Tag::HeaderCell,
            columns: covered("colspan"),
            rows: covered("rowspan"),
            blocks: self.blocks(cell.inside(), place),
        }
    }
}
