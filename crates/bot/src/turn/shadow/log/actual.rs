//! What was really done, as far as turns are concerned.

use proto::v1;
use proto::v1::ShadowActual as Actual;
use proto::v1::actor::Kind;

/// What a decision is to the turns that wait for one; `None` for what no customer sees and nobody has to do with.
pub(super) fn actual(kind: Kind, decided: &v1::Decided) -> Option<Actual> {
    use v1::decided_entry::Entry;
    use v1::stamp::Kind as Stamp;
    let entries = || decided.entries.iter().filter_map(|entry| entry.entry.as_ref());
    let stamps = || {
        entries().filter_map(|entry| match entry {
            Entry::Stamp(stamp) => stamp.kind.as_ref(),
            _ => None,
        })
    };
    let says = entries().any(|entry| matches!(entry, Entry::Message(_)));
    let acts = stamps().next().is_some() || decided.bot_change != 0;
    match kind {
        Kind::Bot if stamps().any(|stamp| matches!(stamp, Stamp::Opened(_))) => Some(Actual::BotHandedOff),
        Kind::Bot if stamps().any(|stamp| matches!(stamp, Stamp::Closed(_))) => Some(Actual::BotClosed),
        Kind::Bot => says.then_some(Actual::BotReplied),
        Kind::Agent if says => Some(Actual::HumanAnswered),
        Kind::Agent => acts.then_some(Actual::HumanActed),
        _ => (says || acts).then_some(Actual::RuleActed),
    }
}
