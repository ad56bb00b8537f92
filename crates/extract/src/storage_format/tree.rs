//! Given any markup, gives its elements as a tree, in time and memory that grow with its length. Never fails: what is
//! closed and was not opened is nothing, and what is never closed ends with what it is in.

use super::tag::Tag;
use crate::markup::{Token, Tokens};

/// The most elements and texts that are told apart: what follows them is read for its words alone. The largest page of a
/// hundred real ones has four thousand.
const NODES_MAX: usize = 1_000_000;

#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    pub kind: Kind<'a>,
    /// The place after its last descendant. A node's first child stands right after it.
    pub end: usize,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind<'a> {
    Element {
        tag: Tag,
        attributes: &'a str,
    },
    /// With references still in it.
    Text(&'a str),
    /// Verbatim.
    Verbatim(&'a str),
    /// Markup that is too much to be told apart.
    Rest(&'a str),
}

/// The nodes in the order in which they begin.
pub fn nodes(markup: &str) -> Vec<Node<'_>> {
    // A node for each twenty bytes is what pages have.
    let mut tree = Tree::new(markup.len() / 20);
    let mut tokens = Tokens::of(markup);
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => tree.leaf(Kind::Text(text)),
            Token::CData(text) => tree.leaf(Kind::Verbatim(text)),
            Token::Open {
                name,
                attributes,
                empty,
            } => {
                if let Some(tag) = Tag::of(name) {
                    tree.open(tag, attributes, empty);
                }
            }
            Token::Close { name } => {
                if let Some(tag) = Tag::of(name) {
                    tree.close(tag);
                }
            }
        }
        if tree.nodes.len() >= NODES_MAX {
            tree.leaf(Kind::Rest(tokens.rest()));
            break;
        }
    }
    tree.close_down_to(0);
    tree.nodes
}

struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    open: Vec<Open>,
    /// By tag, how deep the innermost open element of that tag is, counted from 1; 0 when none is open.
    innermost: [usize; Tag::COUNT],
    /// How deep the innermost wall, and the innermost cell of a table, is. 0 when none is open.
    wall: usize,
    cell: usize,
}

/// An open element, and what was innermost before it.
struct Open {
    node: usize,
    tag: Tag,
    same_tag_before: usize,
    wall_before: usize,
    cell_before: usize,
}

impl<'a> Tree<'a> {
    fn new(capacity: usize) -> Self {
        Self {
            nodes: Vec::with_capacity(capacity),
            open: Vec::new(),
            innermost: [0; Tag::COUNT],
            wall: 0,
            cell: 0,
        }
    }

    fn leaf(&mut self, kind: Kind<'a>) {
        let end = self.nodes.len() + 1;
        self.nodes.push(Node { kind, end });
    }

    fn open(&mut self, tag: Tag, attributes: &'a str, empty: bool) {
        self.close_what_ends_before(tag);
        let node = self.nodes.len();
        self.leaf(Kind::Element { tag, attributes });
        if empty || tag.is_void() {
            return;
        }
        self.open.push(Open {
            node,
            tag,
            same_tag_before: self.innermost[tag as usize],
            wall_before: self.wall,
            cell_before: self.cell,
        });
        let depth = self.open.len();
        self.innermost[tag as usize] = depth;
        if tag.is_wall() {
            self.wall = depth;
        }
        if tag.is_cell() {
            self.cell = depth;
        }
    }

    /// An item ends the one before it, a cell or a row likewise, a paragraph the open paragraph: HTML leaves their
    /// closing tags out.
    fn close_what_ends_before(&mut self, tag: Tag) {
        let depth = |tag: Tag| self.innermost[tag as usize];
        let cells = depth(Tag::HeaderCell).max(depth(Tag::DataCell));
        let (ends, inside_of) = match tag {
            Tag::Item => (
                depth(Tag::Item),
                depth(Tag::Bullets).max(depth(Tag::Numbers)).max(self.cell),
            ),
            Tag::Row => (depth(Tag::Row), depth(Tag::Table)),
            Tag::HeaderCell | Tag::DataCell => (cells, depth(Tag::Table).max(depth(Tag::Row))),
            Tag::Paragraph if depth(Tag::Paragraph) == self.open.len() => (depth(Tag::Paragraph), 0),
            _ => return,
        };
        if ends > inside_of.max(self.wall) {
            self.close_down_to(ends - 1);
        }
    }

    fn close(&mut self, tag: Tag) {
        let depth = self.innermost[tag as usize];
        let walled = !tag.is_confluence() && depth < self.wall;
        let celled = !tag.is_confluence() && !tag.is_table_part() && depth < self.cell;
        if depth > 0 && !walled && !celled {
            self.close_down_to(depth - 1);
        }
    }

    fn close_down_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let Some(open) = self.open.pop() else { return };
            self.nodes[open.node].end = self.nodes.len();
            self.innermost[open.tag as usize] = open.same_tag_before;
            self.wall = open.wall_before;
            self.cell = open.cell_before;
        }
    }
}
