//! Addresses: how they are written and what a person reads in them.

/// As a part of a path or as a fragment: everything but letters, digits and a few signs in hexadecimal.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => push_hexadecimal(&mut encoded, byte),
        }
    }
    encoded
}

/// Parts of a path, each encoded.
pub fn path(day: &str) -> String {
    day.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

/// An address whose signs mean nothing to Markdown, HTML or a table.
pub fn clean(url: &str) -> String {
    let mut cleaned = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '(' | ')' | '<' | '>' | '[' | ']' | '\\' | '"' | '\'' | '`' | '|' | '*' | '{' | '}' | '^' => {
                push_hexadecimal(&mut cleaned, c as u8);
            }
            c if c.is_whitespace() || c.is_control() => {
                c.encode_utf8(&mut [0; 4])
                    .bytes()
                    .for_each(|byte| push_hexadecimal(&mut cleaned, byte));
            }
            c => cleaned.push(c),
        }
    }
    cleaned
}

fn push_hexadecimal(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// The text with what is written in hexadecimal as it was; what is no text stays as it is.
pub fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes
            .get(at + 1..at + 3)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                decoded.push(byte);
                at += 3;
            }
            _ => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

/// What Confluence shows of a link that is no more than an address: a page's title or an issue's key where the address
/// has it, and else the address.
pub fn readable(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let mut parts = path
        .split('/')
        .skip_while(|part| !matches!(*part, "pages" | "browse" | "display"));
    let kind = parts.next();
    let rest: Vec<&str> = parts.collect();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let words = match (kind, rest.as_slice()) {
        (Some("pages"), [id, title]) if is_number(id) => percent_decoded(&title.replace('+', " ")),
        (Some("display"), [_, title]) => percent_decoded(&title.replace('+', " ")),
        (Some("browse"), [key]) if key.contains('-') => percent_decoded(key),
        _ => String::new(),
    };
    match words.trim() {
        "" => url.to_owned(),
        words => words.to_owned(),
    }
}
