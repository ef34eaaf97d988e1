//! The bodies of webhooks.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::Report;
use crate::check::Recipient;

/// What stands in `X-Hub-Signature-256`.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// A status, as it stands among the statuses of a change.
pub(crate) fn status(id: &str, recipient: &Recipient, callback_data: &str, report: &Report) -> Value {
    let mut status = json!({ "id": id, "status": report.word, "timestamp": seconds().to_string() });
    match recipient {
        Recipient::Number(number) => status["recipient_id"] = digits(number).into(),
        Recipient::UserId(user_id) | Recipient::Page(user_id) => status["recipient_user_id"] = user_id.as_str().into(),
    }
    if !callback_data.is_empty() {
        status["biz_opaque_callback_data"] = callback_data.into();
    }
    if let Some(error) = &report.error {
        status["errors"] = json!([error.report()]);
    }
    status
}

/// A message of a customer, as it stands among the messages of a change.
pub(crate) fn message(id: &str, from: &str, text: &str) -> Value {
    json!({ "from": digits(from), "id": id, "timestamp": seconds().to_string(), "type": "text", "text": { "body": text } })
}

/// What a customer calls themselves.
pub(crate) fn contact(from: &str, name: &str) -> Value {
    json!({ "profile": { "name": name }, "wa_id": digits(from) })
}

/// A whole body with what happened at one number.
pub(crate) fn body(number: &str, mut value: Value) -> Value {
    value["messaging_product"] = "whatsapp".into();
    value["metadata"] = json!({ "display_phone_number": number, "phone_number_id": number });
    let changes = json!([{ "field": "messages", "value": value }]);
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "102290129340398", "changes": changes }] })
}

/// A number as the API writes it.
pub(crate) fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
