//! Webhook bodies, written here.

use serde_json::{Value, json};

pub const NUMBER: &str = "555000111";
pub const BUSINESS: &str = "+49 30 555-0001";
pub const CUSTOMER: &str = "4915770001";

pub fn body(changes: &[Value]) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "waba-1", "changes": changes}]})
}

pub fn change(field: &str, mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": BUSINESS, "phone_number_id": NUMBER});
    json!({"field": field, "value": value})
}

/// A change with messages of one customer, whose name is known.
pub fn messages(messages: &[Value]) -> Value {
    let contacts = json!([{"wa_id": CUSTOMER, "profile": {"name": "Ada"}}]);
    change("messages", json!({"contacts": contacts, "messages": messages}))
}

/// One message of the customer: `kind` with `content`.
pub fn message(id: &str, kind: &str, content: Value) -> Value {
    json!({"id": id, "from": CUSTOMER, "timestamp": "1700000000", "type": kind, kind: content})
}

pub fn text(id: &str, text: &str) -> Value {
    message(id, "text", json!({"body": text}))
}

pub fn status(id: &str, status: &str, seconds: i64) -> Value {
    json!({"id": id, "status": status, "timestamp": seconds.to_string(), "recipient_id": CUSTOMER})
}

pub fn echo(id: &str, text: &str) -> Value {
    json!({"id": id, "from": "49305550001", "to": CUSTOMER, "timestamp": "1700000000", "type": "text",
        "text": {"body": text}})
}

/// One body with everything in it that is understood.
pub fn everything() -> Value {
    let past = json!([{"metadata": {"phase": 0, "chunk_order": 1, "progress": 55}, "threads": [{"id": CUSTOMER,
        "messages": [text("past-1", "from me"), echo("past-2", "from us"),
            message("past-3", "reaction", json!({"message_id": "past-2", "emoji": "🎉"}))]}]}]);
    body(&[
        messages(&[
            text("m-text", "hello"),
            message(
                "m-image",
                "image",
                json!({"id": "f1", "mime_type": "image/png", "sha256": "x", "caption": "look"}),
            ),
            message("m-audio", "audio", json!({"id": "f2", "mime_type": "audio/ogg", "voice": true})),
            message("m-place", "location", json!({"latitude": 52.5, "longitude": 13.4, "name": "Here"})),
            message(
                "m-card",
                "contacts",
                json!([{"name": {"formatted_name": "Bob"}, "phones": [{"phone": "+1 2"}],
                "emails": [{"email": "bob@example.com"}]}]),
            ),
            message("m-list", "interactive", json!({"type": "list_reply", "list_reply": {"id": "r1", "title": "Row"}})),
            message(
                "m-form",
                "interactive",
                json!({"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent",
                "response_json": "{\"a\":1}"}}),
            ),
            message("m-button", "button", json!({"text": "Yes", "payload": "YES"})),
            message("m-react", "reaction", json!({"message_id": "m-text", "emoji": "👍"})),
            message(
                "m-edit",
                "edit",
                json!({"original_message_id": "m-text",
                "message": {"type": "text", "text": {"body": "hello!"}, "context": {"id": "m-before"}}}),
            ),
            message("m-revoke", "revoke", json!({"original_message_id": "m-image"})),
            message(
                "m-order",
                "order",
                json!({"catalog_id": "c", "text": "please", "product_items": [{"quantity": 2}]}),
            ),
            message("m-new", "hologram", json!({"depth": 3})),
        ]),
        change(
            "messages",
            json!({"messages": [{"id": "m-system", "from": CUSTOMER, "timestamp": "1700000100",
            "type": "system", "system": {"type": "user_changed_number", "wa_id": "4915770002", "body": "changed"}}]}),
        ),
        change(
            "messages",
            json!({"statuses": [status("out-1", "sent", 1_700_000_001), status("out-1", "read", 1_700_000_002)]}),
        ),
        change("smb_message_echoes", json!({"message_echoes": [echo("e-1", "typed on the phone")]})),
        change("history", json!({"history": past})),
        change("account_update", json!({"event": "VERIFIED_ACCOUNT"})),
    ])
}
