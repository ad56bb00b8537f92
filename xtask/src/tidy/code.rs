//! Given a Rust file, gives what does not belong in it: unfinished work, and reading what only one place may read.

use super::Finding;

/// What may stand only in some places: the words, who may, and what to do instead.
struct Rule {
    words: &'static [&'static str],
    /// Beginnings of paths.
    allowed: &'static [&'static str],
    advice: &'static str,
}

const RULES: [Rule; 3] = [
    Rule {
        words: &["todo!", "unimplemented!", "dbg!"],
        allowed: &[],
        advice: "finish it or take it out",
    },
    Rule {
        words: &["env::var", "env::vars", "env::var_os", "env::vars_os"],
        allowed: &["crates/circuit/src/config.rs", "xtask/"],
        advice: "only circuit::config reads the environment; make it a setting there",
    },
    Rule {
        words: &["SystemTime::now", "OffsetDateTime::now_utc", "UtcDateTime::now"],
        allowed: &["crates/app/src/clock.rs", "crates/fake-atlassian/", "xtask/"],
        advice: "only the clock knows today's date; ask `Clock`",
    },
];

pub fn findings(file: &str, text: &str) -> Vec<Finding> {
    if is_test(file) {
        return Vec::new();
    }
    let code = bare_code(text);
    let code = &code[..tests_begin(&code)];
    let mut findings = Vec::new();
    for (number, line) in code.lines().enumerate() {
        for rule in &RULES {
            if rule.allowed.iter().any(|allowed| file.starts_with(allowed)) {
                continue;
            }
            if let Some(word) = rule.words.iter().find(|word| stands_alone(line, word)) {
                let place = format!("{file}:{}", number + 1);
                findings.push(Finding::new(place, format!("`{word}`: {}", rule.advice)));
            }
        }
    }
    findings
}

fn is_test(file: &str) -> bool {
    file.contains("/tests/") || file.starts_with("benches/") || file.ends_with("/tests.rs")
}

/// Where the tests at a file's end begin; the file's length when it has none.
fn tests_begin(code: &str) -> usize {
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let attribute = from + found;
        let after = attribute + "#[cfg(test)]".len();
        let item = code[after..].trim_start();
        // `mod tests;` is a file of its own; only a module written out holds the rest of this one.
        let inline = item.starts_with("mod ") && item.find(['{', ';']).is_some_and(|at| item[at..].starts_with('{'));
        if inline {
            return attribute;
        }
        from = after;
    }
    code.len()
}

/// Whether the word is in the line and is not the end or the beginning of a longer one.
fn stands_alone(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let part_of_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !part_of_name(before) && (word.ends_with('!') || !part_of_name(after))
    })
}

/// The text with comments, strings and characters blanked out; lines stay where they are.
fn bare_code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_name = code
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '_');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = (!after_name).then(|| raw_string(rest)).flatten() {
            length
        } else if first == '"' {
            quoted(rest)
        } else if let Some(length) = (first == '\'').then(|| character(rest)).flatten() {
            length
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        // A blank keeps words apart that the comment or string kept apart.
        code.push(' ');
        code.extend(rest[..length].chars().filter(|c| *c == '\n'));
        rest = &rest[length..];
    }
    code
}

/// The length of a block comment, which may hold others.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a raw string such as `r#"…"#`, if one begins here.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| text.starts_with(prefix))?;
    let hashes = text[prefix.len()..].len() - text[prefix.len()..].trim_start_matches('#').len();
    let begin = prefix.len() + hashes;
    let inside = text[begin..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&end).map_or(inside.len(), |found| found + end.len());
    Some(begin + 1 + length)
}

/// The length of a string that begins with its quote.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character such as `'"'`, if it is not the beginning of a lifetime.
fn character(text: &str) -> Option<usize> {
    let inside = &text[1..];
    if let Some(escape) = inside.strip_prefix('\\') {
        let named = escape.chars().next()?.len_utf8();
        let end = escape[named..].find('\'')?;
        return Some("'\\".len() + named + end + "'".len());
    }
    let length = inside.chars().next()?.len_utf8();
    inside[length..].starts_with('\'').then_some(length + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<String> {
        findings("crates/app/src/x.rs", text)
            .into_iter()
            .map(|finding| finding.place)
            .collect()
    }

    #[test]
    fn unfinished_work_is_found_with_its_line() {
        assert_eq!(places("fn a() {\n    todo!()\n}\n"), ["crates/app/src/x.rs:2"]);
        assert_eq!(places("let x = dbg!(1);"), ["crates/app/src/x.rs:1"]);
    }

    #[test]
    fn comments_strings_and_characters_are_not_code() {
        let text = r###"
            // todo!()
            /* outer /* todo!() */ dbg!(1) */
            let a = "todo!() \" todo!()";
            let b = r#"env::var(" todo!() "#;
            let c = '"'; let d = '\''; let e = '\u{1F600}';
            fn f<'a>(x: &'a str) -> &'a str { x }
        "###;
        assert!(places(text).is_empty(), "{:?}", places(text));
        assert_eq!(places("let q = '\"'; todo!()").len(), 1);
    }

    #[test]
    fn the_environment_is_read_by_the_configuration_only() {
        let text = "let x = std::env::var(\"HOME\");";
        assert_eq!(findings("crates/store/src/a.rs", text).len(), 1);
        assert!(findings("crates/circuit/src/config.rs", text).is_empty());
        assert!(findings("crates/circuit/tests/it/a.rs", text).is_empty());
        assert!(places("let x = env!(\"CARGO_PKG_VERSION\");").is_empty());
    }

    #[test]
    fn tests_inside_a_file_may_do_as_they_like() {
        assert!(places("fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { todo!() }\n}\n").is_empty());
        assert_eq!(places("#[cfg(test)]\nmod tests;\nfn a() { todo!() }\n").len(), 1);
        assert_eq!(places("#[cfg(test)]\nuse x::Y;\nfn a() { todo!() }\n").len(), 1);
    }

    #[test]
    fn a_longer_name_is_another_name() {
        assert!(places("my_todo!(); env::variables();").is_empty());
    }
}
