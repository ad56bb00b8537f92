//! Given chance, gives words, sentences and pages in storage format that look like a company wrote them.

use std::fmt::Write;

use crate::chance::Chance;

#[rustfmt::skip]
const WORDS: [&str; 168] = [
    "access", "account", "adapter", "agreement", "alert", "analysis", "approval", "archive", "assignment",
    "audit", "backlog", "backup", "balance", "batch", "benchmark", "billing", "board", "boundary", "branch",
    "bridge", "budget", "buffer", "cache", "calendar", "campaign", "capacity", "carrier", "certificate",
    "channel", "checklist", "client", "cluster", "commit", "compliance", "component", "configuration",
    "connector", "consumer", "container", "contract", "conversion", "coverage", "customer", "dashboard",
    "database", "deadline", "decision", "delivery", "dependency", "deployment", "design", "device", "directory",
    "discount", "dispatch", "document", "domain", "draft", "driver", "endpoint", "engine", "escalation",
    "estimate", "evidence", "exception", "export", "factory", "failure", "feature", "firewall", "forecast",
    "framework", "freight", "gateway", "guideline", "handover", "harbour", "hardware", "hiring", "identity",
    "import", "incident", "index", "insurance", "integration", "interface", "inventory", "invoice", "issue",
    "journal", "kernel", "keyboard", "latency", "ledger", "licence", "lifecycle", "limit", "logistics",
    "machine", "maintenance", "manifest", "margin", "market", "memory", "message", "metric", "migration",
    "milestone", "mirror", "monitor", "network", "notice", "observer", "offer", "onboarding", "operator",
    "outage", "package", "partner", "password", "payment", "payroll", "pipeline", "planning", "platform",
    "policy", "portal", "postmortem", "process", "procurement", "protocol", "quality", "quarter", "queue",
    "quota", "receipt", "recovery", "region", "registry", "release", "report", "request", "resilience",
    "retention", "review", "rollback", "rollout", "routing", "runbook", "sandbox", "schedule", "schema",
    "security", "sensor", "session", "shipment", "signature", "snapshot", "staging", "storage", "strategy",
    "supplier", "survey", "telemetry", "template", "tenant", "threshold", "ticket",
];
#[rustfmt::skip]
const SMALL: [&str; 24] = [
    "the", "a", "every", "our", "this", "each", "for", "with", "without", "after", "before", "during", "into",
    "from", "and", "or", "must", "should", "can", "will", "has", "needs", "keeps", "follows",
];
#[rustfmt::skip]
const SYLLABLES: [&str; 32] = [
    "ba", "cor", "del", "fen", "gar", "hol", "jin", "kal", "lor", "mun", "nor", "pel", "quin", "ras", "sol",
    "tar", "ul", "ven", "wex", "yar", "zel", "bri", "cla", "dro", "fli", "gra", "pla", "ske", "sto", "tri",
    "vla", "zor",
];

pub fn page_body(chance: &mut Chance) -> String {
    let wanted = 1_000 + chance.below(4_500) as usize;
    let mut out = String::with_capacity(wanted + 600);
    while out.len() < wanted {
        let level = 1 + chance.below(3);
        // Writing into a string cannot fail.
        let _ = write!(
            out,
            "<h{level}>{} {}</h{level}>",
            capitalised(&word(chance)),
            word(chance)
        );
        for _ in 0..1 + chance.below(3) {
            out.push_str("<p>");
            for _ in 0..1 + chance.below(4) {
                push_sentence(&mut out, chance);
                out.push(' ');
            }
            out.push_str("</p>");
        }
        match chance.below(6) {
            0 => push_table(&mut out, chance),
            1 => push_code(&mut out, chance),
            2 => push_list(&mut out, chance),
            _ => {}
        }
    }
    out
}

fn push_table(out: &mut String, chance: &mut Chance) {
    out.push_str("<table data-layout=\"default\"><tbody><tr><th><p>Name</p></th><th><p>Owner</p></th></tr>");
    for _ in 0..2 + chance.below(4) {
        let _ = write!(
            out,
            "<tr><td><p>{}</p></td><td><p>{} {}</p></td></tr>",
            word(chance),
            word(chance),
            word(chance)
        );
    }
    out.push_str("</tbody></table>");
}

fn push_code(out: &mut String, chance: &mut Chance) {
    out.push_str(
        "<ac:structured-macro ac:name=\"code\" ac:schema-version=\"1\"><ac:parameter ac:name=\"language\">bash</ac:parameter><ac:plain-text-body><![CDATA[",
    );
    for _ in 0..2 + chance.below(3) {
        let _ = writeln!(
            out,
            "{} --{}={} | {}",
            word(chance),
            word(chance),
            chance.below(900),
            word(chance)
        );
    }
    out.push_str("]]></ac:plain-text-body></ac:structured-macro>");
}

fn push_list(out: &mut String, chance: &mut Chance) {
    out.push_str("<ul>");
    for _ in 0..2 + chance.below(4) {
        out.push_str("<li><p>");
        push_sentence(out, chance);
        out.push_str("</p></li>");
    }
    out.push_str("</ul>");
}

/// Mostly from the list, the early words more often; one in nine is rare.
pub fn word(chance: &mut Chance) -> String {
    let mut out = String::new();
    push_word(&mut out, chance);
    out
}

fn push_word(out: &mut String, chance: &mut Chance) {
    push_drawn(out, chance.draw());
}

/// The word that belongs to a number.
fn push_drawn(out: &mut String, drawn: u64) {
    if picked(drawn, 0, 9) == 0 {
        for shift in [16, 32, 48] {
            out.push_str(SYLLABLES[picked(drawn, shift, SYLLABLES.len())]);
        }
        return;
    }
    let (one, two) = (picked(drawn, 16, WORDS.len()), picked(drawn, 32, WORDS.len()));
    out.push_str(WORDS[one.min(two)]);
}

/// Below `bound`, by sixteen of the number's bits.
fn picked(drawn: u64, shift: u32, bound: usize) -> usize {
    (((drawn >> shift) & 0xffff) as usize * bound) >> 16
}

pub fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

pub fn sentence(chance: &mut Chance) -> String {
    let mut out = String::new();
    push_sentence(&mut out, chance);
    out
}

fn push_sentence(out: &mut String, chance: &mut Chance) {
    let begins = out.len();
    for number in 0..6 + chance.below(10) {
        if number > 0 {
            out.push(' ');
        }
        let drawn = chance.draw();
        match drawn >> 63 {
            0 => out.push_str(SMALL[picked(drawn, 32, SMALL.len())]),
            _ => push_drawn(out, drawn),
        }
    }
    out.push('.');
    if let Some(first) = out.get_mut(begins..begins + 1) {
        first.make_ascii_uppercase();
    }
}
