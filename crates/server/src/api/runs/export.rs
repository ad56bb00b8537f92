//! A run's export as a body that is written while it is read: a page of rows at a time, as fast as the client takes it.

use app::sync_runs::{Export, ExportPage};
use axum::body::Body;
use domain::{
    Error, Result,
    document::DocumentKind,
    store::EffectRow,
    sync_run::{Difference, Failure},
};
use futures::stream;
use serde::Serialize;

use super::{DifferenceJson, EffectJson, FailureJson, RunJson};

/// The lines of RFC 4180: changes first, then failures, then differences.
pub fn csv(export: Export) -> Body {
    body(export, Form::Csv)
}

/// An [`ExportJson`](super::ExportJson).
pub fn json(export: Export) -> Body {
    body(export, Form::Json(Lists::default()))
}

/// What fails midway ends the connection, so that nobody takes a part for the whole.
fn body(export: Export, form: Form) -> Body {
    let writing = Writing {
        export,
        form,
        at: At::Beginning,
    };
    Body::from_stream(stream::try_unfold(writing, Writing::next))
}

struct Writing {
    export: Export,
    form: Form,
    at: At,
}

enum At {
    Beginning,
    Rows,
    End,
}

enum Form {
    Csv,
    Json(Lists),
}

impl Writing {
    async fn page(&mut self) -> Result<Option<ExportPage>> {
        let page = self.export.page().await;
        // Its answer has begun: nobody can be told any more than that it broke off.
        page.inspect_err(|failed| tracing::error!(run.id = %self.export.run.id, error = ?failed, "An export broke off"))
    }

    async fn next(mut self) -> Result<Option<(String, Self)>> {
        let text = match self.at {
            At::Beginning => {
                self.at = At::Rows;
                match &self.form {
                    Form::Csv => line(["what", "document_id", "kind", "title", "url", "why", "at"]),
                    Form::Json(_) => format!("{{\"run\":{}", text(&RunJson::from(self.export.run.clone()))?),
                }
            }
            At::Rows => match (self.page().await?, &mut self.form) {
                (Some(page), Form::Csv) => lines(&page),
                (Some(page), Form::Json(lists)) => lists.page(page)?,
                (None, form) => {
                    self.at = At::End;
                    match form {
                        Form::Csv => return Ok(None),
                        Form::Json(lists) => lists.end(),
                    }
                }
            },
            At::End => return Ok(None),
        };
        Ok(Some((text, self)))
    }
}

/// The lists of an [`ExportJson`](super::ExportJson), in its order.
const LISTS: [&str; 3] = ["effects", "failures", "differences"];

/// How many of the lists were begun, and whether the last of them has rows.
#[derive(Default)]
struct Lists {
    begun: usize,
    filled: bool,
}

impl Lists {
    fn page(&mut self, page: ExportPage) -> Result<String> {
        match page {
            ExportPage::Effects(rows) => self.rows(1, rows.into_iter().map(EffectJson::from)),
            ExportPage::Failures(rows) => self.rows(2, rows.into_iter().map(FailureJson::from)),
            ExportPage::Differences(rows) => self.rows(3, rows.into_iter().map(DifferenceJson::from)),
        }
    }

    /// Rows of the list with this number, counted from one.
    fn rows(&mut self, list: usize, rows: impl Iterator<Item = impl Serialize>) -> Result<String> {
        let mut written = self.begin(list);
        for row in rows {
            if self.filled {
                written.push(',');
            }
            written += &text(&row)?;
            self.filled = true;
        }
        Ok(written)
    }

    /// Begins the lists up to this one; those before it are empty or ended.
    fn begin(&mut self, list: usize) -> String {
        let mut written = String::new();
        for name in &LISTS[self.begun.min(list)..list] {
            if self.begun > 0 {
                written.push(']');
            }
            written += &format!(",\"{name}\":[");
            self.begun += 1;
            self.filled = false;
        }
        written
    }

    fn end(&mut self) -> String {
        self.begin(LISTS.len()) + "],\"complete\":true}"
    }
}

fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|failed| Error::internal("a row could not be written").because(failed))
}

fn lines(page: &ExportPage) -> String {
    match page {
        ExportPage::Effects(rows) => rows.iter().map(effect).collect(),
        ExportPage::Failures(rows) => rows.iter().map(failure).collect(),
        ExportPage::Differences(rows) => rows.iter().map(difference).collect(),
    }
}

fn effect(row: &EffectRow) -> String {
    let id = row.id.to_string();
    line([row.effect.word(), &id, row.kind.word(), &row.title, &row.url, "", ""])
}

fn failure(failure: &Failure) -> String {
    let id = failure.document.as_ref().map(ToString::to_string).unwrap_or_default();
    line([
        "failed",
        &id,
        failure.kind.map(DocumentKind::word).unwrap_or_default(),
        &failure.title,
        "",
        &failure.why,
        &failure.at.to_string(),
    ])
}

fn difference(difference: &Difference) -> String {
    line([
        difference.differs.word(),
        difference.id.as_str(),
        difference.kind.word(),
        &difference.title,
        &difference.url,
        &sides(difference),
        "",
    ])
}

fn sides(difference: &Difference) -> String {
    let said = |side: &str| {
        if side.is_empty() {
            "nothing".to_owned()
        } else {
            side.to_owned()
        }
    };
    let other = match difference.differs.is_of_search() {
        true => "in search",
        false => "on the site",
    };
    format!("held: {}; {other}: {}", said(&difference.held), said(&difference.other))
}

fn line(cells: [&str; 7]) -> String {
    cells.map(cell).join(",") + "\r\n"
}

/// Quoted, and never a formula: titles are written by strangers and opened in spreadsheets.
fn cell(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r', '\n']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_title_is_never_a_formula_in_a_spreadsheet_nor_ends_its_cell() {
        assert_eq!(cell("Pump, \"old\""), "\"Pump, \"\"old\"\"\"");
        for formula in ["=1+1", " @sum(a1)", "+1", "-1", "\t=1", "\r=1"] {
            assert_eq!(cell(formula), format!("\"'{formula}\""));
        }
    }
}
