//! Given answers and judgements, gives nDCG@10, reciprocal rank@10 and recall@100 of each query, and their means with
//! confidence intervals.

use super::{Corpus, Judged};

/// How deep nDCG and reciprocal rank look.
const TOP: usize = 10;
/// How often the queries are drawn anew for the interval.
const RESAMPLES: usize = 2_000;
/// What is cut off on each side: 95 % stay.
const TAIL: f64 = 0.025;

/// How one query was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    pub id: String,
    pub text: String,
    pub ndcg: f64,
    pub reciprocal_rank: f64,
    pub recall: f64,
}

/// A mean over the queries, and within what it lies when other queries of the same kind had been judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

/// How all queries were answered.
#[derive(Clone, Debug)]
pub struct Measured {
    pub ndcg: Mean,
    pub reciprocal_rank: Mean,
    pub recall: Mean,
    pub queries: Vec<Scores>,
}

impl Measured {
    /// The queries that were answered worst.
    pub fn worst(&self, count: usize) -> impl Iterator<Item = &Scores> {
        let mut queries: Vec<&Scores> = self.queries.iter().collect();
        queries.sort_by(|a, b| a.ndcg.total_cmp(&b.ndcg).then(a.recall.total_cmp(&b.recall)));
        queries.into_iter().take(count)
    }
}

/// Measures answers, one list of document ids for each query of the corpus.
pub fn measured(corpus: &Corpus, answers: &[Vec<String>]) -> Measured {
    let queries: Vec<Scores> = corpus
        .queries
        .iter()
        .zip(answers)
        .map(|(judged, found)| scores(judged, found))
        .collect();
    Measured {
        ndcg: mean(&queries, |scores| scores.ndcg),
        reciprocal_rank: mean(&queries, |scores| scores.reciprocal_rank),
        recall: mean(&queries, |scores| scores.recall),
        queries,
    }
}

fn scores(judged: &Judged, found: &[String]) -> Scores {
    let grade = |id: &String| judged.grades.get(id).copied().unwrap_or(0.0);
    let gained = found.iter().take(TOP).map(grade);
    let mut ideal: Vec<f64> = judged.grades.values().copied().collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    let first = found.iter().take(TOP).position(|id| grade(id) > 0.0);
    let relevant = found.iter().filter(|id| grade(id) > 0.0).count();
    Scores {
        id: judged.id.clone(),
        text: judged.text.clone(),
        ndcg: discounted(gained) / discounted(ideal.into_iter().take(TOP)),
        reciprocal_rank: first.map_or(0.0, |at| 1.0 / (at + 1) as f64),
        recall: relevant as f64 / judged.grades.len() as f64,
    }
}

/// The grade itself is what is gained, as in trec_eval.
fn discounted(grades: impl Iterator<Item = f64>) -> f64 {
    (2..)
        .zip(grades)
        .fold(0.0, |sum, (rank, grade)| sum + grade / f64::from(rank).log2())
}

/// Percentiles of the means of queries drawn anew, always the same ones.
fn mean(queries: &[Scores], value: impl Fn(&Scores) -> f64) -> Mean {
    let values: Vec<f64> = queries.iter().map(value).collect();
    let count = values.len().max(1);
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut drawn = || {
        // xorshift: enough to draw queries.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % count
    };
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let sum: f64 = (0..values.len()).map(|_| values[drawn()]).sum();
            sum / count as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let cut = (RESAMPLES as f64 * TAIL) as usize;
    Mean {
        mean: values.iter().sum::<f64>() / count as f64,
        low: means[cut],
        high: means[RESAMPLES - 1 - cut],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(grades: &[(&str, f64)]) -> Judged {
        Judged {
            id: "q".into(),
            text: "x".into(),
            grades: grades.iter().map(|(id, grade)| ((*id).to_owned(), *grade)).collect(),
        }
    }

    fn found(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_perfect_answer_has_one_everywhere_and_an_empty_one_nothing() {
        let judged = judged(&[("a", 3.0), ("b", 1.0)]);
        let best = scores(&judged, &found(&["a", "b", "x"]));
        assert_eq!((best.ndcg, best.reciprocal_rank, best.recall), (1.0, 1.0, 1.0));
        let none = scores(&judged, &[]);
        assert_eq!((none.ndcg, none.reciprocal_rank, none.recall), (0.0, 0.0, 0.0));
    }

    #[test]
    fn later_places_gain_less() {
        let scores = scores(&judged(&[("a", 1.0), ("b", 1.0)]), &found(&["x", "a"]));
        // 1/log2(3) of 1/log2(2) + 1/log2(3).
        assert!((scores.ndcg - 0.386_852_807).abs() < 1e-6, "{}", scores.ndcg);
        assert_eq!((scores.reciprocal_rank, scores.recall), (0.5, 0.5));
    }

    #[test]
    fn the_interval_holds_the_mean_and_is_the_same_each_time() {
        let corpus = Corpus {
            documents: Vec::new(),
            queries: (0..20).map(|_| judged(&[("a", 1.0)])).collect(),
        };
        let answers: Vec<_> = (0..20)
            .map(|at| found(if at % 2 == 0 { &["a"] } else { &["x", "a"] }))
            .collect();
        let (one, again) = (measured(&corpus, &answers), measured(&corpus, &answers));
        assert_eq!(one.ndcg, again.ndcg);
        assert!(one.ndcg.low < one.ndcg.mean && one.ndcg.mean < one.ndcg.high);
        assert_eq!(one.worst(3).count(), 3);
        assert_eq!(one.worst(1).next().unwrap().reciprocal_rank, 0.5);
    }
}
