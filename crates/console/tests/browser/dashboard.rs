//! The numbers of a period.

use serde_json::{Value, json};

use crate::world::World;

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
async fn exports_hold_one_row_for_each_window() {
    let Some(world) = World::start().await else { return };
    world.story("Maya").await;
    let page = world.browser("ana").await;
    page.go("/dashboard?period=today").await;
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
