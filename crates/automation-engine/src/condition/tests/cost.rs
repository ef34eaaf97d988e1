use std::hint::black_box;
use std::time::Instant;

use super::super::{Condition, Verdict};
use super::{compile, context};

/// What a condition costs, of a thousand that share one context and of which five match. `cargo test --release -p
/// automation-engine cost -- --ignored --nocapture`
#[test]
#[ignore = "prints a measurement"]
fn cost_of_a_condition() {
    let context = context();
    type Source = fn(usize) -> String;
    let shapes: [(&str, Source); 4] = [
        ("pattern and count", |i| {
            format!("message.text.matches(\"(?i)refund{i}|money back {i}\") && conversation.open_ticket_count == 1")
        }),
        ("tag and type", |i| format!("\"tag{i}\" in conversation.tags && message.type == \"text\"")),
        ("state alone", |i| {
            format!("conversation.open_ticket_count == {i} && !conversation.assigned && workspace.open")
        }),
        ("all parts true", |_| "ticket.age > duration(\"1h\") && message.text.contains(\"Refund\")".to_owned()),
    ];
    for (name, source) in shapes {
        let conditions: Vec<Condition> = (0..1000)
            .map(|i| if i % 200 == 0 { compile("\"vip\" in conversation.tags") } else { compile(&source(i + 2)) })
            .collect();
        let rounds = 200;
        let start = Instant::now();
        let mut matched = 0;
        for _ in 0..rounds {
            let context = black_box(&context);
            matched += conditions.iter().filter(|c| matches!(c.evaluate(context), Verdict::True)).count();
        }
        let each = start.elapsed().as_nanos() / (rounds * conditions.len() as u128);
        println!("{name}: {each} ns a condition, {} of 1000 match", matched / rounds as usize);
    }
}
