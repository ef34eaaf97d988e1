//! What became of a message that was sent.

use proto::v1;

use super::chat::{id, seconds};
use super::content::{self, owned};
use super::json::{Raw, Read, Text};
use super::people::address;
use super::wire;
use crate::item::{Person, Reject, Status};
use crate::limits::{MAX_ITEM_BYTES, MAX_WORD_BYTES, is_id};

/// Reads one status report.
pub(crate) fn read(raw: Raw<'_>) -> Result<Status, Reject> {
    if raw.get().len() > MAX_ITEM_BYTES {
        return Err(Reject::TooLarge);
    }
    let wire = wire::Status::read(raw.get()).ok_or(Reject::Shape("status is not an object"))?;
    let message_id = id(wire.id.as_ref())?;
    let seconds = seconds(wire.timestamp.as_ref())?;
    let person = Person {
        number: address(wire.recipient_id, "recipient_id")?,
        user_id: address(wire.recipient_user_id, "recipient_user_id")?,
        ..Person::default()
    };
    if person.is_nobody() {
        return Err(Reject::Nobody);
    }
    let word = wire.status.as_ref().map(Text::as_str).filter(|word| is_id(word) && word.len() <= MAX_WORD_BYTES);
    let word = word.ok_or(Reject::Shape("status has no status"))?.to_owned();
    let (errors, lost) = content::errors(wire.errors.as_deref());
    let callback = wire.rest.iter().find(|(key, _)| key == CALLBACK).map(|(_, raw)| *raw);
    let more = lost || wire.unreadable || wire.rest.iter().any(|(key, _)| key != CALLBACK);
    let report = v1::StatusReport {
        status: status(&word).into(),
        channel_status: word,
        time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        errors,
        raw_json: if more { raw.get().to_owned() } else { String::new() },
    };
    Ok(Status { message_id, person, seconds, callback_data: callback_data(callback), report })
}

const CALLBACK: &str = "biz_opaque_callback_data";

fn callback_data(raw: Option<Raw<'_>>) -> String {
    let text = raw.and_then(|raw| Text::read(raw.get()));
    owned(text.filter(|text| is_id(text.as_str())))
}

/// The status that a word of the channel stands for; unspecified for a word that is not known.
pub(crate) fn status(word: &str) -> v1::MessageStatus {
    match word {
        "accepted" => v1::MessageStatus::Accepted,
        "sent" => v1::MessageStatus::Sent,
        "delivered" => v1::MessageStatus::Delivered,
        "read" => v1::MessageStatus::Read,
        "played" => v1::MessageStatus::Played,
        "failed" => v1::MessageStatus::Failed,
        _ => v1::MessageStatus::Unspecified,
    }
}
