//! Events that the bot may have to answer.

use bus::{Recorded, TraceParent};
use conversation::{ConversationId, Revision, Time, is_late};
use proto::v1;
use proto::v1::actor::Kind;
use proto::v1::decided::BotChange;
use proto::v1::event::Event as What;

/// A message of a customer, as the log tells of it.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) workspace: String,
    pub(super) conversation: ConversationId,
    /// The address of the business.
    pub(super) channel: String,
    /// The id of the event, which is the message's.
    pub(super) id: String,
    pub(super) revision: Revision,
    pub(super) correlation_id: String,
    pub(super) depth: u32,
    /// When it was recorded.
    pub(super) time: Time,
    pub(super) trace: TraceParent,
}

impl Heard {
    /// `None` for what nobody expects an answer to: anything but a message of the customer, and messages that came
    /// late (W7).
    pub(super) fn of(event: &v1::Event, recorded: &Recorded) -> Option<Heard> {
        if !is_live(event) {
            return None;
        }
        let correlation_id = if event.correlation_id.is_empty() { &event.id } else { &event.correlation_id };
        Some(Heard {
            workspace: event.workspace.clone(),
            conversation: ConversationId::parse(&event.conversation)?,
            channel: event.channel.clone(),
            id: event.id.clone(),
            revision: recorded.revision,
            correlation_id: correlation_id.clone(),
            depth: event.depth,
            time: time(event.record_time.as_ref()),
            trace: recorded.trace.clone().unwrap_or_else(TraceParent::start),
        })
    }
}

/// Whether an event is a message of the customer that was recorded soon after it was written.
pub(super) fn is_live(event: &v1::Event) -> bool {
    let (occur, record) = (time(event.occur_time.as_ref()), time(event.record_time.as_ref()));
    matches!(event.event, Some(What::MessageReceived(_))) && !is_late(occur, record, false)
}

/// Whether a human of the business did something, in whatever way: decided it, or did it on the phone of the business,
/// for which the bot is paused by nobody else (W12). What a history tells again counts for nothing.
pub(super) fn is_human_act(event: &v1::Event) -> bool {
    let by = event.actor.as_ref().map(v1::Actor::kind);
    match &event.event {
        Some(What::MessageBackfilled(_)) => false,
        Some(What::ReactionChanged(changed)) if changed.backfilled => false,
        Some(What::Decided(decided)) if by == Some(Kind::System) => decided.bot_change() == BotChange::Paused,
        _ => by == Some(Kind::Agent),
    }
}

fn time(time: Option<&prost_types::Timestamp>) -> Time {
    time.and_then(proto::time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn humans_act_by_deciding_anything_and_on_the_phone_of_the_business() {
        let by = |kind: Kind, what: What| {
            let actor = Some(v1::Actor { kind: kind.into(), ..v1::Actor::default() });
            is_human_act(&v1::Event { actor, event: Some(what), ..v1::Event::default() })
        };
        let tagged = || What::Decided(v1::Decided { tags_added: vec!["vip".to_owned()], ..v1::Decided::default() });
        let changed = |to: BotChange| What::Decided(v1::Decided { bot_change: to.into(), ..v1::Decided::default() });
        let reacted = |backfilled| What::ReactionChanged(v1::ReactionChanged { backfilled, ..Default::default() });
        assert!(by(Kind::Agent, tagged()));
        assert!(by(Kind::Agent, changed(BotChange::Resumed)));
        assert!(by(Kind::Agent, What::MessageEchoed(v1::MessageEchoed::default())));
        assert!(by(Kind::System, changed(BotChange::Paused)), "that stands for words from the phone");
        assert!(by(Kind::Agent, reacted(false)));
        assert!(!by(Kind::Agent, reacted(true)));
        assert!(!by(Kind::Agent, What::MessageBackfilled(v1::MessageBackfilled::default())));
        for kind in [Kind::Bot, Kind::Automation, Kind::Customer] {
            assert!(!by(kind, tagged()) && !by(kind, changed(BotChange::Paused)), "{kind:?}");
        }
    }
}
