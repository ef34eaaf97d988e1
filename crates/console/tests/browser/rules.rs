//! Rules, and the bot.

use serde_json::Value;

use crate::world::{WORKSPACE, World};

/// Tries the draft of the page as its script does, and says what came.
const PROGRESS: &str = "const body = new URLSearchParams(new FormData(document.querySelector('#draft'))); \
    return fetch('/rules/backtest', { method: 'POST', body, headers: { Accept: 'application/x-ndjson' } }) \
        .then((answer) => answer.text()).then((text) => text.trim().split('\\n').map((line) => JSON.parse(line)));";

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_checked_tried_and_put_in_force() {
    let Some(world) = World::start().await else { return };
    world.say("Maya", "I want a refund").await;
    world.say("Jonas", "hello").await;
    let page = world.admin("ana").await;
    page.go("/rules").await;
    page.click("button[value=backtest]").await;
    page.reads("#report", "events in the period").await;
    page.reads("#report", "refunds-to-billing").await;
    page.reads("#report", "Difference").await;
    // How far it is comes line by line, and the report last.
    let lines = page.asks(PROGRESS).await;
    let lines: Vec<Value> = serde_json::from_value(lines).unwrap();
    let (report, steps) = lines.split_last().unwrap();
    assert!(report["html"].as_str().unwrap().contains("refunds-to-billing"), "{report}");
    assert!(!steps.is_empty() && steps.iter().all(|step| step["total"].is_i64()), "{steps:?}");
    page.asks("document.querySelector('textarea[name=yaml]').value = 'rules:\\n  - name: x\\n    on: nothing\\n'")
        .await;
    page.click("button[value=check]").await;
    page.sees("#report .refusal li").await;
    page.asks("document.querySelector('textarea[name=yaml]').value = 'rules:\\n  - name: greet\\n    on: message.received\\n    do:\\n      - add_tag: greeted\\n'").await;
    page.click("button[value=apply]").await;
    page.reads("#report", "In force now: greet").await;
    world.say("Lucía", "hola").await;
    testkit::eventually("the run", crate::world::DEADLINE, async || {
        page.go("/rules?rule=greet").await;
        page.texts(".outcome").await.iter().any(|text| text == "done").then_some(())
    })
    .await;
    page.reads("tbody li", "add_tag").await;
    page.reads("pre", "greeted").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_may_try_rules_and_is_told_who_puts_them_in_force() {
    let Some(world) = World::start().await else { return };
    world.say("Maya", "I want a refund").await;
    let page = world.browser("ana").await;
    page.go("/rules").await;
    page.click("button[value=backtest]").await;
    page.reads("#report", "refunds-to-billing").await;
    page.click("button[value=apply]").await;
    page.reads("#report .refusal", "role ADMIN").await;
    page.go("/rules").await;
    page.reads("main", "No rule yet").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_is_tried_in_a_box() {
    let Some(world) = World::start().await else { return };
    let faq = "question,answer\nWhat are your opening hours?,We are open from 9 to 17.\nHow long does delivery take?,Two days.\n";
    let request = proto::v1::ImportKnowledgeRequest {
        workspace: WORKSPACE.to_owned(),
        name: "faq".to_owned(),
        format: proto::v1::knowledge_document::Format::Csv.into(),
        data: faq.into(),
        ..Default::default()
    };
    world.bot().import_knowledge(request).await.unwrap();
    let page = world.browser("ana").await;
    page.go("/bot").await;
    page.reads("tbody th", "faq").await;
    page.types("textarea[name=text]", "I want to talk to a human").await;
    page.click("main form button").await;
    page.reads(".outcome", "It hands off").await;
    page.reads("[role=status]", "asks for a human").await;
    page.types("textarea[name=text]", "\u{e009}a\u{e000}What are your opening hours?").await;
    page.click("main form button").await;
    page.reads(".outcome", "It answers").await;
    page.reads("[role=status] .bubble", "from 9 to 17").await;
    page.reads("[role=status] .hint", "faq").await;
    page.close().await;
}
