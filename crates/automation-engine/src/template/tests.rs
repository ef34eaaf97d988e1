use super::{MAX_CHARS, Template};
use crate::condition::{ContactFields, Context, ConversationFields, MessageFields, Scope, Scopes};

fn scopes() -> Scopes {
    Scopes::new("message.received", &[Scope::Conversation, Scope::Message, Scope::External])
}

fn context() -> Context {
    Context {
        contact: Some(ContactFields { id: "49170".into(), display_name: "Maya".into(), ..Default::default() }),
        message: Some(MessageFields { text: "x".repeat(5000), ..Default::default() }),
        conversation: Some(ConversationFields { tags: vec!["a".into(), "b".into()], ..Default::default() }),
        event: crate::condition::EventFields {
            data: Some(serde_json::json!({ "order": { "id": 17, "lines": [1, 2] } })),
            ..Default::default()
        },
        ..Default::default()
    }
}

fn filled(source: &str) -> Result<String, String> {
    let template = Template::compile(source, &scopes()).unwrap_or_else(|problems| panic!("{source}: {problems:?}"));
    template.fill(&context()).map_err(|fault| fault.to_string())
}

#[test]
fn fields_are_filled_in() {
    let cases = [
        ("Hello {{contact.display_name}}!", "Hello Maya!"),
        ("{{ contact.display_name }}{{contact.id}}", "Maya49170"),
        ("Hi {{contact.username | default: \"there\"}}", "Hi there"),
        ("Hi {{contact.display_name | default: 'there'}}", "Hi Maya"),
        ("{{conversation.tags}} {{conversation.open_ticket_count}}", "a, b 0"),
        ("Order {{event.data.order.id}}: {{event.data.order.lines}}", "Order 17: [1,2]"),
        ("{{event.data.coupon | default: \"no }} coupon\"}}", "no }} coupon"),
        ("a { b } c }} {{\"{{\"}}", "a { b } c }} {{"),
        ("{{message.type | default: \"none\"}}", "none"),
        ("", ""),
    ];
    for (source, expect) in cases {
        assert_eq!(filled(source).as_deref(), Ok(expect), "{source}");
    }
}

#[test]
fn an_absent_field_without_a_default_is_a_fault() {
    assert_eq!(filled("Hi {{contact.username}}"), Err("contact.username is absent".to_owned()));
    assert_eq!(filled("{{event.data.a.b}}"), Err("event.data.a.b is not there".to_owned()));
}

#[test]
fn mistakes_say_where_and_what_would_be_right() {
    let cases = [
        ("Hi {{contact.dispaly_name}}", 5, "there is no field `contact.dispaly_name`; did you mean `display_name`?"),
        ("Hi {{ nobody }}", 6, "there is no `nobody`"),
        ("Hi {{contact}}", 5, "`contact` is not a value"),
        ("Hi {{contact.display_name", 3, "has no end"),
        ("Hi {{}}", 5, "names no field"),
        ("Hi {{contact.display_name | upper}}", 27, "only a default can follow |"),
        ("Hi {{contact.display_name | default: x}}", 27, "only a default can follow |"),
        ("{{event.tag}}", 2, "`event.tag` is there for tag.added and tag.removed, not for message.received"),
        ("{{message.text.size}}", 2, "`message.text` is string and has no field `size`"),
        ("{{1 + 1}}", 2, "is no field"),
        ("{{a{{b}}", 0, "has no end"),
    ];
    for (source, offset, message) in cases {
        let problems = Template::compile(source, &scopes()).unwrap_err();
        assert!(problems[0].message.contains(message), "{source}: {problems:?}");
        assert_eq!(problems[0].offset, offset, "{source}: {problems:?}");
    }
    let problems = Template::compile(&"é".repeat(MAX_CHARS + 1), &scopes()).unwrap_err();
    assert_eq!(problems[0].message, "is longer than 4096 characters");
}

#[test]
fn what_is_too_long_when_filled_is_cut() {
    let text = filled("{{message.text}} tail").unwrap();
    assert_eq!(text.chars().count(), MAX_CHARS);
    assert!(text.ends_with("xx…"));
    let template = Template::compile("{{contact.display_name}} Müller", &scopes()).unwrap();
    assert_eq!(template.fill_within(&context(), 8).unwrap(), "Maya Mü…");
}

#[test]
fn a_text_that_is_one_field_keeps_its_type_in_json() {
    let json = |source: &str| Template::compile(source, &scopes()).unwrap().fill_json(&context()).unwrap();
    assert_eq!(json("{{event.data.order.id}}"), serde_json::json!(17));
    assert_eq!(json("{{event.data.order}}"), serde_json::json!({ "id": 17, "lines": [1, 2] }));
    assert_eq!(json("{{conversation.tags}}"), serde_json::json!(["a", "b"]));
    assert_eq!(json("no {{event.data.order.id}}"), serde_json::json!("no 17"));
    assert_eq!(json("{{contact.username | default: \"-\"}}"), serde_json::json!("-"));
}
