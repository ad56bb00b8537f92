//! Given a message, gives who wrote what to whom; attachments by name only.

pub mod eml;
pub mod msg;

use crate::{
    markup::html,
    pieces::{Pieces, tidy},
    plain,
};

/// What people see of a message above its text.
#[derive(Default)]
struct Letter {
    subject: String,
    from: String,
    to: String,
    cc: String,
    date: String,
}

impl Letter {
    fn write(&self, out: &mut Pieces) {
        out.title(&self.subject);
        out.author(&self.from);
        out.heading(1, &self.subject);
        let lines = [
            ("From", &self.from),
            ("To", &self.to),
            ("Cc", &self.cc),
            ("Date", &self.date),
        ];
        for (name, value) in lines {
            let value = tidy(value);
            if !value.is_empty() {
                out.paragraph(&format!("{name}: {value}"));
            }
        }
    }
}

fn body_html(text: &str, out: &mut Pieces) {
    html::read_text(text, out);
}

fn body_plain(text: &str, out: &mut Pieces) {
    plain::paragraphs(text, out);
}

fn attachment(name: &str, out: &mut Pieces) {
    let name = tidy(name);
    if !name.is_empty() {
        out.paragraph(&format!("Attachment: {name}"));
    }
}
