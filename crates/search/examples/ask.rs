use domain::{IndexId, access::Access, engine::SearchEngine, query::Query};
use std::time::Instant;
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let a: Vec<String> = std::env::args().collect();
    let engine = search::EmbeddedEngine::open(a[1].clone().into()).unwrap();
    let questions: Vec<String> = std::fs::read_to_string(&a[2])
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let rounds: usize = a[3].parse().unwrap();
    let access = Access {
        index: IndexId(1),
        hidden: Default::default(),
        hidden_documents: Default::default(),
    };
    let mut least: Vec<(usize, f64)> = Vec::new();
    for round in 0..=rounds {
        let mut times: Vec<(usize, f64)> = Vec::new();
        let mut sum: u64 = 0;
        for q in &questions {
            let begun = Instant::now();
            let hits = engine
                .search(
                    &access,
                    &Query {
                        text: q.clone(),
                        limit: 20,
                        ..Query::default()
                    },
                )
                .await
                .unwrap();
            times.push((q.split(' ').count(), begun.elapsed().as_secs_f64() * 1e3));
            for h in &hits.hits {
                for b in h.passage.document.to_string().bytes() {
                    sum = sum.wrapping_mul(31).wrapping_add(b as u64);
                }
                sum = sum.wrapping_add(u64::from(h.score.to_bits()));
            }
            sum = sum.wrapping_mul(31).wrapping_add(hits.total);
            if round == 0 && a.len() > 4 {
                let shown: Vec<String> = hits
                    .hits
                    .iter()
                    .map(|h| format!("{}:{:.3}", h.passage.document, h.score))
                    .collect();
                println!("{q} | {} {} | {}", hits.total, hits.uncounted, shown.join(" "));
            }
        }
        if round == 0 {
            println!("sum {sum:x}");
            continue;
        }
        let told = |name: String, mut t: Vec<f64>| {
            t.sort_by(f64::total_cmp);
            println!(
                "{name}: mean {:.2} p50 {:.2} p99 {:.2} max {:.2}",
                t.iter().sum::<f64>() / t.len() as f64,
                t[t.len() / 2],
                t[(t.len() - 1) * 99 / 100],
                t[t.len() - 1]
            );
        };
        told("all".into(), times.iter().map(|t| t.1).collect());
        for n in [1, 2, 3, 4, 6] {
            told(format!("{n}"), times.iter().filter(|t| t.0 == n).map(|t| t.1).collect());
        }
    }
}
