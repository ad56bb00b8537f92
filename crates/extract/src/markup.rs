//! Given any text, gives its tags and what stands between them, in one pass. What is not a tag is text.

use memchr::{memchr, memchr_iter, memchr3};

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
    /// With references still in it.
    Text(&'a str),
    /// Verbatim.
    CData(&'a str),
}

pub struct Tokens<'a> {
    rest: &'a str,
    /// Ends that were looked for and are not there: nobody looks through the rest of the text a second time.
    no_instruction_end: bool,
    /// How much of the text was left at the end of CDATA that was looked for last.
    left_at_cdata_end: usize,
}

impl<'a> Tokens<'a> {
    pub fn of(markup: &'a str) -> Self {
        Self {
            rest: markup,
            no_instruction_end: false,
            left_at_cdata_end: usize::MAX,
        }
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    /// What begins with `<!` or `<?` and is CDATA, or hides something.
    fn declared(&mut self, after: &'a str) -> Declared<'a> {
        if let Some(cdata) = after.strip_prefix("![CDATA[") {
            if cdata.starts_with("></ac:plain-text") && !self.ends_in_body(cdata) {
                self.rest = &cdata[1..];
                return Declared::Hidden;
            }
            let (text, rest) = cdata.split_once("]]>").unwrap_or((cdata, ""));
            self.rest = rest;
            return Declared::CData(text);
        }
        if let Some(comment) = after.strip_prefix("!--") {
            // A comment without an end hides the rest, as in a browser.
            self.rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            return Declared::Hidden;
        }
        let declares = |word: &str| word.starts_with(|c: char| c.is_ascii_alphabetic());
        let hides = after.starts_with('?') || after.strip_prefix('!').is_some_and(declares);
        if hides && !self.no_instruction_end {
            if let Some((_, rest)) = after.split_once('>') {
                self.rest = rest;
                return Declared::Hidden;
            }
            self.no_instruction_end = true;
        }
        Declared::Nothing
    }

    /// The next token that begins with a less-than sign; None when it hides something and the one after is wanted.
    fn tag(&mut self, after: &'a str) -> Option<Token<'a>> {
        let closing = match after.as_bytes().first() {
            Some(b'!' | b'?') => match self.declared(after) {
                Declared::CData(text) => return Some(Token::CData(text)),
                Declared::Hidden => return None,
                Declared::Nothing => false,
            },
            first => first == Some(&b'/'),
        };
        let named = if closing { &after[1..] } else { after };
        let name_end = named.bytes().position(|byte| !IN_NAME[usize::from(byte)]);
        let (name, inside) = named.split_at(name_end.unwrap_or(named.len()));
        let ends_well = match inside.as_bytes().first() {
            None | Some(b'>' | b' ' | b'/' | b'<') => true,
            Some(_) => inside.starts_with(char::is_whitespace),
        };
        if !ends_well || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            // A lone less-than sign is text up to the next one.
            let end = after.find('<').map_or(self.rest.len(), |at| at + 1);
            return Some(Token::Text(self.take(end)));
        }
        let end = tag_end(inside);
        let (attributes, rest) = inside.split_at(end);
        self.rest = rest.strip_prefix('>').unwrap_or(rest);
        if closing {
            return Some(Token::Close { name });
        }
        let attributes = attributes.trim_end();
        Some(Token::Open {
            name,
            attributes: attributes.trim_end_matches('/'),
            empty: attributes.ends_with('/'),
        })
    }

    /// Whether CDATA ends where the body of a macro does. Exports of whole sites write the end of CDATA as CDATA of its
    /// own, and what follows it is markup again.
    fn ends_in_body(&mut self, cdata: &str) -> bool {
        if self.left_at_cdata_end > cdata.len() {
            self.left_at_cdata_end = cdata.find("]]>").map_or(0, |at| cdata.len() - at);
        }
        let at_end = &cdata[cdata.len() - self.left_at_cdata_end..];
        let after = at_end.strip_prefix("]]>").map(str::trim_start);
        after.is_some_and(|after| after.starts_with("</ac:plain-text"))
    }

    fn take(&mut self, end: usize) -> &'a str {
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text
    }
}

/// What a declaration turned out to be.
enum Declared<'a> {
    CData(&'a str),
    Hidden,
    /// None: a less-than sign and what follows it.
    Nothing,
}

/// The bytes that names of elements are made of.
const IN_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        let sign = byte as u8;
        table[byte] = sign.is_ascii_alphanumeric() || matches!(sign, b':' | b'-' | b'_' | b'.');
        byte += 1;
    }
    table
};

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while !self.rest.is_empty() {
            let Some(after) = self.rest.strip_prefix('<') else {
                let end = memchr(b'<', self.rest.as_bytes()).unwrap_or(self.rest.len());
                return Some(Token::Text(self.take(end)));
            };
            if let Some(token) = self.tag(after) {
                return Some(token);
            }
        }
        None
    }
}

/// Where the tag ends: at `>` outside of quotes, or before the next `<` when it is never closed. A quote that is never
/// closed does not swallow the document: it is none.
fn tag_end(inside: &str) -> usize {
    let bytes = inside.as_bytes();
    if bytes.first() == Some(&b'>') {
        return 0;
    }
    if let Some(first) = memchr3(b'<', b'>', b'\'', bytes)
        && bytes[first] == b'>'
        && memchr_iter(b'"', &bytes[..first]).count().is_multiple_of(2)
    {
        // Nearly always there is nothing to think about.
        return first;
    }
    let mut quote = None;
    let mut end_in_quote = None;
    for (at, byte) in inside.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at,
            (_, b'<') => return end_in_quote.filter(|_| quote.is_some()).unwrap_or(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => {
                quote = None;
                end_in_quote = None;
            }
            (Some(_), b'>') if end_in_quote.is_none() => end_in_quote = Some(at),
            _ => {}
        }
    }
    end_in_quote.unwrap_or(inside.len())
}

/// The value of an attribute, its references still in it.
pub fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    while let Some(equals) = memchr(b'=', rest.as_bytes()) {
        let key = rest[..equals].trim_end();
        let before = key.strip_suffix(name);
        let value = rest[equals + 1..].trim_start();
        let (found, after) = match value.as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => {
                let inside = &value[1..];
                match memchr(*quote, inside.as_bytes()) {
                    Some(end) => (&inside[..end], &inside[end + 1..]),
                    None => (inside, ""),
                }
            }
            _ => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        if before.is_some_and(|before| before.is_empty() || before.ends_with(char::is_whitespace)) {
            return Some(found);
        }
        rest = after;
    }
    None
}
