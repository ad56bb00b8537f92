//! Given any text, gives its tags and what stands between them, in one pass. What is not a tag is text.

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    Open {
        name: &'a str,
        attributes: &'a str,
        empty: bool,
    },
    Close {
        name: &'a str,
    },
    /// With entities still in it.
    Text(&'a str),
    /// Verbatim.
    CData(&'a str),
}

pub struct Tokens<'a> {
    rest: &'a str,
}

pub fn tokens(markup: &str) -> Tokens<'_> {
    Tokens { rest: markup }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let Some(after) = self.rest.strip_prefix('<') else {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                return Some(Token::Text(self.take(end)));
            };
            if let Some(cdata) = after.strip_prefix("![CDATA[") {
                let (text, rest) = cdata.split_once("]]>").unwrap_or((cdata, ""));
                self.rest = rest;
                return Some(Token::CData(text));
            }
            if let Some(comment) = after.strip_prefix("!--") {
                // A comment without an end hides the rest, as in a browser.
                self.rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
                continue;
            }
            if after.starts_with(['!', '?']) {
                self.rest = after.split_once('>').map_or("", |(_, rest)| rest);
                continue;
            }
            let closing = after.starts_with('/');
            let named = if closing { &after[1..] } else { after };
            if !named.starts_with(|c: char| c.is_ascii_alphabetic()) {
                // A lone less-than sign is text up to the next one.
                let end = after.find('<').map_or(self.rest.len(), |at| at + 1);
                return Some(Token::Text(self.take(end)));
            }
            let name_end = named
                .find(|c: char| c.is_whitespace() || c == '/' || c == '>' || c == '<')
                .unwrap_or(named.len());
            let (name, inside) = named.split_at(name_end);
            let end = tag_end(inside);
            let attributes = &inside[..end];
            self.rest = inside[end..].strip_prefix('>').unwrap_or(&inside[end..]);
            return Some(match closing {
                true => Token::Close { name },
                false => Token::Open {
                    name,
                    attributes: attributes.trim_end().trim_end_matches('/'),
                    empty: attributes.trim_end().ends_with('/'),
                },
            });
        }
    }
}

impl<'a> Tokens<'a> {
    fn take(&mut self, end: usize) -> &'a str {
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text
    }
}

/// Where the tag ends: at `>` outside of quotes, or before the next `<` when it is never closed.
fn tag_end(inside: &str) -> usize {
    let mut quote = None;
    for (at, byte) in inside.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>' | b'<') => return at,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            // A quote that is never closed must not swallow the document.
            (Some(_), b'<') => return at,
            _ => {}
        }
    }
    inside.len()
}

/// The value of an attribute, its entities still in it.
pub fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    while let Some(equals) = rest.find('=') {
        let key = rest[..equals]
            .trim_end()
            .rsplit(char::is_whitespace)
            .next()
            .unwrap_or_default();
        let value = rest[equals + 1..].trim_start();
        let (found, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inside = &value[1..];
                inside.split_once(quote).unwrap_or((inside, ""))
            }
            _ => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        if key == name {
            return Some(found);
        }
        rest = after;
    }
    None
}
