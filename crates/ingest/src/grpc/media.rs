//! UploadMedia, and GetMedia: files go in and out sealed, through the bus; whoever sends them takes them from there.

use std::time::Duration;

use bus::{Files, OpenFile, Owner};
use conversation::ConversationId;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use proto::v1;
use proto::v1::get_media_response::Part;
use service::status::{self, Mistakes};
use sha2::{Digest, Sha256};
use tonic::{Code, Status};

use super::check;
use super::desk::Desk;
use crate::limits::is_id;

/// What the ids of uploaded files begin with: no channel's own do.
const OURS: &str = "tm-";
/// Largest file, in bytes: a request has at most 16 MiB.
const MAX_FILE: usize = 15 * 1024 * 1024;

/// How long a reader waits for a file that the channel is asked for: what any other query waits at most.
const READER: Duration = Duration::from_secs(10);

/// The parts of an answer.
pub(crate) type Parts = BoxStream<'static, Result<v1::GetMediaResponse, Status>>;

fn check_upload(mistakes: &mut Mistakes, request: &v1::UploadMediaRequest) {
    check::workspace(mistakes, &request.workspace);
    check::short(mistakes, "file_name", &request.file_name);
    mistakes.unless(is_mime_type(&request.mime_type), "mime_type", "is none, such as \"image/png\"");
    let size = request.data.len();
    let fine = (1..=MAX_FILE).contains(&size);
    mistakes.unless(fine, "data", format!("has {size} bytes: 1 to {MAX_FILE} are taken"));
    match (request.conversation_id.is_empty(), request.channel.is_empty()) {
        (true, true) => mistakes.add("conversation_id", "is missing, and so is a channel"),
        (false, false) => mistakes.add("channel", "can't stand beside a conversation"),
        (false, true) => check::id(mistakes, "conversation_id", &request.conversation_id),
        (true, false) => check::id(mistakes, "channel", &request.channel),
    }
}

/// `type/subtype`, perhaps with parameters after it.
fn is_mime_type(text: &str) -> bool {
    let plain =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    is_id(text) && essence.split_once('/').is_some_and(|(kind, subtype)| plain(kind) && plain(subtype))
}

/// Keeps a file to be sent.
///
/// # Errors
/// INVALID_ARGUMENT, NOT_FOUND, UNAVAILABLE.
pub(crate) async fn upload(
    desk: &Desk,
    files: &Files,
    request: v1::UploadMediaRequest,
) -> Result<v1::UploadMediaResponse, Status> {
    let mut mistakes = Mistakes::default();
    check_upload(&mut mistakes, &request);
    mistakes.done()?;
    desk.workspace(&request.workspace)?;
    let conversation = match request.conversation_id.as_str() {
        "" => None,
        id => Some(existing(desk, &request.workspace, id).await?),
    };
    let owner = Owner { workspace: &request.workspace, conversation: conversation.as_ref() };
    let media_id = format!("{OURS}{}", nuid::next());
    let head = v1::SealedFile {
        mime_type: request.mime_type,
        file_name: request.file_name,
        size: i64::try_from(request.data.len()).unwrap_or(i64::MAX),
        sha256: Sha256::digest(&request.data).to_vec().into(),
        ..v1::SealedFile::default()
    };
    let name = files.name(owner, &media_id).await.map_err(|error| status::bus(&error))?;
    files.put(owner, &name, &head, &request.data).await.map_err(|error| status::bus(&error))?;
    Ok(v1::UploadMediaResponse { media_id })
}

/// Reads a file of a conversation.
///
/// # Errors
/// INVALID_ARGUMENT, NOT_FOUND (`MEDIA_WAITING`), FAILED_PRECONDITION `MEDIA_REFUSED`, UNAVAILABLE.
pub(crate) async fn get(desk: &Desk, files: &Files, request: &v1::GetMediaRequest) -> Result<Parts, Status> {
    let mut mistakes = Mistakes::default();
    check::workspace(&mut mistakes, &request.workspace);
    check::id(&mut mistakes, "conversation_id", &request.conversation_id);
    check::id(&mut mistakes, "media_id", &request.media_id);
    mistakes.done()?;
    desk.workspace(&request.workspace)?;
    let conversation = existing(desk, &request.workspace, &request.conversation_id).await?;
    let found = find(files, &request.workspace, &conversation, &request.media_id).await?;
    let file = match found {
        Some(file) => file,
        None => awaited(desk, files, request, &conversation).await?,
    };
    let v1::SealedFile { mime_type, file_name, size, sha256, refused, .. } = file.head().clone();
    if !refused.is_empty() {
        return Err(status::refused(Code::FailedPrecondition, "MEDIA_REFUSED", &request.media_id, refused));
    }
    let info = v1::MediaInfo { mime_type, file_name, size, sha256 };
    let first = v1::GetMediaResponse { part: Some(Part::Info(info)) };
    Ok(stream::iter([Ok(first)]).chain(stream::unfold(Some(file), next)).boxed())
}

/// A file that is not there: one that waits is asked for at once.
async fn awaited(
    desk: &Desk,
    files: &Files,
    request: &v1::GetMediaRequest,
    conversation: &ConversationId,
) -> Result<OpenFile, Status> {
    let owner = Owner { workspace: &request.workspace, conversation: Some(conversation) };
    let name = files.waiting_name(owner, &request.media_id).await.map_err(|error| status::bus(&error))?;
    let mark = files.open(owner, &name).await.map_err(|error| status::bus(&error))?;
    let mark = mark.ok_or_else(|| status::not_found("media", &request.media_id))?;
    // Whether anybody answered or not: what came of it stands with the files.
    desk.bus.ask_fetch(&v1::QueuedFetch { revision: mark.head().revision }, READER).await;
    let found = find(files, &request.workspace, conversation, &request.media_id).await?;
    found.ok_or_else(|| {
        let why = &mark.head().waiting;
        let words = format!("the channel did not give the file yet, and is asked again by itself; at first: {why}");
        status::refused(Code::NotFound, "MEDIA_WAITING", &request.media_id, words)
    })
}

/// One part after another; an error is the last.
async fn next(file: Option<OpenFile>) -> Option<(Result<v1::GetMediaResponse, Status>, Option<OpenFile>)> {
    let mut file = file?;
    match file.next().await {
        Ok(part) => {
            let part = v1::GetMediaResponse { part: Some(Part::Data(part?.into())) };
            Some((Ok(part), Some(file)))
        }
        Err(error) => Some((Err(status::bus(&error)), None)),
    }
}

/// Whether a file that is about to be sent is there, where it is one of ours.
///
/// # Errors
/// INVALID_ARGUMENT, UNAVAILABLE.
pub(crate) async fn check_sent(files: &Files, request: &v1::SendMessageRequest) -> Result<(), Status> {
    let Some(v1::send_message_request::Content::Media(media)) = &request.content else { return Ok(()) };
    let id = media.media.as_ref().map(|media| media.id.as_str()).unwrap_or_default();
    let Some(conversation) = ConversationId::parse(&request.conversation_id) else { return Ok(()) };
    if !id.starts_with(OURS) || !is_id(id) || !service::is_workspace_name(&request.workspace) {
        return Ok(());
    }
    match find(files, &request.workspace, &conversation, id).await? {
        Some(_) => Ok(()),
        None => Err(status::invalid("media.media.id", "is no file that was uploaded for this conversation")),
    }
}

/// A file of the conversation; of those that are ours, also one of the whole workspace.
async fn find(
    files: &Files,
    workspace: &str,
    conversation: &ConversationId,
    media_id: &str,
) -> Result<Option<OpenFile>, Status> {
    let everybody = media_id.starts_with(OURS).then_some(None);
    for conversation in [Some(Some(conversation)), everybody].into_iter().flatten() {
        let owner = Owner { workspace, conversation };
        let name = files.name(owner, media_id).await.map_err(|error| status::bus(&error))?;
        if let Some(file) = files.open(owner, &name).await.map_err(|error| status::bus(&error))? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

async fn existing(desk: &Desk, workspace: &str, id: &str) -> Result<ConversationId, Status> {
    let found = desk.bus.conversation(workspace, id).await.map_err(|error| status::bus(&error))?;
    let known = ConversationId::parse(id).filter(|_| found.is_some());
    known.ok_or_else(|| status::not_found("conversation", id))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_mime_type_has_two_parts() {
        for fine in ["image/png", "audio/ogg; codecs=opus", "application/vnd.ms-excel"] {
            assert!(super::is_mime_type(fine), "{fine}");
        }
        for wrong in ["", "image", "image/", "/png", "a b/c", "image/p\ng", "image/png/x"] {
            assert!(!super::is_mime_type(wrong), "{wrong}");
        }
    }
}
