//! Which rules apply to what happened. Pure: the same rules about the same contexts say the same, now and in a rehearsal.

use proto::v1;

use super::compiled::CompiledSet;
use super::happening::Happening;
use crate::condition::{Condition, Context, Verdict};

/// What the rules say about one event.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// Rules that apply, in their order in the set: the place of each, and the happening that it applies to.
    pub(crate) matched: Vec<(usize, usize)>,
    /// Rules that do not, and which part of each condition was false.
    pub(crate) not_matched: Vec<v1::NotMatchedRule>,
}

/// Judges each rule of the happenings' triggers about the first happening that fits it.
pub(crate) fn judge(set: &CompiledSet, happenings: &[Happening], contexts: &[Context]) -> Judged {
    let mut judged = Judged::default();
    let candidates = candidates(set, happenings);
    let mut rest = candidates.as_slice();
    while let Some((place, _)) = rest.first() {
        let same = rest.iter().take_while(|(other, _)| other == place).count();
        let (of_rule, others) = rest.split_at(same);
        rest = others;
        let Some(versioned) = set.at(*place) else { continue };
        let mut false_part = 0;
        let fits = of_rule.iter().find(|(_, nth)| match truth(versioned.rule.when.as_ref(), &contexts[*nth]) {
            Ok(()) => true,
            Err(part) => {
                false_part = part;
                false
            }
        });
        match fits {
            Some((place, nth)) => judged.matched.push((*place, *nth)),
            None => {
                let (rule, condition) = (number(*place), number(false_part));
                judged.not_matched.push(v1::NotMatchedRule { rule, condition });
            }
        }
    }
    judged
}

/// Whether a condition is true; if not, which of its parts was false.
pub(crate) fn truth(when: Option<&Condition>, context: &Context) -> Result<(), usize> {
    match when.map_or(Verdict::True, |condition| condition.evaluate(context)) {
        Verdict::True => Ok(()),
        Verdict::False { part } | Verdict::Failed { part, .. } => Err(part),
    }
}

/// Rules whose trigger fits a happening, by place.
fn candidates(set: &CompiledSet, happenings: &[Happening]) -> Vec<(usize, usize)> {
    let mut candidates = Vec::new();
    let mut triggers = 0;
    for (nth, happening) in happenings.iter().enumerate() {
        if let Some(bucket) = set.of(&happening.trigger) {
            triggers += 1;
            candidates.extend(bucket.places.iter().map(|place| (*place, nth)));
        }
    }
    // The rules of one trigger are in order.
    if triggers > 1 {
        candidates.sort_unstable();
    }
    candidates
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
