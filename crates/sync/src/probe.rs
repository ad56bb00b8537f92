//! A probe: which of the held documents Atlassian no longer tells of, many for the price of one call. It suspects; a look at
//! each, or a walk, proves.

use std::collections::BTreeMap;

use domain::{
    ContentId, Result,
    document::DocumentKind,
    feed::Feed,
    source::{PROBE_IDS_MAX, Reach},
    space::{FeedSpace, Space},
    store::{HeldFacts, Verdict},
    sync_run::{Spent, SyncRun},
};

use crate::{alive, plan::is_much, pull::Pulled, run::Ports, visible::visible_spaces};

/// The most suspects that are looked at; with more, a walk is the better proof.
const LOOKS_MAX: usize = 200;

/// How a probe ended.
pub enum Probed {
    Ended(Pulled),
    /// So much is missing that a walk must say what is true.
    NeedsWalk,
}

/// Probes everything that is held of these spaces.
pub async fn probe(ports: &Ports, feed: &Feed, reach: &Reach, run: &SyncRun, spaces: &[FeedSpace]) -> Result<Probed> {
    let chosen: Vec<Space> = spaces.iter().map(|space| space.space.clone()).collect();
    let (mut after, mut suspects, mut held) = (None, Vec::new(), 0_u64);
    loop {
        if (ports.stopping)() {
            return Ok(Probed::Ended(Pulled::Stopped));
        }
        let facts = ports
            .store
            .held_after(feed.id, None, after.as_ref(), PROBE_IDS_MAX)
            .await?;
        let Some(last) = facts.last() else { break };
        after = Some(last.id.clone());
        held += facts.len() as u64;
        let ids: Vec<ContentId> = facts.iter().map(|facts| facts.id.clone()).collect();
        let (missing, spent) = ports.source.probe(reach, &ids).await?;
        ports.store.add_spent(run.id, spent, ports.clock.now()).await?;
        suspects.extend(facts.into_iter().filter(|facts| missing.contains(&facts.id)));
    }
    if suspects.is_empty() {
        return Ok(Probed::Ended(Pulled::ToTheEnd));
    }
    if suspects.len() > LOOKS_MAX || is_much(suspects.len() as u64, held) {
        let note = format!(
            "{} documents seem to be gone: a walk of the spaces follows at once.",
            suspects.len()
        );
        ports.store.note(run.id, &note).await?;
        return Ok(Probed::NeedsWalk);
    }
    alive::proven(ports, reach).await?;
    let mut gone = Vec::new();
    for (kind, ids) in by_kind(&suspects) {
        let looked = ports.source.look(reach, &chosen, kind, &ids).await?;
        ports.store.add_spent(run.id, looked.spent, ports.clock.now()).await?;
        gone.extend(looked.absent.into_iter().chain(looked.put_away));
    }
    alive::proven(ports, reach).await?;
    let still = visible_spaces(ports, feed, reach, run, spaces).await?.spaces;
    if still.len() == spaces.len() && !gone.is_empty() {
        let verdict = Verdict {
            run: run.id,
            gone,
            suspended: Vec::new(),
            doubted: Vec::new(),
            settled: Vec::new(),
            walked: Vec::new(),
            now: ports.clock.now(),
        };
        ports.store.apply(feed.id, &verdict).await?;
        (ports.recorded)(feed);
    }
    Ok(Probed::Ended(Pulled::ToTheEnd))
}

fn by_kind(suspects: &[HeldFacts]) -> BTreeMap<DocumentKind, Vec<ContentId>> {
    let mut by_kind: BTreeMap<DocumentKind, Vec<ContentId>> = BTreeMap::new();
    for facts in suspects {
        by_kind.entry(facts.kind).or_default().push(facts.id.clone());
    }
    by_kind
}

/// What a probe of so many documents costs.
pub fn price(documents: u64) -> Spent {
    let calls = documents.div_ceil(PROBE_IDS_MAX as u64);
    Spent { calls, points: calls }
}
