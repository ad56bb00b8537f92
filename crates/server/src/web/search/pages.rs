//! The way to the pages before and after.

use axum::response::{IntoResponse, Redirect, Response};
use domain::query::OFFSET_MAX;

use crate::web::fields::Fields;

pub struct Pages {
    pub number: usize,
    pub last: usize,
    pub previous: Option<String>,
    pub next: Option<String>,
}

impl Pages {
    /// `way` is the page's address without its query.
    pub fn new(way: &str, query: &Fields, number: usize, total: u64, shown: usize) -> Self {
        let whole = usize::try_from(total).unwrap_or(usize::MAX);
        let last = whole.div_ceil(shown).clamp(1, OFFSET_MAX / shown + 1);
        let to = |page: usize| format!("{way}?{}", query.with("page", &page.to_string()));
        Self {
            number,
            last,
            previous: (number > 1).then(|| to(number - 1)),
            next: (number < last).then(|| to(number + 1)),
        }
    }

    /// With no more than so many.
    pub fn at_most(mut self, most: usize) -> Self {
        self.last = self.last.min(most);
        self.next = self.next.filter(|_| self.number < self.last);
        self
    }

    /// The way to the last page, for a link that asks for one beyond it.
    pub fn past_the_end(&self, way: &str, query: &Fields) -> Option<Response> {
        let last = format!("{way}?{}", query.with("page", &self.last.to_string()));
        (self.number > self.last).then(|| Redirect::to(&last).into_response())
    }

    /// The page that the query asks for, from 1.
    pub fn asked(query: &Fields, shown: usize) -> usize {
        query.one("page").parse().unwrap_or(1).clamp(1, OFFSET_MAX / shown + 1)
    }
}
