//! Given HTML of any quality, gives its tags and texts in linear time. Never fails: what is no tag is text.

/// A step through HTML. Names are in lower case.
#[derive(Debug, PartialEq, Eq)]
pub enum Token<'a> {
    Open {
        name: String,
        attributes: &'a str,
    },
    Close {
        name: String,
    },
    /// As it stands, with its entities.
    Text(&'a str),
}

/// Elements whose content is no markup.
const RAW: [&str; 6] = ["script", "style", "textarea", "title", "xmp", "plaintext"];

pub struct Tokens<'a> {
    rest: &'a str,
    /// The raw element that is open: its content ends with its own end tag only.
    raw: Option<String>,
    /// Where no `>` comes any more, nothing is a tag: searched for once, not at each `<`.
    no_more_tags: bool,
}

pub fn tokens(text: &str) -> Tokens<'_> {
    Tokens {
        rest: text,
        raw: None,
        no_more_tags: false,
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            if let Some(name) = self.raw.take() {
                let end = end_of_raw(self.rest, &name);
                let (content, rest) = self.rest.split_at(end);
                self.rest = rest;
                if !content.is_empty() {
                    return Some(Token::Text(content));
                }
                continue;
            }
            if !self.rest.starts_with('<') || self.no_more_tags {
                return Some(self.text(0));
            }
            if let Some(after) = self.rest.strip_prefix("<!--") {
                self.rest = after.find("-->").map_or("", |end| &after[end + 3..]);
                continue;
            }
            if let Some(after) = self.rest.strip_prefix("<![CDATA[") {
                let end = after.find("]]>").unwrap_or(after.len());
                self.rest = after.get(end + 3..).unwrap_or_default();
                return Some(Token::Text(&after[..end]));
            }
            let is_name = |c: char| c.is_ascii_alphabetic();
            let after = &self.rest[1..];
            match after.chars().next() {
                Some('!' | '?') => self.rest = after.find('>').map_or("", |end| &after[end + 1..]),
                Some('/') if after[1..].starts_with(is_name) => match after.find('>') {
                    Some(end) => {
                        let name = name_at(&after[1..end]);
                        self.rest = &after[end + 1..];
                        return Some(Token::Close { name });
                    }
                    None => self.no_more_tags = true,
                },
                Some(c) if is_name(c) => match end_of_tag(after) {
                    Some(end) => {
                        let name = name_at(&after[..end]);
                        let attributes = &after[name.len().min(end)..end];
                        self.rest = &after[end + 1..];
                        if RAW.contains(&name.as_str()) && !attributes.ends_with('/') {
                            self.raw = Some(name.clone());
                        }
                        return Some(Token::Open { name, attributes });
                    }
                    None => self.no_more_tags = true,
                },
                _ => return Some(self.text(1)),
            }
        }
    }
}

impl<'a> Tokens<'a> {
    /// The text up to the next `<`, of which the first `skipped` bytes are none.
    fn text(&mut self, skipped: usize) -> Token<'a> {
        let end = match self.no_more_tags {
            true => self.rest.len(),
            false => self.rest[skipped..]
                .find('<')
                .map_or(self.rest.len(), |end| end + skipped),
        };
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Token::Text(text)
    }
}

fn name_at(tag: &str) -> String {
    let end = tag
        .find(|c: char| c.is_whitespace() || matches!(c, '/' | '>'))
        .unwrap_or(tag.len());
    tag[..end].to_ascii_lowercase()
}

/// Where the tag's `>` is: not one within a quoted value, unless that quote never ends.
fn end_of_tag(text: &str) -> Option<usize> {
    /// A longer tag is one whose quote was forgotten.
    const TAG_BYTES_MAX: usize = 1 << 22;
    let mut quote = None;
    let mut after_equals = false;
    for (at, byte) in text.bytes().enumerate().take(TAG_BYTES_MAX) {
        match (quote, byte) {
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') if after_equals => quote = Some(byte),
            (None, b'>') => return Some(at),
            (None, _) => {}
        }
        after_equals = byte == b'=' || after_equals && byte.is_ascii_whitespace();
    }
    text.find('>')
}

fn end_of_raw(text: &str, name: &str) -> usize {
    let mut from = 0;
    while let Some(found) = text[from..].find("</") {
        let at = from + found;
        let after = &text[at + 2..];
        if after
            .get(..name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
        {
            return at;
        }
        from = at + 2;
    }
    text.len()
}

/// The value of an attribute in a tag, with its entities resolved.
pub fn attribute(attributes: &str, name: &str) -> Option<String> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest[1..]
            .find(|c: char| c.is_whitespace() || matches!(c, '=' | '/'))
            .map_or(rest.len(), |end| end + 1);
        let end = rest.ceil_char_boundary(end);
        let (key, after) = rest.split_at(end);
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('=') {
            None => ("", after),
            Some(value) => value_at(value.trim_start()),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(crate::xml::unescape(value));
        }
        rest = after;
    }
}

fn value_at(text: &str) -> (&str, &str) {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inside = &text[1..];
        return inside.split_once(quote).unwrap_or((inside, ""));
    }
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_texts_and_what_only_looks_like_them() {
        let found: Vec<Token<'_>> = tokens("a < b <B c=\"x>y\">t</b><!-- <i> --><script>1<2</script>").collect();
        let open = |name: &str, attributes| Token::Open {
            name: name.to_owned(),
            attributes,
        };
        let close = |name: &str| Token::Close { name: name.to_owned() };
        let expected = [
            Token::Text("a "),
            Token::Text("< b "),
            open("b", " c=\"x>y\""),
            Token::Text("t"),
            close("b"),
            open("script", ""),
            Token::Text("1<2"),
            close("script"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn attributes_are_found_with_and_without_quotes() {
        let attributes = " hidden a=1 b = 'two &amp; 2' C=\"three\"";
        assert_eq!(attribute(attributes, "b").as_deref(), Some("two & 2"));
        assert_eq!(attribute(attributes, "c").as_deref(), Some("three"));
        assert_eq!(attribute(attributes, "a").as_deref(), Some("1"));
        assert_eq!(attribute(attributes, "hidden").as_deref(), Some(""));
        assert_eq!(attribute(attributes, "d"), None);
    }
}
