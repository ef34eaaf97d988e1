//! Bounds on what clients send. Every mistake of a request is told at once, by the path of its field.

use conversation::MAX_TAG_BYTES;
use proto::v1;
use service::status::Mistakes;

use super::ask::Head;
use crate::limits::{MAX_NAME_BYTES, MAX_TEXT_BYTES, is_id};

/// Longest link to a file, in bytes.
pub(crate) const MAX_LINK_BYTES: usize = 2_048;

const ID: &str = "has to be 1 to 256 bytes without control characters";
const SHORT: &str = "has to be at most 256 bytes without control characters";

/// The fields that every command has.
pub(crate) fn head(mistakes: &mut Mistakes, head: &Head<'_>) {
    workspace(mistakes, head.workspace);
    mistakes.unless(is_id(head.conversation_id), "conversation_id", ID);
    actor(mistakes, head.actor);
    command(mistakes, head.command_id, head.expected_revision);
}

pub(crate) fn workspace(mistakes: &mut Mistakes, workspace: &str) {
    mistakes.unless(service::is_workspace_name(workspace), "workspace", "has to be 1 to 63 of a-z, 0-9 and -");
}

pub(crate) fn command(mistakes: &mut Mistakes, command_id: &str, expected_revision: Option<i64>) {
    short(mistakes, "command_id", command_id);
    let fine = expected_revision.is_none_or(|revision| revision >= 0);
    mistakes.unless(fine, "expected_revision", "is negative: revisions begin at 0");
}

pub(crate) fn actor(mistakes: &mut Mistakes, actor: Option<&v1::Actor>) {
    use v1::actor::Kind;
    let Some(actor) = actor else { return mistakes.add("actor", "is missing") };
    let kind = actor.kind();
    mistakes.unless(kind != Kind::Unspecified, "actor.kind", "is missing or unknown");
    let named = matches!(kind, Kind::Agent | Kind::Automation | Kind::Bot);
    if named {
        id(mistakes, "actor.id", &actor.id);
    } else {
        short(mistakes, "actor.id", &actor.id);
    }
    short(mistakes, "actor.display_name", &actor.display_name);
}

/// An assignee that was given has to name somebody.
pub(crate) fn assignee(mistakes: &mut Mistakes, assignee: &v1::Assignee) {
    let somebody = !assignee.agent_id.is_empty() || !assignee.team_id.is_empty();
    mistakes.unless(somebody, "assignee", "names neither an agent nor a team");
    short(mistakes, "assignee.agent_id", &assignee.agent_id);
    short(mistakes, "assignee.team_id", &assignee.team_id);
}

/// 1 to 256 bytes without control characters.
pub(crate) fn id(mistakes: &mut Mistakes, field: &str, text: &str) {
    mistakes.unless(is_id(text), field, ID);
}

/// At most 256 bytes without control characters.
pub(crate) fn short(mistakes: &mut Mistakes, field: &str, text: &str) {
    let fine = text.len() <= MAX_NAME_BYTES && !text.chars().any(char::is_control);
    mistakes.unless(fine, field, SHORT);
}

/// At most `max` bytes.
pub(crate) fn bytes(mistakes: &mut Mistakes, field: &str, text: &str, max: usize) {
    mistakes.unless(text.len() <= max, field, format!("has {} bytes: at most {max} are taken", text.len()));
}

/// 1 to `max` characters.
pub(crate) fn characters(mistakes: &mut Mistakes, field: &str, text: &str, max: usize) {
    let count = text.chars().count();
    mistakes.unless((1..=max).contains(&count), field, format!("has {count} characters: 1 to {max} are taken"));
}

/// 1 byte to 64 KiB.
pub(crate) fn note(mistakes: &mut Mistakes, field: &str, text: &str) {
    mistakes.unless(!text.is_empty(), field, "is empty");
    bytes(mistakes, field, text, MAX_TEXT_BYTES);
}

pub(crate) fn tag(mistakes: &mut Mistakes, tag: &str) {
    let fine = (1..=MAX_TAG_BYTES).contains(&tag.len()) && !tag.chars().any(char::is_control);
    mistakes.unless(fine, "tag", format!("has to be 1 to {MAX_TAG_BYTES} bytes without control characters"));
}

/// The fields of a file, whoever sends it.
pub(crate) fn media(mistakes: &mut Mistakes, path: &str, media: &v1::Media) {
    short(mistakes, &format!("{path}.id"), &media.id);
    short(mistakes, &format!("{path}.mime_type"), &media.mime_type);
    short(mistakes, &format!("{path}.file_name"), &media.file_name);
    let link = &media.link;
    let fine = link.is_empty() || ["http://", "https://"].iter().any(|scheme| link.starts_with(scheme));
    mistakes.unless(fine, &format!("{path}.link"), "is no http or https address");
    bytes(mistakes, &format!("{path}.link"), link, MAX_LINK_BYTES);
}
