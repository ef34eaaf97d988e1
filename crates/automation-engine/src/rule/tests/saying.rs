use super::super::{Action, Filled};
use super::rules;
use crate::condition::{ContactFields, Context, EventFields, MessageFields};

fn context() -> Context {
    Context {
        contact: Some(ContactFields { display_name: "Maximiliane von Hohenstein".into(), ..Default::default() }),
        message: Some(MessageFields { text: "x".repeat(3000), ..Default::default() }),
        event: EventFields { error_codes: vec![131_026, 131_047], ..Default::default() },
        ..Default::default()
    }
}

fn action(on: &str, action: &str) -> Action {
    let mut read = rules(&format!("name: a\non: {on}\ndo:\n  - {action}\n"));
    read.remove(0).steps.remove(0).action
}

fn said(what: &str) -> Result<Filled, String> {
    let Action::SendMessage(content) = action("message.received", what) else { panic!("{what}") };
    content.fill(&context()).map_err(|fault| fault.to_string())
}

#[test]
fn what_is_said_keeps_within_the_limits_of_the_channel() {
    let buttons = r#"send_message: { header: "{{message.text}}", text: "{{message.text}}", buttons: ["{{contact.display_name}}"] }"#;
    // The id of a button stands in the clear.
    assert!(
        super::super::parse(&format!("name: a\non: message.received\ndo:\n  - {buttons}\n"), &Default::default())
            .is_err()
    );
    let buttons =
        buttons.replace("[\"{{contact.display_name}}\"]", "[{ id: me, title: \"{{contact.display_name}}\" }, No]");
    let Ok(Filled::Buttons { header, text, footer, buttons }) = said(&buttons) else { panic!() };
    assert_eq!((header.chars().count(), text.chars().count(), footer.as_str()), (60, 1024, ""));
    assert_eq!(buttons, [("me".to_owned(), "Maximiliane von Hoh…".to_owned()), ("No".to_owned(), "No".to_owned())]);
}

#[test]
fn parameters_become_the_channels_components() {
    let template =
        "send_message: { template: { name: hi, language: en_US, parameters: [\"{{contact.display_name}}\"] } }";
    let Ok(Filled::Template { components_json, .. }) = said(template) else { panic!() };
    let parameter = r#"{"parameters":[{"text":"Maximiliane von Hohenstein","type":"text"}],"type":"body"}"#;
    let found: serde_json::Value = serde_json::from_str(&components_json).unwrap();
    assert_eq!(found, serde_json::from_str::<serde_json::Value>(&format!("[{parameter}]")).unwrap());
    let long = "send_message: { template: { name: hi, language: en, parameters: [".to_owned()
        + &["\"{{message.text}}\""; 6].join(", ")
        + "] } }";
    assert_eq!(said(&long), Err("the components are longer than 16384 bytes".to_owned()));
}

#[test]
fn a_message_that_says_nothing_is_a_fault() {
    assert_eq!(said("send_message: \"{{contact.username}}\""), Err("contact.username is absent".to_owned()));
    assert_eq!(
        said("send_message: \"{{contact.username | default: ''}} \""),
        Err("anything to say is not there".to_owned())
    );
}

#[test]
fn json_keeps_types_and_order() {
    let publish = "publish: { name: failed, data: { b: \"{{event.error_codes}}\", a: [1, yes, null, \"7\", \"n {{event.depth}}\"] } }";
    let Action::Publish { data, .. } = action("message.failed", publish) else { panic!() };
    let filled = data.fill(&context()).unwrap();
    assert_eq!(filled, serde_json::json!({ "b": [131_026, 131_047], "a": [1, "yes", null, "7", "n 0"] }));
}
