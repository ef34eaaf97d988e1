//! When the words of the bot come too late. Pure.

use conversation::State;

/// Whether a decision after the one that left `then` gave the conversation to humans. What a handoff itself says passes:
/// that decision gave it away already.
pub(super) fn overtaken(then: &State, newest: &State) -> bool {
    let given_since = !newest.bot_holds() || newest.ticket_ordinal > then.ticket_ordinal;
    newest.revision > then.revision && then.bot_holds() && given_since
}

#[cfg(test)]
mod tests {
    use conversation::{Assignee, ConversationId};

    use super::*;

    #[test]
    fn what_the_bot_said_while_it_held_the_chat_is_void_once_humans_have_it() {
        let held = State { revision: 5, ..State::new(ConversationId::parse("c").unwrap()) };
        let assigned = State { revision: 6, assignee: Some(Assignee::Agent("ana".to_owned())), ..held.clone() };
        let back = State { revision: 9, ticket_ordinal: 1, ..held.clone() };
        let paused = State { revision: 7, bot_paused: true, ..held.clone() };
        let tagged = State { revision: 8, ..held.clone() };
        assert!(overtaken(&held, &assigned) && overtaken(&held, &back) && overtaken(&held, &paused));
        assert!(!overtaken(&held, &held) && !overtaken(&held, &tagged));
        // The words of a handoff.
        assert!(!overtaken(&assigned, &assigned) && !overtaken(&assigned, &back));
    }
}
