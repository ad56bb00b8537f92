//! Given a CQL query, gives its clauses and its order, or why it cannot be read.

/// A condition on content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clause {
    All(Vec<Clause>),
    Any(Vec<Clause>),
    Not(Box<Clause>),
    Test {
        field: String,
        operator: Operator,
        values: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Is,
    IsNot,
    Contains,
    ContainsNot,
    Above,
    AtLeast,
    Below,
    AtMost,
    In,
    NotIn,
}

/// A query that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cql {
    pub clause: Clause,
    /// Field and whether descending.
    pub order: Option<(String, bool)>,
}

/// The longest query that is read: room for a few thousand ids.
const LENGTH_MAX: usize = 100_000;
/// The deepest nesting of parentheses and negations.
const DEPTH_MAX: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(&'static str),
}

pub fn parsed(text: &str) -> Result<Cql, String> {
    if text.len() > LENGTH_MAX {
        return Err(format!("the query is longer than {LENGTH_MAX} bytes"));
    }
    let mut reading = Reading {
        tokens: tokens(text)?,
        at: 0,
    };
    if reading.tokens.is_empty() {
        return Err("the query is empty".into());
    }
    let clause = match reading.peeked_word("order") {
        true => Clause::All(Vec::new()),
        false => reading.any(0)?,
    };
    let order = reading.order()?;
    match reading.next() {
        None => Ok(Cql { clause, order }),
        Some(token) => Err(format!("unexpected {}", shown(&token))),
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) | Token::Quoted(word) => format!("'{word}'"),
        Token::Sign(sign) => format!("'{sign}'"),
    }
}

const SIGNS: [&str; 11] = ["!=", "!~", ">=", "<=", "=", "~", ">", "<", "(", ")", ","];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let (word, after) = quoted(&rest[1..], first)?;
            found.push(Token::Quoted(word));
            rest = after;
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            found.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let ends = |letter: char| letter.is_whitespace() || "!=~><(),\"'".contains(letter);
            // A personal space's key begins with a tilde, but such a key must be quoted.
            let end = rest.find(ends).unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("unexpected '{first}'"));
            }
            found.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(found)
}

fn quoted(text: &str, mark: char) -> Result<(String, &str), String> {
    let mut word = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next().map(|(_, letter)| letter)),
            letter if letter == mark => return Ok((word, &text[at + mark.len_utf8()..])),
            letter => word.push(letter),
        }
    }
    Err("a quotation mark is not closed".into())
}

struct Reading {
    tokens: Vec<Token>,
    at: usize,
}

impl Reading {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn peeked_word(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn word(&mut self, word: &str) -> bool {
        let is = self.peeked_word(word);
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is);
        is
    }

    fn any(&mut self, depth: usize) -> Result<Clause, String> {
        let mut clauses = vec![self.all(depth)?];
        while self.word("or") {
            clauses.push(self.all(depth)?);
        }
        Ok(one_or(clauses, Clause::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Clause, String> {
        let mut clauses = vec![self.single(depth)?];
        while self.word("and") {
            clauses.push(self.single(depth)?);
        }
        Ok(one_or(clauses, Clause::All))
    }

    fn single(&mut self, depth: usize) -> Result<Clause, String> {
        if depth > DEPTH_MAX {
            return Err("the query is nested too deeply".into());
        }
        if self.word("not") {
            return Ok(Clause::Not(Box::new(self.single(depth + 1)?)));
        }
        if self.sign("(") {
            let clause = self.any(depth + 1)?;
            return match self.sign(")") {
                true => Ok(clause),
                false => Err("a parenthesis is not closed".into()),
            };
        }
        self.test()
    }

    fn test(&mut self) -> Result<Clause, String> {
        let field = match self.next() {
            Some(Token::Word(field)) => field.to_lowercase(),
            Some(token) => return Err(format!("expected a field, found {}", shown(&token))),
            None => return Err("expected a field, found the end".into()),
        };
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.list()?,
            _ => vec![self.value()?],
        };
        Ok(Clause::Test {
            field,
            operator,
            values,
        })
    }

    fn operator(&mut self) -> Result<Operator, String> {
        if self.word("in") {
            return Ok(Operator::In);
        }
        if self.word("not") {
            return match self.word("in") {
                true => Ok(Operator::NotIn),
                false => Err("expected 'in' after 'not'".into()),
            };
        }
        match self.next() {
            Some(Token::Sign("=")) => Ok(Operator::Is),
            Some(Token::Sign("!=")) => Ok(Operator::IsNot),
            Some(Token::Sign("~")) => Ok(Operator::Contains),
            Some(Token::Sign("!~")) => Ok(Operator::ContainsNot),
            Some(Token::Sign(">")) => Ok(Operator::Above),
            Some(Token::Sign(">=")) => Ok(Operator::AtLeast),
            Some(Token::Sign("<")) => Ok(Operator::Below),
            Some(Token::Sign("<=")) => Ok(Operator::AtMost),
            Some(token) => Err(format!("expected an operator, found {}", shown(&token))),
            None => Err("expected an operator, found the end".into()),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        if !self.sign("(") {
            return Err("expected '(' after 'in'".into());
        }
        let mut values = vec![self.value()?];
        while self.sign(",") {
            values.push(self.value()?);
        }
        match self.sign(")") {
            true => Ok(values),
            false => Err("a list is not closed".into()),
        }
    }

    /// A function comes back with its parentheses, as in `now(-1d)`.
    fn value(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Quoted(value)) => Ok(value),
            Some(Token::Word(name)) if self.sign("(") => {
                let argument = match self.sign(")") {
                    true => return Ok(format!("{}()", name.to_lowercase())),
                    false => self.value()?,
                };
                match self.sign(")") {
                    true => Ok(format!("{}({argument})", name.to_lowercase())),
                    false => Err("a function's parenthesis is not closed".into()),
                }
            }
            Some(Token::Word(value)) => Ok(value),
            Some(token) => Err(format!("expected a value, found {}", shown(&token))),
            None => Err("expected a value, found the end".into()),
        }
    }

    fn order(&mut self) -> Result<Option<(String, bool)>, String> {
        if !self.word("order") {
            return Ok(None);
        }
        if !self.word("by") {
            return Err("expected 'by' after 'order'".into());
        }
        let mut first = None;
        loop {
            let Some(Token::Word(field)) = self.next() else {
                return Err("expected a field to order by".into());
            };
            let descending = self.word("desc");
            if !descending {
                self.word("asc");
            }
            // What follows the first only breaks ties, which ids break as well.
            first.get_or_insert((field.to_lowercase(), descending));
            if !self.sign(",") {
                return Ok(first);
            }
        }
    }
}

fn one_or(mut clauses: Vec<Clause>, many: fn(Vec<Clause>) -> Clause) -> Clause {
    match clauses.len() {
        1 => clauses.remove(0),
        _ => many(clauses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queries_that_clients_send_are_read() {
        for query in [
            r#"space="ENG" and type=comment"#,
            r#"type in (page, blogpost) AND space in ("A","B") and lastmodified >= "2026-01-02 03:04" order by lastmodified desc"#,
            r#"not (title ~ "release*" or text ~ 'it''s')"#,
            r#"creator = currentUser() and created > now("-1d") and space not in (X)"#,
            "order by created",
        ] {
            let read = parsed(query);
            match query.contains("''") {
                true => assert!(read.is_err(), "{query}"),
                false => assert!(read.is_ok(), "{query}: {read:?}"),
            }
        }
    }

    #[test]
    fn what_is_not_cql_is_refused_with_the_reason() {
        for (query, reason) in [
            ("", "empty"),
            ("space", "operator"),
            ("space = ", "value"),
            ("space in (A", "not closed"),
            (r#"title = "x"#, "quotation"),
            ("(type = page", "parenthesis"),
            ("type = page page", "unexpected"),
        ] {
            let error = parsed(query).expect_err(query);
            assert!(error.contains(reason), "{query}: {error}");
        }
        let deep = format!("{}type=page", "not ".repeat(10_000));
        assert!(parsed(&deep).expect_err("too deep").contains("deeply"));
    }
}
