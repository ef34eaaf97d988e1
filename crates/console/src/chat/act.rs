//! What people do in a chat: one form each, one command each, done once however often it is sent.

use axum::extract::{Form, Path};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use proto::v1;
use serde_json::json;
use tonic::{Code, Status};
use v1::send_message_request::Content;

use super::command::{Command, template};
use super::media;
use crate::failure::Failure;
use crate::lang::{Lang, word};
use crate::session::Who;
use crate::words::{Fields, field};

/// Does what a form asks for. The page's script gets the revision or the refusal, others the page again.
pub(crate) async fn act(
    who: Who,
    Path((conversation, what)): Path<(String, String)>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response {
    let command = Command::new(&who.services, &who, &conversation, field(&form, "command"));
    let done = perform(&command, &what, &form).await;
    let script = headers.get(header::ACCEPT).is_some_and(|accept| accept == "application/json");
    match (done, script) {
        (Ok(revision), true) => json_of(StatusCode::OK, &json!({ "revision": revision })),
        (Ok(revision), false) => Redirect::to(&format!("/c/{conversation}?rev={revision}")).into_response(),
        (Err(failure), true) => refusal(&failure, who.zone.lang),
        (Err(failure), false) => failure.into_response(),
    }
}

/// Why it was not done, for the page's script.
pub(super) fn refusal(failure: &Failure, lang: Lang) -> Response {
    let code = if matches!(failure, Failure::SignIn) { StatusCode::UNAUTHORIZED } else { StatusCode::CONFLICT };
    json_of(code, &json!({ "error": failure.words(lang) }))
}

pub(super) fn json_of(code: StatusCode, value: &serde_json::Value) -> Response {
    (code, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// Does it, and returns its revision.
async fn perform(command: &Command<'_>, what: &str, form: &Fields) -> Result<i64, Failure> {
    let of = |name: &str| field(form, name).trim().to_owned();
    let done = match what {
        "send" => command.send(content(form)?, of("reply_to")).await,
        "template" => command.send(Content::Template(template(form)?), String::new()).await,
        "note" => command.note(said(form)?).await,
        "tag" => command.tag(needed(of("tag"), word("Say which tag."))?).await,
        "untag" => command.untag(of("tag")).await,
        "open" => command.open(of("topic")).await,
        "close" => command.close(of("ticket")).await,
        "close-all" => command.close_all().await,
        "assign" => command.assign(assignee(&needed(of("assignee"), word("Choose who should have it."))?)?).await,
        "mine" => command.assign(command.who().assignee()).await,
        "unassign" => command.unassign().await,
        "pause" => command.pause().await,
        "hand-back" => hand_back(command).await,
        "read" => command.read().await,
        "rule" => command.rule(needed(of("rule"), word("Choose a rule."))?).await,
        _ => return Err(Failure::Nothing),
    };
    Ok(done?)
}

/// Gives the chat back to the bot: closes what is open, which ends ownership, and ends a pause. Each is decided once.
async fn hand_back(command: &Command<'_>) -> Result<i64, Status> {
    let mut revision = 0;
    match command.part("close").close_all().await {
        Ok(closed) => revision = closed,
        Err(status) if status.code() == Code::FailedPrecondition => {}
        Err(status) => return Err(status),
    }
    revision = command.part("unassign").unassign().await?.max(revision);
    Ok(command.part("resume").resume().await?.max(revision))
}

/// A file with what was written beside it, or the words alone.
fn content(form: &Fields) -> Result<Content, Failure> {
    match media::attached(form, &written(form)) {
        Some(media) => Ok(Content::Media(media)),
        None => said(form).map(Content::Text),
    }
}

fn written(form: &Fields) -> String {
    // Forms carry line ends as two characters.
    field(form, "text").replace("\r\n", "\n").trim_end().to_owned()
}

/// What was written, as it was written.
fn said(form: &Fields) -> Result<String, Failure> {
    needed(written(form), word("Write something first."))
}

fn needed(text: String, otherwise: &'static str) -> Result<String, Failure> {
    if text.trim().is_empty() { Err(Failure::Unreadable(otherwise)) } else { Ok(text) }
}

/// "agent:ana" or "team:billing".
fn assignee(text: &str) -> Result<v1::Assignee, Failure> {
    match text.split_once(':') {
        Some(("agent", id)) => Ok(v1::Assignee { agent_id: id.to_owned(), team_id: String::new() }),
        Some(("team", id)) => Ok(v1::Assignee { agent_id: String::new(), team_id: id.to_owned() }),
        _ => Err(Failure::Unreadable(word("Choose who should have it."))),
    }
}
