//! Given documents in HTML, alone or bound into a book, gives their pieces.

pub mod epub;
pub mod html;
mod tokens;
