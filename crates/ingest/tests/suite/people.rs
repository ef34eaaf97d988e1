//! Whose message it is.

use ingest::whatsapp::{Effect, Reject, Update};
use proto::v1;
use serde_json::{Value, json};

use crate::bodies::{body, change, messages, text};
use crate::parsing::{chat, with_items};

#[test]
fn nobody_is_made_up() {
    let nobody = json!({"id": "m", "timestamp": "1", "type": "text", "text": {"body": "hi"}});
    let none = change("messages", json!({"messages": [nobody]}));
    with_items(&body(&[none]), |items| assert_eq!(items[0].update.as_ref().unwrap_err(), &Reject::Nobody));
    // Beside a message of someone else, the only contact is that one's.
    let mixed = messages(&[text("m-1", "hi"), nobody]);
    with_items(&body(&[mixed]), |items| assert_eq!(items[1].update.as_ref().unwrap_err(), &Reject::Nobody));
}

#[test]
fn contacts_are_matched_by_id_never_by_position() {
    let from =
        |id: &str, from: &str| json!({"id": id, "from": from, "timestamp": "1", "type": "text", "text": {"body": "x"}});
    let contacts = json!([
        {"wa_id": "22", "profile": {"name": "Bea", "username": "bea"}, "user_id": "DE.b"},
        {"wa_id": "11", "profile": {"name": "Abe"}},
    ]);
    let list = json!([from("m-1", "11"), from("m-2", "22"), from("m-3", "33")]);
    with_items(&body(&[change("messages", json!({"contacts": contacts, "messages": list}))]), |items| {
        let people = items.iter().map(|item| match item.update.as_ref().unwrap() {
            Update::Chat(chat) => {
                (chat.person.name.as_str(), chat.person.user_id.as_deref(), chat.person.username.as_str())
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(people.collect::<Vec<_>>(), [("Abe", None, ""), ("Bea", Some("DE.b"), "bea"), ("", None, "")]);
    });
    // One contact and two senders: it is not known whose name it is.
    let contacts = json!([{"wa_id": "22", "profile": {"name": "Bea"}}]);
    let list = json!([from("m-1", "11"), from("m-3", "33")]);
    with_items(&body(&[change("messages", json!({"contacts": contacts, "messages": list}))]), |items| {
        assert!(items.iter().all(|item| matches!(&item.update, Ok(Update::Chat(chat)) if chat.person.name.is_empty())));
    });
}

#[test]
fn a_user_id_is_enough_of_a_sender() {
    let one = json!({"id": "m", "from_user_id": "DE.1", "timestamp": "1", "type": "text", "text": {"body": "x"}});
    let contacts = json!([{"user_id": "DE.1", "profile": {"name": "Ada", "username": "ada"}}, {"user_id": "DE.2"}]);
    let chat = chat(&body(&[change("messages", json!({"contacts": contacts, "messages": [one]}))]));
    let wanted = v1::Contact {
        id: "DE.1".to_owned(),
        display_name: "Ada".to_owned(),
        user_id: "DE.1".to_owned(),
        username: "ada".to_owned(),
    };
    assert_eq!((chat.person.contact(), chat.message.raw_json.as_str()), (wanted, ""));
}

#[test]
fn a_change_of_address_names_the_old_and_the_new() {
    let system = |top: Value, system: Value| {
        let mut one = json!({"id": "m", "timestamp": "1", "type": "system", "system": system});
        one.as_object_mut().unwrap().extend(top.as_object().unwrap().clone());
        let chat = chat(&body(&[change("messages", json!({"messages": [one]}))]));
        let Effect::Contact { word, now } = chat.effect else { panic!("{:?}", chat.effect) };
        let text = |address: Option<String>| address.unwrap_or_default();
        [word, text(chat.person.number), text(chat.person.user_id), text(now.number), text(now.user_id)]
    };
    let number = "user_changed_number";
    for new in ["wa_id", "new_wa_id"] {
        let found = system(json!({"from": "11"}), json!({"type": number, new: "22", "body": "x"}));
        assert_eq!(found, [number, "11", "", "22", ""]);
    }
    let found = system(json!({"from": "11"}), json!({"type": number, "customer": "11", "wa_id": "22"}));
    assert_eq!(found, [number, "11", "", "22", ""]);
    let found = system(json!({}), json!({"type": number, "customer": "11", "wa_id": "22"}));
    assert_eq!(found, [number, "11", "", "22", ""]);
    let found = system(json!({"from": "11"}), json!({"type": number, "customer": "22"}));
    assert_eq!(found, [number, "11", "", "22", ""]);
    let ids = json!({"type": number, "wa_id": "22", "user_id": "DE.new", "previous_user_id": "DE.old"});
    assert_eq!(system(json!({"from": "11", "from_user_id": "DE.new"}), ids), [number, "11", "DE.old", "22", "DE.new"]);
    let user_id = "user_changed_user_id";
    let ids = json!({"type": user_id, "user_id": "DE.new", "previous_user_id": "DE.old"});
    assert_eq!(system(json!({}), ids), [user_id, "", "DE.old", "", "DE.new"]);
    let found = system(json!({"from": "11"}), json!({"type": "customer_identity_changed", "body": "x"}));
    assert_eq!(found, ["customer_identity_changed", "11", "", "", ""]);
}
