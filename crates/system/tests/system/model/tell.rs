//! What the world tells in a random history: through webhooks, and through ReceiveMessage where there is none.

use fastrand::Rng;
use oracle::Nanos;
use proto::v1;
use serde_json::{Value, json};

use super::case::{Case, Fact, Item, now};
use crate::adapter::to_time;
use crate::signed;

pub(crate) const SECOND: Nanos = 1_000_000_000;

/// Something new on a channel that has a webhook.
pub(crate) fn item(random: &mut Rng, case: &Case) -> Item {
    let maker = Maker { number: case.phone_number_id.as_deref().expect("a channel with a webhook"), case };
    match random.u8(..20) {
        0..7 => maker.received(random),
        7..9 => maker.echoed(random),
        9..12 => maker.back_filled(random),
        12..15 => maker.status(random),
        15..19 => maker.changed(random),
        _ => maker.number_changed(random),
    }
}

struct Maker<'a> {
    number: &'a str,
    case: &'a Case,
}

impl Maker<'_> {
    fn received(&self, random: &mut Rng) -> Item {
        let (id, seconds, words) = (fresh(random, self.case), seconds(random), words(random));
        let message = signed::message(&id, &self.from(random), seconds, "text", &json!({"body": words}));
        let change = signed::received(self.number, &self.name(), &message);
        item_of(id, seconds, Fact::Received(words), change)
    }

    /// From the phone of the business; sometimes of a message that we sent ourselves.
    fn echoed(&self, random: &mut Rng) -> Item {
        let own = self.case.read(|journal| random.choice(&journal.said).cloned());
        let id = match own {
            Some(own) if random.u8(..3) == 0 => channel_id(&own),
            _ => fresh(random, self.case),
        };
        // The same id has to say the same each time.
        let (seconds, words) = (seconds(random), format!("echo {id}"));
        let message = signed::message(&id, signed::BUSINESS, seconds, "text", &json!({"body": words}));
        let change = signed::echoed(self.number, &self.case.contact, &message);
        item_of(id, seconds, Fact::Echoed(words), change)
    }

    fn back_filled(&self, random: &mut Rng) -> Item {
        let (id, words, inbound) = (fresh(random, self.case), words(random), random.bool());
        // Long before, within the windows of this very history, or, absurdly, to come.
        let seconds = now() / SECOND - random.choice([86_400, 1, 2, 3, 0, -3_600]).unwrap();
        let from = if inbound { &self.case.contact } else { signed::BUSINESS };
        let message = signed::message(&id, from, seconds, "text", &json!({"body": words}));
        let change = signed::back_filled(self.number, &self.case.contact, &[message]);
        item_of(id, seconds, Fact::BackFilled { inbound, text: words }, change)
    }

    /// Of a message of ours, which the channel knows by another name; of any other; of none.
    fn status(&self, random: &mut Rng) -> Item {
        let own = self.case.read(|journal| random.choice(&journal.said).cloned());
        let word = *random.choice(&["accepted", "sent", "failed", "delivered", "read", "played", "lost"]).unwrap();
        let seconds = now() / SECOND - random.i64(0..4);
        let own = own.filter(|_| random.u8(..4) > 0);
        let id = own.map_or_else(|| self.target(random), |own| channel_id(&own));
        // The same report says the same each time: whether it tells our own id hangs on what makes it the same.
        let tells = (seconds + word.len() as i64) % 2 == 0;
        let own = self.case.read(|journal| journal.said.iter().find(|own| tells && channel_id(own) == id).cloned());
        let own = own.unwrap_or_default();
        let change = signed::status(self.number, &id, &self.case.contact, word, seconds, &own);
        item_of(id, seconds, Fact::Status { word: word.to_owned() }, change)
    }

    /// A reaction, an edit or a revocation, of a message that is known or not.
    fn changed(&self, random: &mut Rng) -> Item {
        let (id, seconds, target) = (fresh(random, self.case), seconds(random), self.target(random));
        let (kind, content) = match random.u8(..3) {
            0 => {
                let emoji = *random.choice(&["👍", "🎉", ""]).unwrap();
                ("reaction", json!({"message_id": target, "emoji": emoji}))
            }
            1 => {
                let now = json!({"type": "text", "text": {"body": words(random)}});
                ("edit", json!({"original_message_id": target, "message": now}))
            }
            _ => ("revoke", json!({"original_message_id": target})),
        };
        let message = signed::message(&id, &self.from(random), seconds, kind, &content);
        item_of(id, seconds, Fact::Changed, signed::received(self.number, &self.name(), &message))
    }

    fn number_changed(&self, random: &mut Rng) -> Item {
        let (id, seconds) = (fresh(random, self.case), seconds(random));
        let new = format!("{}{}", self.case.contact, random.u8(..2));
        let system = json!({"type": "user_changed_number", "body": "changed", "wa_id": new});
        let message = signed::message(&id, &self.case.contact, seconds, "system", &system);
        item_of(id, seconds, Fact::Contact, signed::change("messages", self.number, &json!({"messages": [message]})))
    }

    fn target(&self, random: &mut Rng) -> String {
        let known = self.case.read(|journal| {
            let said = journal.said.iter().map(|own| channel_id(own));
            let told = journal.items.iter().map(|item| item.id.clone());
            random.choice(&said.chain(told).collect::<Vec<_>>()).cloned()
        });
        known.filter(|_| random.u8(..5) > 0).unwrap_or_else(|| format!("wamid.unknown.{:x}", random.u16(..)))
    }

    /// One of the contact's numbers.
    fn from(&self, random: &mut Rng) -> String {
        let changed = self.case.read(|journal| random.choice(&journal.numbers).cloned());
        changed.filter(|_| random.bool()).unwrap_or_else(|| self.case.contact.clone())
    }

    fn name(&self) -> String {
        format!("Customer {}", self.case.seed)
    }
}

/// An item that can't become an event, as it is sent, and the change that it stands in.
pub(crate) fn bad(random: &mut Rng, case: &Case) -> (String, Value) {
    let number = case.phone_number_id.as_deref().expect("a channel with a webhook");
    let mut message = signed::message(&fresh(random, case), &case.contact, 0, "text", &json!({"body": "bad"}));
    match random.u8(..3) {
        0 => message["timestamp"] = "4102444801".into(),
        1 => message["id"] = format!("{}\u{1}", fresh(random, case)).into(),
        _ => message["text"]["body"] = format!("{:x}{}", random.u64(..), "x".repeat(64 * 1024)).into(),
    }
    (message.to_string(), signed::received(number, "", &message))
}

/// The new number, once the channel has said so.
pub(crate) fn new_number(item: &Item) -> Option<String> {
    let change = item.change.as_ref().filter(|_| item.what == Fact::Contact)?;
    change["value"]["messages"][0]["system"]["wa_id"].as_str().map(str::to_owned)
}

/// A message on a channel without a webhook, or beside it.
pub(crate) fn message(random: &mut Rng, case: &Case) -> (Item, v1::ReceiveMessageRequest) {
    let id = fresh(random, case);
    let (words, occur) = (words(random), moment(random));
    let request = v1::ReceiveMessageRequest {
        workspace: case.workspace.clone(),
        channel: case.channel.clone(),
        contact: Some(v1::Contact { id: case.contact.clone(), ..v1::Contact::default() }),
        message: Some(v1::ReceivedMessage {
            id: id.clone(),
            text: words.clone(),
            occur_time: Some(to_time(occur)),
            ..v1::ReceivedMessage::default()
        }),
        ..v1::ReceiveMessageRequest::default()
    };
    (Item { id, occur, what: Fact::Received(words), change: None }, request)
}

fn item_of(id: String, seconds: i64, what: Fact, change: Value) -> Item {
    Item { id, occur: seconds * SECOND, what, change: Some(change) }
}

fn fresh(random: &mut Rng, case: &Case) -> String {
    format!("wamid.{}.{:x}", case.seed, random.u64(..))
}

/// What the channel calls a message of ours.
pub(crate) fn channel_id(own: &str) -> String {
    format!("wamid.{own}")
}

fn words(random: &mut Rng) -> String {
    format!("where is {}?", random.u32(..))
}

fn seconds(random: &mut Rng) -> i64 {
    moment(random) / SECOND
}

/// Now, around the 5 minutes of W7, long ago, or to come.
fn moment(random: &mut Rng) -> Nanos {
    let ago = match random.u8(..10) {
        0..6 => random.i64(0..2 * SECOND),
        6 => 300 * SECOND + random.i64(-2 * SECOND..2 * SECOND),
        7 => random.i64(0..100_000) * SECOND,
        8 => -random.i64(0..300) * SECOND,
        _ => 0,
    };
    now() - ago
}
