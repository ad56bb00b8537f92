//! Given a message as the internet carries it, or a page saved as one, gives its pieces.

use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::{Letter, attachment, body_html, body_plain};
use crate::{LeftOut, Unread, encoding, pieces::Pieces};

/// Messages within messages are read this deep.
const MESSAGES_MAX: u8 = 3;

pub fn read(bytes: &[u8], out: &mut Pieces) -> Result<(), Unread> {
    let message = MessageParser::default().parse(bytes);
    let message = message.ok_or_else(|| Unread::broken("it has no headers"))?;
    read_message(&message, 0, out);
    Ok(())
}

fn read_message(message: &Message<'_>, depth: u8, out: &mut Pieces) {
    let letter = Letter {
        subject: message.subject().unwrap_or_default().to_owned(),
        from: people(message.from()),
        to: people(message.to()),
        cc: people(message.cc()),
        date: message.date().map(|date| date.to_rfc3339()).unwrap_or_default(),
    };
    letter.write(out);
    let count = out.count();
    for index in &message.html_body {
        match message.parts.get(*index as usize) {
            Some(part) => body(part, out),
            None => out.leave_out(LeftOut::Unreadable),
        }
    }
    if !out.has_more_than(count) {
        message
            .text_body
            .iter()
            .filter_map(|index| message.parts.get(*index as usize))
            .for_each(|part| body(part, out));
    }
    for part in message.attachments() {
        match &part.body {
            PartType::Message(inner) if depth < MESSAGES_MAX => read_message(inner, depth + 1, out),
            // A page saved with its frames: they are part of what is seen.
            PartType::Html(html) if message.from().is_none() => body_html(html, out),
            _ => attachment(part.attachment_name().unwrap_or_default(), out),
        }
        if out.is_full() {
            return;
        }
    }
}

fn body(part: &MessagePart<'_>, out: &mut Pieces) {
    match &part.body {
        PartType::Html(html) => body_html(html, out),
        PartType::Text(text) => body_plain(text, out),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            let is_text = part.content_type().is_none_or(|content| content.ctype() == "text");
            if is_text {
                body_plain(&encoding::decode(bytes), out);
            }
        }
        PartType::Message(_) | PartType::Multipart(_) => {}
    }
}

fn people(address: Option<&Address<'_>>) -> String {
    let Some(address) = address else {
        return String::new();
    };
    let all: Vec<String> = address
        .iter()
        .map(|person| match (person.name(), person.address()) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (name, address) => name.or(address).unwrap_or_default().to_owned(),
        })
        .collect();
    all.join(", ")
}
