//! Everything about a contact as one JSON document, written while it is read.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use proto::v1;
use proto::v1::get_media_response::Part;
use proto::v1::timeline_entry::Entry;
use tempfile::NamedTempFile;

use super::contact::Media;
use crate::client::timely;
use crate::failure::Failure;
use crate::json;
use crate::session::Session;

const PAGE: i32 = 1_000;

/// Where the document goes.
struct Document {
    out: Box<dyn Write + Send>,
    /// Whether the list that is open has something in it.
    begun: bool,
}

impl Document {
    fn raw(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(failed)
    }

    /// A field that holds a list.
    fn list(&mut self, name: &str) -> Result<(), Failure> {
        self.begun = false;
        self.raw(&format!(",\n\"{name}\":["))
    }

    /// One more of the list that is open.
    fn item(&mut self, line: &str) -> Result<(), Failure> {
        let between = if std::mem::replace(&mut self.begun, true) { ",\n" } else { "\n" };
        self.raw(between)?;
        self.raw(line)
    }

    fn message(&mut self, name: &str, message: &impl Message) -> Result<(), Failure> {
        self.item(&json::line(name, message)?)
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.raw("]")
    }
}

/// Writes the document.
///
/// # Errors
/// Those of calls; [`Failure::Failed`] when a file can't be written.
pub(super) async fn write(
    session: &Session,
    conversations: &[String],
    output: Option<&Path>,
    media: Media,
) -> Result<(), Failure> {
    // What breaks off leaves no half of a document; and nobody else on the machine reads it.
    let whole = output.map(|path| {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        NamedTempFile::new_in(dir)
    });
    let whole = whole.transpose().map_err(failed)?;
    let out: Box<dyn Write + Send> = match &whole {
        Some(file) => Box::new(BufWriter::new(file.reopen().map_err(failed)?)),
        None => Box::new(std::io::stdout()),
    };
    let beside = output.filter(|_| media == Media::Beside).map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".media");
        PathBuf::from(name)
    });
    let mut document = Document { out, begun: false };
    let workspace = serde_json::Value::from(session.workspace.as_str());
    document.raw(&format!("{{\"workspace\":{workspace},\n\"conversations\":["))?;
    for (nth, id) in conversations.iter().enumerate() {
        document.raw(if nth == 0 { "\n{" } else { ",\n{" })?;
        conversation(session, &mut document, id, beside.as_deref(), media).await?;
        document.raw("}")?;
    }
    document.raw("]}\n")?;
    document.out.flush().map_err(failed)?;
    match (whole, output) {
        (Some(file), Some(path)) => file.persist(path).map(drop).map_err(|error| failed(error.error)),
        _ => Ok(()),
    }
}

async fn conversation(
    session: &Session,
    document: &mut Document,
    id: &str,
    beside: Option<&Path>,
    media: Media,
) -> Result<(), Failure> {
    let shown = session.conversation(id, 0).await?;
    document.raw(&format!("\"conversation\":{}", json::line("Conversation", &shown)?))?;
    document.list("tickets")?;
    tickets(session, document, id).await?;
    document.end()?;
    document.list("timeline")?;
    let files = timeline(session, document, id).await?;
    document.end()?;
    document.list("held")?;
    held(session, document, id).await?;
    document.end()?;
    document.list("media")?;
    for file in &files {
        self::file(session, document, id, file, beside, media).await?;
    }
    document.end()
}

async fn tickets(session: &Session, document: &mut Document, id: &str) -> Result<(), Failure> {
    let mut page_token = String::new();
    loop {
        let request = v1::ListTicketsRequest {
            workspace: session.workspace.clone(),
            conversation_id: id.to_owned(),
            include_nested: true,
            page_size: PAGE,
            page_token,
            ..v1::ListTicketsRequest::default()
        };
        let page = session.client.tickets().list_tickets(timely(request)).await;
        let page = page.map_err(|status| session.failure(status))?.into_inner();
        page.tickets.iter().try_for_each(|ticket| document.message("Ticket", ticket))?;
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(());
        }
    }
}

/// The chat as it is shown, oldest first, and the ids of the files in it.
async fn timeline(session: &Session, document: &mut Document, id: &str) -> Result<BTreeSet<String>, Failure> {
    let (mut files, mut page_token) = (BTreeSet::new(), String::new());
    loop {
        let request = v1::ListTimelineRequest {
            workspace: session.workspace.clone(),
            conversation_id: id.to_owned(),
            page_size: PAGE,
            page_token,
            direction: v1::list_timeline_request::Direction::Newer.into(),
            ..v1::ListTimelineRequest::default()
        };
        let page = session.client.tickets().list_timeline(timely(request)).await;
        let page = page.map_err(|status| session.failure(status))?.into_inner();
        for entry in &page.entries {
            document.message("TimelineEntry", entry)?;
            if let Some(Entry::Message(v1::Message { media: Some(media), .. })) = &entry.entry
                && !media.id.is_empty()
            {
                files.insert(media.id.clone());
            }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(files);
        }
    }
}

/// What the bus holds.
async fn held(session: &Session, document: &mut Document, id: &str) -> Result<(), Failure> {
    let request = v1::ExportContactRequest { workspace: session.workspace.clone(), conversation_id: id.to_owned() };
    let items = session.client.contacts().export_contact(request).await;
    let mut items = items.map_err(|status| session.failure(status))?.into_inner();
    while let Some(item) = items.message().await.map_err(|status| session.failure(status))? {
        document.message("ExportContactResponse", &item)?;
    }
    Ok(())
}

/// One file: what it is, and its bytes where they are wanted.
async fn file(
    session: &Session,
    document: &mut Document,
    conversation: &str,
    id: &str,
    beside: Option<&Path>,
    media: Media,
) -> Result<(), Failure> {
    let mut about = serde_json::json!({ "id": id });
    let request = v1::GetMediaRequest {
        workspace: session.workspace.clone(),
        conversation_id: conversation.to_owned(),
        media_id: id.to_owned(),
    };
    let parts = match session.client.conversations().get_media(request).await {
        Ok(parts) => parts.into_inner(),
        // Never fetched, or refused: the document says so and goes on.
        Err(status) => {
            about["missing"] = status.message().into();
            return document.item(&about.to_string());
        }
    };
    let mut parts = parts;
    let mut bytes = Vec::new();
    let mut target = match beside {
        Some(directory) => {
            std::fs::create_dir_all(directory).map_err(failed)?;
            let name: String =
                id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
            about["file"] = name.clone().into();
            Some(File::create(directory.join(name)).map_err(failed)?)
        }
        None => None,
    };
    while let Some(part) = parts.message().await.map_err(|status| session.failure(status))? {
        match part.part {
            Some(Part::Info(info)) => {
                about["mime_type"] = info.mime_type.into();
                about["file_name"] = info.file_name.into();
                about["size"] = info.size.into();
            }
            Some(Part::Data(data)) => match &mut target {
                Some(file) => file.write_all(&data).map_err(failed)?,
                None if media == Media::Embed => bytes.extend_from_slice(&data),
                None => break,
            },
            None => {}
        }
    }
    if media == Media::Embed {
        about["base64"] = STANDARD.encode(&bytes).into();
    }
    document.item(&about.to_string())
}

fn failed(error: std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::Failed(format!("can't write the export: {error}")),
    }
}
