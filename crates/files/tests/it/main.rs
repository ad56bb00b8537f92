//! What reading files must show, on files made here and on other people's.

mod corpus;
mod formats;
mod hostile;
mod made;
#[cfg(unix)]
mod ocr;
mod sandbox;
