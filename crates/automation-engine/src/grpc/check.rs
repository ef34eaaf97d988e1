//! Bounds on what clients send.

use conversation::{Actor, Time};
use proto::v1;
use service::status::{self, Mistakes};
use tonic::Status;

/// Longest id, in bytes.
const MAX_ID: usize = 256;

/// Who runs a rule; the rest of the request is fine as well.
pub(super) fn run_rule(request: &v1::RunRuleRequest) -> Result<Actor, Status> {
    let mut mistakes = Mistakes::default();
    required(&mut mistakes, "rule", &request.rule);
    required(&mut mistakes, "conversation_id", &request.conversation_id);
    id(&mut mistakes, "command_id", &request.command_id);
    let actor = request.actor.as_ref().and_then(proto::actor_from);
    if let Some(actor) = &actor {
        id(&mut mistakes, "actor.id", &actor.id);
        id(&mut mistakes, "actor.display_name", &actor.display_name);
    } else {
        mistakes.add("actor", "is missing, or of an unknown kind");
    }
    mistakes.done()?;
    actor.ok_or_else(|| status::invalid("actor", "is missing"))
}

/// An id that has to be there.
pub(super) fn required(mistakes: &mut Mistakes, field: &str, text: &str) {
    mistakes.unless(!text.is_empty(), field, "is required");
    id(mistakes, field, text);
}

/// An id that may be left out.
pub(super) fn id(mistakes: &mut Mistakes, field: &str, text: &str) {
    let fine = text.len() <= MAX_ID && !text.chars().any(char::is_control);
    mistakes.unless(fine, field, "has to be at most 256 bytes without control characters");
}

/// A time that may be left out.
pub(super) fn time(mistakes: &mut Mistakes, field: &str, time: Option<&prost_types::Timestamp>) -> Option<Time> {
    let time = time?;
    let known = proto::time(time);
    mistakes.unless(known.is_some(), field, "is no time");
    known
}

/// The size of a page.
pub(super) fn page_size(mistakes: &mut Mistakes, size: i32) -> usize {
    mistakes.unless((0..=1_000).contains(&size), "page_size", "has to be 0 to 1,000; 0 stands for 50");
    match usize::try_from(size) {
        Ok(0) | Err(_) => 50,
        Ok(size) => size.min(1_000),
    }
}
