use crate::v1::event::Event;

/// What the `Threadmark-Event` header says of an event.
pub fn event_name(event: &Event) -> &'static str {
    match event {
        Event::MessageReceived(_) => "MessageReceived",
        Event::MessageEchoed(_) => "MessageEchoed",
        Event::MessageBackfilled(_) => "MessageBackfilled",
        Event::MessageStatusChanged(_) => "MessageStatusChanged",
        Event::ReactionChanged(_) => "ReactionChanged",
        Event::MessageEdited(_) => "MessageEdited",
        Event::MessageRevoked(_) => "MessageRevoked",
        Event::ContactChanged(_) => "ContactChanged",
        Event::MessagesRead(_) => "MessagesRead",
        Event::Decided(_) => "Decided",
        Event::ContactErased(_) => "ContactErased",
    }
}

/// The last token of the subject that an event stands on.
pub fn subject_kind(event: &Event) -> &'static str {
    match event {
        Event::MessageReceived(_) => "message",
        Event::Decided(_) => "decision",
        _ => "fact",
    }
}
