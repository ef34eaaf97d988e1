//! Buttons and lists.

use std::collections::HashSet;

use serde_json::Value;

use super::{missing, read, wrong};
use crate::GraphError;

/// Longest header and footer, in characters.
const MAX_EDGE: usize = 60;
/// Longest words above buttons, in characters.
const MAX_BUTTON_BODY: usize = 1_024;
/// Longest words above a list, in characters.
const MAX_LIST_BODY: usize = 4_096;
/// Most buttons.
const MAX_BUTTONS: usize = 3;
/// Longest title of a button, and of the one that opens a list, in characters.
const MAX_BUTTON: usize = 20;
/// Longest id of a button, in characters.
const MAX_BUTTON_ID: usize = 256;
/// Most rows of a list, and most sections.
const MAX_ROWS: usize = 10;
/// Longest title of a row or section, in characters.
const MAX_TITLE: usize = 24;
/// Longest description of a row, in characters.
const MAX_DESCRIPTION: usize = 72;
/// Longest id of a row, in characters.
const MAX_ROW_ID: usize = 200;

pub(super) fn check(interactive: &Value) -> Result<(), GraphError> {
    let kind = read::optional(interactive, "type")?.ok_or_else(|| missing("interactive.type"))?;
    let longest = if kind == "list" { MAX_LIST_BODY } else { MAX_BUTTON_BODY };
    let body = interactive.get("body").ok_or_else(|| missing("interactive.body"))?;
    read::text(body, "text", 1, longest)?;
    if let Some(footer) = interactive.get("footer") {
        read::text(footer, "text", 1, MAX_EDGE)?;
    }
    if let Some(header) = interactive.get("header") {
        check_header(header)?;
    }
    let action = interactive.get("action").ok_or_else(|| missing("interactive.action"))?;
    match kind {
        "button" => check_buttons(read::list(action, "buttons")?),
        "list" => check_list(action),
        _ => Err(wrong(131_051, format!("this fake takes no interactive {kind}"))),
    }
}

fn check_header(header: &Value) -> Result<(), GraphError> {
    match read::optional(header, "type")? {
        Some("text") => read::text(header, "text", 1, MAX_EDGE).map(drop),
        Some(kind @ ("image" | "video" | "document")) => header.get(kind).map(drop).ok_or_else(|| missing(kind)),
        _ => Err(wrong(131_009, "header has no type that is known")),
    }
}

fn check_buttons(buttons: &[Value]) -> Result<(), GraphError> {
    if !(1..=MAX_BUTTONS).contains(&buttons.len()) {
        return Err(value(format!(
            "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: {MAX_BUTTONS}"
        )));
    }
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for button in buttons {
        if read::optional(button, "type")? != Some("reply") {
            return Err(value("Button type invalid".to_owned()));
        }
        let reply = button.get("reply").ok_or_else(|| missing("reply"))?;
        let (id, title) = (label(reply, "id", MAX_BUTTON_ID)?, label(reply, "title", MAX_BUTTON)?);
        if !ids.insert(id) || !titles.insert(title) {
            return Err(value("Duplicated button ids or titles".to_owned()));
        }
    }
    Ok(())
}

fn check_list(action: &Value) -> Result<(), GraphError> {
    label(action, "button", MAX_BUTTON)?;
    let sections = read::list(action, "sections")?;
    let (mut ids, mut rows) = (HashSet::new(), 0);
    for section in sections {
        match read::optional(section, "title")? {
            None if sections.len() > 1 => return Err(missing("section.title")),
            None => {}
            Some(_) => drop(label(section, "title", MAX_TITLE)?),
        }
        for row in read::list(section, "rows")? {
            rows += 1;
            label(row, "title", MAX_TITLE)?;
            if row.get("description").is_some() {
                label(row, "description", MAX_DESCRIPTION)?;
            }
            if !ids.insert(label(row, "id", MAX_ROW_ID)?) {
                return Err(value("Duplicated row ids".to_owned()));
            }
        }
    }
    if (1..=MAX_ROWS).contains(&rows) {
        return Ok(());
    }
    Err(value(format!("Total row count exceed max allowed count: {MAX_ROWS}")))
}

/// A text that people see, or the id of one.
fn label<'a>(of: &'a Value, key: &str, most: usize) -> Result<&'a str, GraphError> {
    let text = read::optional(of, key)?.ok_or_else(|| missing(key))?;
    match text.chars().count() {
        0 => Err(value(format!("{key} is empty"))),
        length if length > most => Err(value(format!("{key} length invalid. Min length: 1, Max length: {most}"))),
        _ => Ok(text),
    }
}

fn value(details: String) -> GraphError {
    wrong(131_009, details)
}
