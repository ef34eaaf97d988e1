//! Webhooks as the channel sends them: bodies, and who signs them.

use std::time::Duration;

use hmac::{Hmac, Mac};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::deployment::patiently;

/// Sends signed bodies to one address.
#[derive(Clone)]
pub(crate) struct Sender {
    http: reqwest::Client,
    url: String,
    secret: String,
}

impl Sender {
    /// To `/webhooks/whatsapp` of a server such as `http://127.0.0.1:7080`.
    pub(crate) fn new(server: &str, secret: &str) -> Sender {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        Sender { http, url: format!("{server}/webhooks/whatsapp"), secret: secret.to_owned() }
    }

    /// To `/webhooks/whatsapp/{workspace}`.
    pub(crate) fn new_at(server: &str, workspace: &str, secret: &str) -> Sender {
        let bare = Sender::new(server, secret);
        Sender { url: format!("{}/{workspace}", bare.url), ..bare }
    }

    /// What the body is answered with; an error when nobody answers.
    pub(crate) async fn post(&self, body: Vec<u8>) -> reqwest::Result<StatusCode> {
        let signature = signature(&self.secret, &body);
        self.post_as(Some(&signature), body).await
    }

    /// The same with a signature of one's own.
    pub(crate) async fn post_as(&self, signature: Option<&str>, body: Vec<u8>) -> reqwest::Result<StatusCode> {
        let mut request = self.http.post(&self.url).header("content-type", "application/json").body(body);
        if let Some(signature) = signature {
            request = request.header("x-hub-signature-256", signature);
        }
        Ok(request.send().await?.status())
    }

    /// Sends it again until it is taken, as the channel does.
    ///
    /// # Panics
    /// When it is answered with something that sending again does not mend, or not taken within a minute.
    pub(crate) async fn deliver(&self, body: Vec<u8>) {
        patiently("a webhook to be taken", || async {
            match self.post(body.clone()).await {
                Ok(StatusCode::OK) => Some(()),
                Ok(StatusCode::SERVICE_UNAVAILABLE) | Err(_) => None,
                Ok(other) => panic!("{other}: {}", String::from_utf8_lossy(&body)),
            }
        })
        .await;
    }
}

/// The value of `X-Hub-Signature-256`.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// A body of these changes, each in an entry of its own.
pub(crate) fn body(changes: &[Value]) -> Vec<u8> {
    let entry: Vec<Value> = changes.iter().map(|change| json!({"id": "0", "changes": [change]})).collect();
    json!({"object": "whatsapp_business_account", "entry": entry}).to_string().into_bytes()
}

/// A change about a number of the business; `parts` are what its value holds.
pub(crate) fn change(field: &str, phone_number_id: &str, parts: &Value) -> Value {
    let metadata = json!({"display_phone_number": BUSINESS, "phone_number_id": phone_number_id});
    let mut value = json!({"messaging_product": "whatsapp", "metadata": metadata});
    for (name, part) in parts.as_object().unwrap() {
        value[name] = part.clone();
    }
    json!({"field": field, "value": value})
}

/// The number of the business as people read it.
pub(crate) const BUSINESS: &str = "15550001111";

/// A message of type `kind`; `content` is what stands under the type's name.
pub(crate) fn message(id: &str, from: &str, seconds: i64, kind: &str, content: &Value) -> Value {
    json!({"id": id, "from": from, "timestamp": seconds.to_string(), "type": kind, kind: content})
}

/// The customer wrote.
pub(crate) fn received(phone_number_id: &str, name: &str, message: &Value) -> Value {
    let contact = json!({"wa_id": message["from"], "profile": {"name": name}});
    change("messages", phone_number_id, &json!({"contacts": [contact], "messages": [message]}))
}

/// The business wrote from its own phone.
pub(crate) fn echoed(phone_number_id: &str, to: &str, message: &Value) -> Value {
    let mut message = message.clone();
    message["to"] = to.into();
    change("smb_message_echoes", phone_number_id, &json!({"message_echoes": [message]}))
}

/// Chat with a customer from before the channel was connected.
pub(crate) fn back_filled(phone_number_id: &str, customer: &str, messages: &[Value]) -> Value {
    let history = json!([{"metadata": {"phase": 0}, "threads": [{"id": customer, "messages": messages}]}]);
    change("history", phone_number_id, &json!({"history": history}))
}

/// What became of a message.
pub(crate) fn status(phone_number_id: &str, message: &str, to: &str, word: &str, seconds: i64, own: &str) -> Value {
    let mut status = json!({"id": message, "status": word, "timestamp": seconds.to_string(), "recipient_id": to});
    if !own.is_empty() {
        status["biz_opaque_callback_data"] = own.into();
    }
    change("messages", phone_number_id, &json!({"statuses": [status]}))
}
