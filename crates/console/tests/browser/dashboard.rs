//! The numbers of a period.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{DEADLINE, World};

#[tokio::test(flavor = "multi_thread")]
async fn numbers_lead_to_the_tickets_behind_them() {
    let Some(world) = World::start().await else { return };
    world.story("Maya").await;
    let (chat, _) = world.say("Jonas", "hello").await;
    world.open(&chat, "ben", "invoice").await;
    world.close(&chat, "ben", true).await;
    let page = world.browser("ana").await;
    page.go("/dashboard?period=today&by=opener").await;
    page.reads("[data-figure=opened]", "2").await;
    page.reads("[data-figure=closed]", "1").await;
    page.reads("[data-figure=open]", "2").await;
    page.sees("svg.plot rect.primary").await;
    page.click("[data-figure=opened]").await;
    page.counts("tbody tr", 2).await;
    page.reads("tbody tr", "invoice").await;
    page.go("/dashboard?period=today&by=opener").await;
    // The row of one opener.
    page.click("tbody tr:first-child td.num a").await;
    page.counts("tbody tr", 1).await;
    page.click("tbody th a").await;
    page.sees("#rows").await;
    assert!(page.path().await.starts_with("/c/"));
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_as_of_an_instant_knows_nothing_of_what_came_later() {
    let Some(world) = World::start().await else { return };
    world.story("Maya").await;
    let page = world.browser("ana").await;
    page.go("/dashboard?period=today&zone=Asia%2FTokyo&as_of=2020-01-01T00%3A00").await;
    page.reads("[data-figure=opened]", "0").await;
    page.reads("[role=note]", "As it stood on 1 Jan 2020").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_stands_as_it_stood_between_two_windows() {
    let Some(world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "hello").await;
    world.open(&chat, "ana", "first").await;
    let opened = Timestamp::now().as_second();
    // Moments are told to the second.
    let between = testkit::eventually("the next second", DEADLINE, async || {
        Some(Timestamp::now().as_second()).filter(|now| *now > opened + 1)
    });
    let between = Timestamp::from_second(between.await).unwrap().strftime("%Y-%m-%dT%H%%3A%M%%3A%S").to_string();
    world.close(&chat, "ana", false).await;
    let (other, _) = world.say("Jonas", "hello").await;
    world.open(&other, "ben", "second").await;
    let page = world.browser("ana").await;
    page.go("/dashboard?period=today&zone=UTC&by=topic").await;
    page.reads("[data-figure=opened]", "2").await;
    page.reads("[data-figure=closed]", "1").await;
    page.go(&format!("/dashboard?period=today&zone=UTC&by=topic&as_of={between}")).await;
    page.reads("[data-figure=opened]", "1").await;
    page.reads("[data-figure=closed]", "0").await;
    // And so does what the numbers lead to.
    page.click("[data-figure=opened]").await;
    page.counts("tbody tr", 1).await;
    page.reads("tbody tr", "first").await;
    page.sees("tbody tr .tag.open").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_period_in_any_zone_by_anything() {
    let Some(world) = World::start().await else { return };
    world.story("Maya").await;
    let page = world.browser("ana").await;
    for (by, row) in [("assignee", "Ana"), ("opener", "Ana"), ("topic", "damage"), ("channel", "web:shop")] {
        page.go(&format!("/dashboard?period=7d&unit=hour&by={by}")).await;
        page.reads("tbody th", row).await;
    }
    page.go("/dashboard?period=7d&basis=closed&by=closer&nested=1").await;
    page.reads("tbody th", "Ana").await;
    page.reads(".figure .hint", "90 % in").await;
    // By hand: a range of which the ticket is no part, and one of a day in another zone.
    page.asks(
        "const form = document.querySelector('form[action=\"/dashboard\"]'); \
        form.elements.from.value = '2020-02-01T00:00'; form.elements.to.value = '2020-02-03T12:30'; \
        form.elements.zone.value = 'Asia/Tokyo'; form.elements.basis.value = 'opened'; form.requestSubmit();",
    )
    .await;
    page.reads("h1", "Tickets from 1 Feb 2020, 00:00 to 3 Feb 2020, 12:30").await;
    page.reads("[data-figure=opened]", "0").await;
    page.counts("svg.plot text[text-anchor=middle]", 3).await;
    page.holds("the zone stays", "return document.querySelector('[name=zone]').value === 'Asia/Tokyo'").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_hold_one_row_for_each_window() {
    let Some(world) = World::start().await else { return };
    world.story("Maya").await;
    let page = world.browser("ana").await;
    page.go("/dashboard?period=today").await;
    page.sees("a[href^='/tickets.csv?']").await;
    page.sees("a[href^='/tickets.jsonl?']").await;
    let fetch = |path: &str| format!("return fetch('{path}').then((answer) => answer.text())");
    let csv = page.asks(&fetch("/tickets.csv?period=today&nested=1")).await;
    let lines: Vec<&str> = csv.as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), 3, "{csv}");
    assert!(lines[0].starts_with("ticket,conversation,primary,topic,state"), "{csv}");
    let jsonl = page.asks(&fetch("/tickets.jsonl?period=today&nested=1")).await;
    let rows: Vec<Value> = jsonl.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&rows[0]["topic"], &rows[0]["state"]), (&json!("return"), &json!("closed")));
    assert_eq!(rows[0]["primary"], rows[1]["ticket"]);
    page.close().await;
}
