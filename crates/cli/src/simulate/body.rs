//! Bodies of webhooks, as the channel writes them.

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::story::Said;

/// One thing that a webhook tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    /// What no other item has.
    pub(super) id: String,
    pub(super) kind: ItemKind,
    /// The customer: number and name.
    pub(super) number: String,
    pub(super) name: String,
    /// As it stands in `messages` or `statuses`.
    pub(super) json: Value,
}

/// In which list an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemKind {
    Message,
    Status,
}

/// A message of a customer.
pub(super) struct Message<'a> {
    pub(super) id: String,
    pub(super) number: &'a str,
    pub(super) name: &'a str,
    pub(super) said: &'a Said,
    /// What a button, a row or a reaction answers.
    pub(super) answers: Option<&'a str>,
    /// Unix seconds.
    pub(super) seconds: i64,
}

impl Message<'_> {
    /// As the channel tells it.
    pub(super) fn item(self) -> Item {
        let mut json = json!({ "from": self.number, "id": self.id, "timestamp": self.seconds.to_string() });
        let (word, content) = self.content();
        json["type"] = json!(word);
        json[word] = content;
        let context = matches!(self.said, Said::Button(_) | Said::Row(_)).then_some(self.answers).flatten();
        if let Some(answers) = context {
            json["context"] = json!({ "from": BUSINESS, "id": answers });
        }
        let (number, name) = (self.number.to_owned(), self.name.to_owned());
        Item { id: self.id, kind: ItemKind::Message, number, name, json }
    }

    fn content(&self) -> (&'static str, Value) {
        let media = || format!("{:015}", digest(&self.id) % 1_000_000_000_000_000);
        match self.said {
            Said::Text(text) => ("text", json!({ "body": text })),
            Said::Image(caption) if caption.is_empty() => {
                ("image", json!({ "mime_type": "image/jpeg", "id": media() }))
            }
            Said::Image(caption) => ("image", json!({ "caption": caption, "mime_type": "image/jpeg", "id": media() })),
            Said::Voice => ("audio", json!({ "mime_type": "audio/ogg; codecs=opus", "id": media(), "voice": true })),
            Said::Location { name, address, latitude, longitude } => {
                ("location", json!({ "name": name, "address": address, "latitude": latitude, "longitude": longitude }))
            }
            Said::Button(title) => {
                let reply = json!({ "id": token(title), "title": title });
                ("interactive", json!({ "type": "button_reply", "button_reply": reply }))
            }
            Said::Row(title) => {
                let reply = json!({ "id": token(title), "title": title, "description": "" });
                ("interactive", json!({ "type": "list_reply", "list_reply": reply }))
            }
            Said::Reaction(emoji) => {
                ("reaction", json!({ "message_id": self.answers.unwrap_or_default(), "emoji": emoji }))
            }
        }
    }
}

/// A report about a message of the business: `word` is "sent", "delivered" or "read", `message_id` our own id of it.
pub(super) fn status(wamid: &str, word: &str, message_id: &str, number: &str, seconds: i64) -> Item {
    let mut json = json!({
        "id": wamid,
        "status": word,
        "timestamp": seconds.to_string(),
        "recipient_id": number,
        "biz_opaque_callback_data": message_id,
    });
    if word == "sent" {
        json["conversation"] = json!({ "id": format!("{:032x}", digest(number)), "origin": { "type": "service" } });
        json["pricing"] = json!({ "billable": false, "pricing_model": "PMP", "category": "service" });
    }
    Item { id: format!("{wamid}/{word}"), kind: ItemKind::Status, number: number.to_owned(), name: String::new(), json }
}

/// The number of the business as people read it, from a range that is kept for fiction.
const BUSINESS: &str = "15550199001";
/// The account of the business.
const ACCOUNT: &str = "419561257915477";

/// One body that tells these items: messages in one change, statuses in another.
pub(super) fn body(phone_number_id: &str, items: &[Item]) -> Vec<u8> {
    let metadata = json!({ "display_phone_number": BUSINESS, "phone_number_id": phone_number_id });
    let of = |kind| items.iter().filter(move |item| item.kind == kind);
    let mut changes = Vec::new();
    if of(ItemKind::Message).next().is_some() {
        let mut contacts: Vec<Value> = Vec::new();
        for item in of(ItemKind::Message) {
            let contact = json!({ "profile": { "name": item.name }, "wa_id": item.number });
            if !contacts.contains(&contact) {
                contacts.push(contact);
            }
        }
        let messages: Vec<&Value> = of(ItemKind::Message).map(|item| &item.json).collect();
        let value = json!({
            "messaging_product": "whatsapp", "metadata": metadata, "contacts": contacts, "messages": messages,
        });
        changes.push(json!({ "value": value, "field": "messages" }));
    }
    if of(ItemKind::Status).next().is_some() {
        let statuses: Vec<&Value> = of(ItemKind::Status).map(|item| &item.json).collect();
        let value = json!({ "messaging_product": "whatsapp", "metadata": metadata, "statuses": statuses });
        changes.push(json!({ "value": value, "field": "messages" }));
    }
    let entry = json!({ "id": ACCOUNT, "changes": changes });
    json!({ "object": "whatsapp_business_account", "entry": [entry] }).to_string().into_bytes()
}

/// What stands in `X-Hub-Signature-256`.
pub(super) fn signature(secret: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// The channel's id of a message, made of what no other message has.
pub(super) fn wamid(parts: &str) -> String {
    format!("wamid.HBgM{:016X}{:016X}", digest(parts), digest(&format!("{parts}/")))
}

fn digest(text: &str) -> u64 {
    use sha2::Digest as _;
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The id of a choice, from its title.
fn token(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(said: &Said, answers: Option<&str>) -> Value {
        let message = Message {
            id: "wamid.1".into(),
            number: "12125550100",
            name: "Maya",
            said,
            answers,
            seconds: 1_700_000_000,
        };
        message.item().json
    }

    #[test]
    fn messages_look_as_the_channels() {
        let text = message(&Said::Text("hi".into()), Some("wamid.0"));
        let expect = json!({
            "from": "12125550100", "id": "wamid.1", "timestamp": "1700000000", "type": "text", "text": { "body": "hi" },
        });
        assert_eq!(text, expect);
        let button = message(&Said::Button("Yes please".into()), Some("wamid.0"));
        assert_eq!(button["interactive"]["button_reply"]["id"], "yes-please");
        assert_eq!(button["context"]["id"], "wamid.0");
        let reaction = message(&Said::Reaction("👍".into()), Some("wamid.0"));
        assert_eq!(reaction["reaction"], json!({ "message_id": "wamid.0", "emoji": "👍" }));
        assert!(reaction.get("context").is_none());
    }

    /// The reader of the real thing reads it back.
    #[test]
    fn bodies_are_read_by_ingest() {
        let said = Said::Image("look".into());
        let message =
            Message { id: wamid("a"), number: "12125550100", name: "Maya", said: &said, answers: None, seconds: 1 };
        let items = [message.item(), status(&wamid("b"), "delivered", "c-m1", "12125550100", 2)];
        let body = body("106", &items);
        let read = ingest::whatsapp::parse(&body).unwrap();
        assert_eq!(read.len(), 2);
        assert!(
            read.iter().all(|item| item.update.is_ok() && item.phone_number_id.as_deref() == Some("106")),
            "{read:?}"
        );
    }

    #[test]
    fn the_signature_is_of_the_raw_bytes() {
        // Of RFC 4231, test case 2.
        let expect = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", b"what do ya want for nothing?"), expect);
    }

    #[test]
    fn ids_differ_and_stay_the_same() {
        assert_eq!(wamid("1/2/3"), wamid("1/2/3"));
        assert_ne!(wamid("1/2/3"), wamid("1/2/4"));
    }
}
