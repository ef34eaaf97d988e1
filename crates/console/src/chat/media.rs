//! Files of a chat: those that came are streamed from the services, those to be sent are handed to them.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use proto::v1;
use proto::v1::get_media_response::Part;
use serde_json::json;
use tonic::{Code, Status, Streaming};

use super::act::{json_of, refusal};
use crate::failure::Failure;
use crate::lang::Lang;
use crate::session::{Who, encode};
use crate::words::{Fields, field};

/// Largest file that is taken, in bytes, as the services have it.
pub(crate) const MAX_FILE: usize = 15 * 1024 * 1024;
/// A file is no page: whatever is in it, it runs nothing, loads nothing and is in no frame.
const POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";
/// What a browser may show by itself. Of all that it would run as a page, such as HTML, SVG or PDF, nothing is here.
const SHOWN: [&str; 17] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/avif",
    "audio/aac",
    "audio/amr",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/opus",
    "audio/wav",
    "audio/webm",
    "video/mp4",
    "video/3gpp",
    "video/webm",
    "video/quicktime",
];

/// Whether a browser may show a file of this type within the chat.
pub(crate) fn is_shown(mime_type: &str) -> bool {
    SHOWN.contains(&essence(mime_type).as_str())
}

/// The type without its parameters: "audio/ogg" of "audio/ogg; codecs=opus".
fn essence(mime_type: &str) -> String {
    mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A file that came or was sent: shown by the browser if that is harmless, kept by it otherwise.
pub(crate) async fn show(
    who: Who,
    Path((conversation_id, media_id)): Path<(String, String)>,
    Query(asked): Query<Fields>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let request = v1::GetMediaRequest { workspace: who.workspace, conversation_id, media_id };
    let answer = who.services.conversations().get_media(request).await;
    let about = asked.iter().any(|(name, _)| name == "about");
    let mut parts = match answer {
        Err(status) if about => return Ok(absent(status, who.zone.lang)),
        answer => answer?.into_inner(),
    };
    let Some(v1::GetMediaResponse { part: Some(Part::Info(info)) }) = parts.message().await? else {
        return Err(Status::unavailable("The file began without saying what it is.").into());
    };
    let size = u64::try_from(info.size).unwrap_or(0);
    if about {
        return Ok(json_of(StatusCode::OK, &json!({ "size": size })));
    }
    let mut response = Response::new(Body::empty());
    describe(response.headers_mut(), &info);
    let tag = response.headers().get(header::ETAG);
    if tag.is_some() && tag == headers.get(header::IF_NONE_MATCH) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok()).and_then(|range| wanted(range, size));
    let (first, last) = range.unwrap_or((0, size.saturating_sub(1)));
    let length = if size == 0 { 0 } else { last - first + 1 };
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        put(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
    }
    put(response.headers_mut(), header::CONTENT_LENGTH, &length.to_string());
    *response.body_mut() = Body::from_stream(bytes(parts, first, length));
    Ok(response)
}

/// Tells the page's script why a file is not there: it is not there yet, or never will be.
fn absent(status: Status, lang: Lang) -> Response {
    if status.code() == Code::NotFound {
        return json_of(StatusCode::OK, &json!({ "later": true }));
    }
    refusal(&status.into(), lang)
}

/// Says what a file is, so that nothing takes it for something else.
fn describe(headers: &mut HeaderMap, info: &v1::MediaInfo) {
    let shown = is_shown(&info.mime_type);
    let kind = if shown { essence(&info.mime_type) } else { "application/octet-stream".to_owned() };
    let name = if info.file_name.is_empty() { "file" } else { &info.file_name };
    let how = if shown { "inline" } else { "attachment" };
    put(headers, header::CONTENT_TYPE, &kind);
    put(headers, header::CONTENT_DISPOSITION, &format!("{how}; filename*=UTF-8''{}", file_name(name)));
    put(headers, header::CONTENT_SECURITY_POLICY, POLICY);
    put(headers, header::ACCEPT_RANGES, "bytes");
    // Asked for anew each time, which costs no bytes: what was erased is not shown again.
    put(headers, header::CACHE_CONTROL, "private, no-cache");
    if !info.sha256.is_empty() {
        let hash: String = info.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        put(headers, header::ETAG, &format!("\"{hash}\""));
    }
}

/// A name as RFC 8187 has it, dots as they are.
fn file_name(name: &str) -> String {
    encode(name).replace("%2E", ".")
}

fn put(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    // All values are made here, of ASCII.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The first and the last byte of "bytes=2-5", "bytes=2-" or "bytes=-3"; `None` for all of it.
fn wanted(range: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = size.checked_sub(1)?;
    let (first, last) = match (first.parse(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) => (first, last.min(end)),
        (Ok(first), Err(_)) if last.is_empty() => (first, end),
        (Err(_), Ok(length)) if first.is_empty() => (size.saturating_sub(length), end),
        _ => return None,
    };
    (first <= last).then_some((first, last))
}

/// `length` bytes of a file from its byte `first` on, as they come. One that breaks off ends the answer in the middle.
fn bytes(
    parts: Streaming<v1::GetMediaResponse>,
    first: u64,
    length: u64,
) -> impl futures::Stream<Item = Result<Bytes, Status>> {
    stream::try_unfold((parts, first, length), |(mut parts, mut skip, mut left)| async move {
        while left > 0 {
            let Some(part) = parts.message().await? else { break };
            let Some(Part::Data(mut data)) = part.part else { continue };
            let before = skip.min(data.len() as u64);
            skip -= before;
            // No part is longer than memory.
            data = data.slice(usize::try_from(before).unwrap_or(data.len())..);
            data.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            if !data.is_empty() {
                left -= data.len() as u64;
                return Ok(Some((data, (parts, skip, left))));
            }
        }
        Ok(None)
    })
}

/// Keeps a file that is to be sent, whose bytes are the body. The page's script gets what the form has to say of it.
pub(crate) async fn attach(
    who: Who,
    Path(conversation_id): Path<String>,
    Query(asked): Query<Fields>,
    headers: HeaderMap,
    data: Bytes,
) -> Result<Response, Infallible> {
    let mime_type = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let mime_type = if mime_type.is_empty() { "application/octet-stream" } else { mime_type }.to_owned();
    let request = v1::UploadMediaRequest {
        workspace: who.workspace,
        conversation_id,
        channel: String::new(),
        mime_type: mime_type.clone(),
        file_name: field(&asked, "name").to_owned(),
        data,
    };
    Ok(match who.services.conversations().upload_media(request).await {
        Ok(kept) => json_of(
            StatusCode::OK,
            &json!({ "id": kept.into_inner().media_id, "kind": kind(&mime_type), "mime": mime_type }),
        ),
        Err(status) => refusal(&status.into(), who.zone.lang),
    })
}

/// As what a channel sends a file: pictures, films and sounds of the types that WhatsApp takes, documents otherwise.
fn kind(mime_type: &str) -> &'static str {
    match essence(mime_type).as_str() {
        "image/jpeg" | "image/png" => "image",
        "video/mp4" | "video/3gpp" => "video",
        "audio/aac" | "audio/amr" | "audio/mp4" | "audio/mpeg" | "audio/ogg" => "audio",
        _ => "document",
    }
}

/// The file that a form has to send besides its words; `None` where there is none.
pub(crate) fn attached(form: &Fields, caption: &str) -> Option<v1::OutboundMedia> {
    let id = field(form, "file");
    if id.is_empty() {
        return None;
    }
    let media = v1::Media {
        id: id.to_owned(),
        mime_type: field(form, "file_type").to_owned(),
        file_name: field(form, "file_name").to_owned(),
        caption: caption.to_owned(),
        ..v1::Media::default()
    };
    Some(v1::OutboundMedia { r#type: field(form, "file_kind").to_owned(), media: Some(media) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(mime_type: &str, file_name: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let info = v1::MediaInfo {
            mime_type: mime_type.to_owned(),
            file_name: file_name.to_owned(),
            ..v1::MediaInfo::default()
        };
        describe(&mut headers, &info);
        headers
    }

    #[test]
    fn nothing_that_a_browser_would_run_is_shown_by_it() {
        for kind in ["text/html", "image/svg+xml", "application/pdf", "text/xml", "application/xhtml+xml", "", "image/"]
        {
            let headers = described(kind, "a.png");
            assert_eq!(headers[header::CONTENT_TYPE], "application/octet-stream", "{kind}");
            assert_eq!(headers[header::CONTENT_DISPOSITION], "attachment; filename*=UTF-8''a.png", "{kind}");
            assert_eq!(headers[header::CONTENT_SECURITY_POLICY], POLICY);
        }
        let headers = described("Audio/OGG; codecs=opus", "à \"b\"\r\n.ogg");
        assert_eq!(headers[header::CONTENT_TYPE], "audio/ogg");
        assert_eq!(headers[header::CONTENT_DISPOSITION], "inline; filename*=UTF-8''%C3%A0%20%22b%22%0D%0A.ogg");
    }

    #[test]
    fn a_part_of_a_file_is_asked_for_in_three_ways() {
        let cases = [
            ("bytes=2-5", Some((2, 5))),
            ("bytes=2-", Some((2, 9))),
            ("bytes=-3", Some((7, 9))),
            ("bytes=0-99", Some((0, 9))),
            ("bytes=10-", None),
            ("bytes=5-2", None),
            ("bytes=x-3", None),
            ("bytes=1-2,4-5", None),
            ("lines=1-2", None),
        ];
        for (range, expected) in cases {
            assert_eq!(wanted(range, 10), expected, "{range}");
        }
        assert_eq!(wanted("bytes=0-", 0), None);
    }
}
