//! Signed webhooks as WhatsApp sends them.

use std::fmt::Write as _;

use bytes::Bytes;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use service::Secret;
use service::config::{Channel, ChannelKind};
use sha2::Sha256;

/// The workspace whose channel they come in on.
pub(crate) const WORKSPACE: &str = "bench";
const NUMBER: &str = "106540352242922";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The channel that they come in on.
pub(crate) fn channel() -> Channel {
    Channel {
        kind: ChannelKind::Whatsapp,
        workspace: WORKSPACE.to_owned(),
        phone_number_id: NUMBER.to_owned(),
        app_secret: Secret::new(SECRET),
        verify_token: Secret::new("verify"),
        access_token: Secret::default(),
        api_base: String::new(),
    }
}

/// Makes webhooks of text messages. Every message is a new one.
pub(crate) struct Webhooks {
    dice: fastrand::Rng,
    customers: u64,
    made: u64,
}

impl Webhooks {
    /// Messages of this many customers.
    pub(crate) fn new(customers: u64) -> Webhooks {
        Webhooks { dice: fastrand::Rng::with_seed(1), customers, made: 0 }
    }

    /// Requests of so many items each, ready to be sent.
    pub(crate) fn requests(&mut self, count: usize, items: usize) -> Vec<Bytes> {
        (0..count).map(|_| self.request(items)).collect()
    }

    fn request(&mut self, items: usize) -> Bytes {
        let customers: Vec<u64> = (0..items).map(|_| self.dice.u64(0..self.customers)).collect();
        self.of_customers(&customers)
    }

    /// A request with a message of each of these customers.
    pub(crate) fn of_customers(&mut self, customers: &[u64]) -> Bytes {
        let messages: Vec<Value> = customers.iter().map(|customer| self.message(*customer)).collect();
        let contacts: Vec<Value> = customers.iter().map(|customer| contact(*customer)).collect();
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
            "contacts": contacts,
            "messages": messages,
        });
        let entry = json!({"id": "102290129340398", "changes": [{"field": "messages", "value": value}]});
        signed(&json!({"object": "whatsapp_business_account", "entry": [entry]}).to_string())
    }

    /// The channel's id of the message that was made last.
    pub(crate) fn last_id(&self) -> String {
        message_id(self.made)
    }

    fn message(&mut self, customer: u64) -> Value {
        self.made += 1;
        let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
        json!({
            "from": number(customer),
            "id": message_id(self.made),
            "timestamp": seconds.to_string(),
            "type": "text",
            "text": {"body": words(&mut self.dice)},
        })
    }
}

/// A sentence of 4 to 20 words.
pub(crate) fn words(dice: &mut fastrand::Rng) -> String {
    const WORDS: [&str; 16] = [
        "hello",
        "where",
        "is",
        "my",
        "order",
        "the",
        "parcel",
        "arrived",
        "broken",
        "please",
        "refund",
        "me",
        "thank",
        "you",
        "yesterday",
        "invoice",
    ];
    let words: Vec<&str> = (0..dice.usize(4..=20)).map(|_| WORDS[dice.usize(0..WORDS.len())]).collect();
    words.join(" ")
}

/// As long as the channel's own.
fn message_id(nth: u64) -> String {
    format!("wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQz{nth:018}AA==")
}

fn number(customer: u64) -> String {
    format!("4915{customer:08}")
}

fn contact(customer: u64) -> Value {
    json!({"wa_id": number(customer), "profile": {"name": format!("Customer {customer}")}})
}

fn signed(body: &str) -> Bytes {
    let signature = match Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) {
        Ok(mac) => mac.chain_update(body.as_bytes()).finalize().into_bytes(),
        Err(_) => unreachable!("HMAC takes keys of any length"),
    };
    let mut request = String::with_capacity(body.len() + 256);
    request.push_str("POST /webhooks/whatsapp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
    request.push_str("x-hub-signature-256: sha256=");
    for byte in signature {
        // Writing to a string never fails.
        let _ = write!(request, "{byte:02x}");
    }
    let _ = write!(request, "\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    request.into()
}
