//! Every documented request of a type that we have: the same body, made from the values of the example itself.

use std::collections::BTreeSet;
use std::path::PathBuf;

use proto::v1;
use serde_json::{Value, json};

use super::super::body;
use crate::channel::{Outgoing, Recipient};

/// Interactive messages that our API has no words for: goods and orders need a catalogue, forms (flows) a form of Meta's.
const NOT_OURS: [&str; 6] = ["catalog_message", "flow", "order_details", "order_status", "product", "product_list"];

/// The examples of a kind; none where `THREADMARK_FIXTURES` does not say where they are.
pub(super) fn examples(kind: &str) -> Vec<Value> {
    let Some(folder) = std::env::var_os("THREADMARK_FIXTURES") else {
        eprintln!("skipped: THREADMARK_FIXTURES is not set");
        return Vec::new();
    };
    let all = std::fs::read_to_string(PathBuf::from(folder).join("graph_send_examples.jsonl")).unwrap();
    let all: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    all.into_iter().filter(|example| example["kind"] == kind).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn each<T>(value: &Value, made: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().map(|all| all.iter().map(made).collect()).unwrap_or_default()
}

fn media(value: &Value) -> v1::Media {
    v1::Media {
        id: text(&value["id"]),
        link: text(&value["link"]),
        caption: text(&value["caption"]),
        file_name: text(&value["filename"]),
        ..v1::Media::default()
    }
}

fn interactive(value: &Value) -> v1::Interactive {
    let action = &value["action"];
    let button =
        |button: &Value| v1::Button { id: text(&button["reply"]["id"]), title: text(&button["reply"]["title"]) };
    let row = |row: &Value| v1::ListRow {
        id: text(&row["id"]),
        title: text(&row["title"]),
        description: text(&row["description"]),
    };
    let section =
        |section: &Value| v1::ListSection { title: text(&section["title"]), rows: each(&section["rows"], row) };
    v1::Interactive {
        header: text(&value["header"]["text"]),
        body: text(&value["body"]["text"]),
        footer: text(&value["footer"]["text"]),
        buttons: each(&action["buttons"], button),
        list_button: text(&action["button"]),
        list_sections: each(&action["sections"], section),
    }
}

fn template(value: &Value) -> v1::Template {
    let components = value.get("components").map(Value::to_string).unwrap_or_default();
    v1::Template { name: text(&value["name"]), language: text(&value["language"]["code"]), components_json: components }
}

fn location(value: &Value) -> v1::Location {
    let number = |key: &str| value[key].as_f64().unwrap();
    v1::Location {
        latitude: number("latitude"),
        longitude: number("longitude"),
        name: text(&value["name"]),
        address: text(&value["address"]),
    }
}

fn card(value: &Value) -> v1::SharedContact {
    v1::SharedContact {
        name: text(&value["name"]["formatted_name"]),
        phones: each(&value["phones"], |phone| text(&phone["phone"])),
        emails: each(&value["emails"], |email| text(&email["email"])),
    }
}

/// The message of an example.
fn outgoing(example: &Value) -> Outgoing {
    let kind = text(&example["type"]);
    let content = &example[&kind];
    let mut message = v1::Message { r#type: kind.clone(), ..v1::Message::default() };
    let mut reply_to = text(&example["context"]["message_id"]);
    match kind.as_str() {
        "text" => message.text = text(&content["body"]),
        "template" => message.template = Some(template(content)),
        "interactive" => message.interactive = Some(interactive(content)),
        "location" => message.location = Some(location(content)),
        "contacts" => message.contacts = each(content, card),
        "reaction" => (message.text, reply_to) = (text(&content["emoji"]), text(&content["message_id"])),
        _ => message.media = Some(media(content)),
    }
    Outgoing { to: Recipient::Number(text(&example["to"])), message, reply_to, message_id: String::new() }
}

/// An example as it would be with everything written out that the API takes for granted.
fn written_out(mut example: Value) -> Value {
    let named = ["text", "interactive"].into_iter().find(|kind| example.get(kind).is_some());
    let example_of = example.as_object_mut().unwrap();
    example_of.entry("recipient_type").or_insert("individual".into());
    if let Some(kind) = named {
        example_of.entry("type").or_insert(kind.into());
    }
    // The only policy that there is.
    if let Some(language) = example.pointer_mut("/template/language").and_then(Value::as_object_mut) {
        assert!(matches!(language.remove("policy"), None | Some(Value::String(_))));
    }
    example
}

/// A contact card as far as our type of it goes: one name, numbers and addresses.
fn narrowed(mut example: Value) -> Value {
    // Naming what is not there by [] would put it there.
    for card in example.get_mut("contacts").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = card["name"]["formatted_name"].clone();
        let phones = each(&card["phones"], |phone| json!({ "phone": phone["phone"] }));
        let emails = each(&card["emails"], |email| json!({ "email": email["email"] }));
        let name = json!({ "formatted_name": name, "first_name": name });
        *card = json!({ "name": name, "phones": phones, "emails": emails });
    }
    example
}

#[test]
fn our_bodies_equal_the_documented_ones() {
    let (mut types, mut not_ours, mut equal) = (BTreeSet::new(), BTreeSet::new(), 0);
    let examples = examples("request");
    for example in &examples {
        let name = &example["name"];
        let theirs = written_out(example["body"].clone());
        if theirs.get("status").is_some() {
            let ours = body::seen(theirs["message_id"].as_str().unwrap(), true).unwrap();
            let mut theirs = theirs;
            theirs.as_object_mut().unwrap().remove("recipient_type");
            assert_eq!(serde_json::from_slice::<Value>(&ours).unwrap(), theirs, "{name}");
            continue;
        }
        if let Some(kind) = theirs["interactive"]["type"].as_str().filter(|kind| NOT_OURS.contains(kind)) {
            not_ours.insert(kind.to_owned());
            continue;
        }
        let ours: Value = serde_json::from_slice(&body::message(&outgoing(&theirs)).unwrap()).unwrap();
        types.insert(text(&theirs["type"]));
        assert_eq!(ours, narrowed(theirs), "{name}");
        equal += 1;
    }
    if !examples.is_empty() {
        let all =
            ["audio", "contacts", "document", "image", "interactive", "location", "reaction", "sticker", "template"];
        assert_eq!(Vec::from_iter(types), [&all[..], &["text", "video"]].concat());
        assert!(equal >= 40 && not_ours.len() == NOT_OURS.len(), "{equal}, {not_ours:?}");
    }
}
