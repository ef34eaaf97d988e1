//! Requests as clients make them, and what is told to who makes them wrong.

use proto::v1;
use proto::v1::send_message_request::Content;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::world::{ACME, World};

pub const CHANNEL: &str = "webchat:1";

pub fn actor(kind: v1::actor::Kind, id: &str) -> Option<v1::Actor> {
    Some(v1::Actor { kind: kind.into(), id: id.to_owned(), display_name: String::new() })
}

pub fn agent() -> Option<v1::Actor> {
    actor(v1::actor::Kind::Agent, "anna")
}

pub fn bot() -> Option<v1::Actor> {
    actor(v1::actor::Kind::Bot, "bot")
}

pub fn assignee(agent_id: &str, team_id: &str) -> Option<v1::Assignee> {
    Some(v1::Assignee { agent_id: agent_id.to_owned(), team_id: team_id.to_owned() })
}

pub fn received(id: &str) -> v1::ReceiveMessageRequest {
    v1::ReceiveMessageRequest {
        workspace: ACME.to_owned(),
        channel: CHANNEL.to_owned(),
        contact: Some(v1::Contact { id: "visitor-1".to_owned(), display_name: "Ada".to_owned(), ..Default::default() }),
        message: Some(v1::ReceivedMessage { id: id.to_owned(), text: "hello".to_owned(), ..Default::default() }),
        ..Default::default()
    }
}

/// A world with one conversation in it.
pub async fn with_conversation() -> (World, String) {
    let mut world = World::start().await;
    let id = world.grpc.receive_message(received("m-1")).await.unwrap().into_inner().conversation_id;
    (world, id)
}

/// A request of the conversation by the agent, with some fields more.
macro_rules! ask {
    ($kind:ident, $conversation:expr $(, $field:ident: $value:expr)*) => {
        v1::$kind {
            workspace: ACME.to_owned(),
            conversation_id: $conversation.to_owned(),
            actor: agent(),
            $($field: $value,)*
            ..Default::default()
        }
    };
}

pub fn text(conversation: &str, text: &str) -> v1::SendMessageRequest {
    ask!(SendMessageRequest, conversation, content: Some(Content::Text(text.to_owned())))
}

/// The fields that a request is told to mend.
pub fn fields(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let request = status.get_details_bad_request().expect("a BadRequest");
    request.field_violations.into_iter().map(|violation| violation.field).collect()
}

/// The code and the reason of a refusal.
pub fn reason(status: &Status) -> (Code, String) {
    let info = status.get_error_details().error_info().cloned().expect("an ErrorInfo");
    assert_eq!(info.domain, "threadmark");
    if status.code() == Code::FailedPrecondition {
        let failure = status.get_details_precondition_failure().expect("a PreconditionFailure");
        assert_eq!(failure.violations[0].r#type, info.reason);
    }
    (status.code(), info.reason)
}

pub fn ids(tickets: &[v1::Ticket]) -> Vec<&str> {
    tickets.iter().map(|ticket| ticket.id.as_str()).collect()
}

pub(crate) use ask;
