use super::super::{Needs, Verdict};
use super::{compile, context};

fn check(source: &str, expect: &str) {
    let condition = compile(source);
    let verdict = condition.evaluate(&context());
    let found = condition.explain(&verdict).unwrap_or_else(|| "true".to_owned());
    assert_eq!(found, expect, "{source}");
}

#[test]
fn what_is_true_is_true() {
    let sources = [
        r#"message.text.matches("(?i)refund") && conversation.open_ticket_count == 1"#,
        r#"message.text.contains("Refund") && message.text.startsWith("A ") && message.text.endsWith("5")"#,
        r#"message.text.lowerAscii().contains("refund") && "  x ".trim() == "x" && "x".upperAscii() == "X""#,
        r#"size("Straße") == 6 && conversation.tags.size() == 2"#,
        r#""vip" in conversation.tags && !("spam" in conversation.tags)"#,
        r#"conversation.tags.exists(tag, tag.startsWith("ber")) && conversation.tags.all(t, t != "spam")"#,
        r#"conversation.tags.filter(t, t == "vip").size() == 1 && conversation.tags.exists_one(t, t == "vip")"#,
        r#"conversation.tags.map(t, size(t)) == [3, 6] && [1, 2] + [3] == [1, 2, 3]"#,
        "!workspace.open && workspace.time_zone == \"Europe/Berlin\"",
        "now.getHours(workspace.time_zone) == 21 && now.getHours() == 20 && now.getHours(\"+05:30\") == 2",
        "now.getDayOfWeek() == 4 && now.getMonth() == 10 && now.getDate() == 26 && now.getDayOfMonth() == 25",
        "ticket.age > duration(\"1h59m\") && ticket.age.getHours() == 2 && ticket.age == duration(\"120m\")",
        "now - conversation.last_message.time < duration(\"5m\")",
        "now > timestamp(\"2026-11-26T21:00:00+01:00\") && now - duration(\"24h\") < now",
        "has(ticket.id) && has(ticket.topic) && !has(ticket.close_time) && !has(conversation.assignee)",
        "has(conversation.last_message) && conversation.last_message.actor.kind == \"agent\"",
        "event.data.order.id == 17 && event.data.order.total > 99 && event.data[\"order\"].paid",
        "has(event.data.order) && !has(event.data.order.coupon) && !has(event.data.a.b.c) && event.data.none == null",
        "event.data.order.lines.exists(line, line.sku == \"b\") && event.data.order.lines[0].n == 2",
        "\"y\" in event.data.tags && \"order\" in event.data && size(event.data.tags) == 2",
        "int(\"42\") == 42 && double(1) == 1.0 && string(42) == \"42\" && string(duration(\"90s\")) == \"90s\"",
        "(message.type == \"text\" ? 1 : 2) == 1 && -(3 - 5) == 2 && 7 % 4 == 3 && 7 / 2 == 3 && 2.0 * 1.5 == 3.0",
        "conversation.assignee.agent == \"x\" || true",
        "true || conversation.assignee.agent == \"x\"",
        "message.location.latitude > 52.0 && message.location.longitude < 14",
        "['a', 'b'].exists(x, ['b', 'c'].exists(y, x == y))",
        "message.text.matches(r'\\bplease\\b') && matches(message.text, '^A')",
    ];
    for source in sources {
        check(source, "true");
    }
}

#[test]
fn what_is_not_true_has_a_reason() {
    let cases = [
        ("message.type == \"image\"", "false: message.type == \"image\""),
        ("true && message.type == \"text\" && (1 > 2 && true)", "false: (1 > 2 && true)"),
        ("'a && b' == 'a' && true", "false: 'a && b' == 'a'"),
        ("1 > 2 || 2 > 3", "false: 1 > 2 || 2 > 3"),
        ("true &&\n  // one && two\n  1 > 2", "false: // one && two\n  1 > 2"),
        (
            "message.type == \"text\" && contact.username == \"maya\"",
            "no result, contact.username is absent: contact.username == \"maya\"",
        ),
        (
            "conversation.assignee.agent == \"x\" || false",
            "no result, conversation.assignee.agent is absent: conversation.assignee.agent == \"x\" || false",
        ),
        (
            "(conversation.assignee.agent == \"x\" && false) || false",
            "false: (conversation.assignee.agent == \"x\" && false) || false",
        ),
        ("event.data.order.coupon == 1", "no result, \"coupon\" is not there: event.data.order.coupon == 1"),
        ("event.data.order.lines[7].n == 1", "no result, element 7 is not there: event.data.order.lines[7].n == 1"),
        ("event.data.order < 3", "no result, map and int can't be compared: event.data.order < 3"),
        ("event.data.order.id", "no result, a condition can't take int: event.data.order.id"),
        ("event.data.tags.matches('x')", "no result, matches() can't take list: event.data.tags.matches('x')"),
        (
            "1 / (conversation.open_ticket_count - 1) > 0",
            "no result, a division by zero: 1 / (conversation.open_ticket_count - 1) > 0",
        ),
        (
            "9223372036854775807 + conversation.open_ticket_count > 0",
            "no result, a number is too large: 9223372036854775807 + conversation.open_ticket_count > 0",
        ),
        ("int(message.text) == 1", "no result, this string is no int: int(message.text) == 1"),
    ];
    for (source, expect) in cases {
        check(source, expect);
    }
}

#[test]
fn work_is_bounded() {
    let mut context = context();
    context.event.data = Some((0..2000).map(serde_json::Value::from).collect());
    let condition = compile("event.data.exists(a, event.data.exists(b, a == -1 && b == a))");
    let verdict = condition.evaluate(&context);
    assert_eq!(
        condition.explain(&verdict).unwrap(),
        "no result, it takes more than 50000 steps: event.data.exists(a, event.data.exists(b, a == -1 && b == a))"
    );
}

#[test]
fn needs_follow_from_the_fields_that_are_named() {
    let none = Needs::default();
    let cases = [
        ("workspace.open && event.depth == 0 && message.type == 'text'", none),
        ("message.text == ''", Needs { words: true, ..none }),
        ("has(contact.username)", Needs { words: true, ..none }),
        ("'vip' in conversation.tags", Needs { state: true, ..none }),
        ("has(conversation.last_message)", Needs { history: true, ..none }),
        ("conversation.last_ticket.topic == 'x'", Needs { last_ticket: true, ..none }),
        ("ticket.answered", Needs { state: true, ticket_metrics: true, ..none }),
    ];
    for (source, needs) in cases {
        assert_eq!(compile(source).needs(), needs, "{source}");
    }
    let paths: Vec<&str> =
        compile("now > event.time && now > event.time").references().iter().map(|f| f.path).collect();
    assert_eq!(paths, ["event.time", "now"]);
}

#[test]
fn an_empty_context_crashes_nothing() {
    for field in super::super::FIELDS {
        for source in [format!("has({})", field.path), format!("dyn({}) == 1", field.path)] {
            if field.path == "now" && source.starts_with("has") {
                continue;
            }
            let all = [
                super::Scope::Conversation,
                super::Scope::Message,
                super::Scope::Failed,
                super::Scope::Tag,
                super::Scope::Assigned,
                super::Scope::Agent,
                super::Scope::External,
            ];
            let scopes = super::Scopes::new("any", &all);
            let condition = super::Condition::compile(&source, &scopes).unwrap();
            let verdict = condition.evaluate(&super::Context::default());
            assert!(!matches!(verdict, Verdict::Failed { .. }) || !source.starts_with("has"), "{source}: {verdict:?}");
        }
    }
}
