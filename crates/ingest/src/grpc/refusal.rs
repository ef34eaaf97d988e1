use bus::DecideError;
use conversation::{Refusal, ReplyWindow};
use service::status::{self, refused};
use tonic::{Code, Status};

/// What a client is told when nothing was decided.
pub(crate) fn of(error: DecideError) -> Status {
    match error {
        DecideError::Refused(refusal) => of_refusal(&refusal),
        DecideError::Bus(error) => status::bus(&error),
    }
}

/// What a client is told when the rules say no.
pub(crate) fn of_refusal(refusal: &Refusal) -> Status {
    let words = refusal.to_string();
    match refusal {
        Refusal::ActorMayNot => status::invalid("actor.kind", words),
        Refusal::TicketNotOpen { ticket } => {
            refused(Code::FailedPrecondition, "TICKET_NOT_OPEN", &format!("tickets/{ticket}"), words)
        }
        Refusal::NothingOpen => refused(Code::FailedPrecondition, "TICKET_NOT_OPEN", "tickets", words),
        Refusal::TicketOpen { primary } => {
            refused(Code::FailedPrecondition, "TICKET_OPEN", &format!("tickets/{primary}"), words)
        }
        Refusal::TooManyOpen => refused(Code::ResourceExhausted, "TOO_MANY_OPEN", "", words),
        Refusal::BotDoesNotHold => refused(Code::FailedPrecondition, "BOT_DOES_NOT_HOLD", "conversation", words),
        Refusal::TooManyTags => refused(Code::ResourceExhausted, "TOO_MANY_TAGS", "", words),
        Refusal::CommandReused => refused(Code::AlreadyExists, "COMMAND_REUSED", "", words),
        Refusal::MovedOn { .. } => refused(Code::Aborted, "MOVED_ON", "", words),
    }
}

/// What a client is told who may say only what the channel approved beforehand.
pub(crate) fn window_closed(window: ReplyWindow) -> Status {
    refused(Code::FailedPrecondition, "WINDOW_CLOSED", "conversation", bus::closed_words(window))
}
