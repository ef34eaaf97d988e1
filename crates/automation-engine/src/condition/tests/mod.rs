mod cost;
mod mistakes;
mod oracle;
mod verdicts;

use conversation::Time;

use super::{
    ActorFields, Condition, ContactFields, Context, ConversationFields, EventFields, HistoryFields, LastMessageFields,
    MessageFields, Scope, Scopes, TicketFields, WorkspaceFields,
};

/// Those of a message that came in.
fn scopes() -> Scopes {
    Scopes::new("message.received", &[Scope::Conversation, Scope::Message, Scope::External])
}

fn compile(source: &str) -> Condition {
    Condition::compile(source, &scopes()).unwrap_or_else(|problems| panic!("{source}: {problems:#?}"))
}

/// Thursday, 2026-11-26T20:30:00Z.
const NOW: Time = Time(1_795_725_000_000_000_000);

/// A customer with a ticket of two hours asks for a refund.
fn context() -> Context {
    let data = r#"{"order": {"id": 17, "total": 99.5, "paid": true, "lines": [{"sku": "a", "n": 2}, {"sku": "b"}]},
        "tags": ["x", "y"], "none": null}"#;
    let agent = ActorFields { kind: "agent".into(), id: "ann".into(), name: "Ann".into() };
    Context {
        event: EventFields {
            id: "e1".into(),
            kind: "message.received".into(),
            time: NOW,
            actor: ActorFields { kind: "customer".into(), ..Default::default() },
            data: Some(serde_json::from_str(data).unwrap()),
            name: "order-shipped".into(),
            ..Default::default()
        },
        message: Some(MessageFields {
            kind: "text".into(),
            inbound: true,
            text: "A Refund, please: Straße 5".into(),
            location: Some((52.5, 13.25)),
            ..Default::default()
        }),
        contact: Some(ContactFields { id: "49170".into(), display_name: "Maya".into(), ..Default::default() }),
        conversation: Some(ConversationFields {
            id: "c1".into(),
            channel: "whatsapp:1".into(),
            tags: vec!["vip".into(), "berlin".into()],
            open_topics: vec!["refund".into()],
            ticket_count: 3,
            history: Some(HistoryFields {
                unread_count: 2,
                last_message: Some(LastMessageFields {
                    time: Time(NOW.0 - 60_000_000_000),
                    actor: agent.clone(),
                    inbound: false,
                }),
                continues: String::new(),
            }),
            ..Default::default()
        }),
        ticket: Some(TicketFields {
            id: "c1-3".into(),
            topic: "refund".into(),
            opened_by: agent,
            open_time: Time(NOW.0 - 7_200_000_000_000),
            ..Default::default()
        }),
        workspace: WorkspaceFields {
            name: "acme".into(),
            time_zone: "Europe/Berlin".into(),
            open: false,
            holiday: false,
        },
        now: NOW,
    }
}
