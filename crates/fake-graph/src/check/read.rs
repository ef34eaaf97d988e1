use serde_json::Value;

use super::{missing, wrong};
use crate::GraphError;

/// The text of a field; `None` where it is absent.
pub(super) fn optional<'a>(value: &'a Value, key: &str) -> Result<Option<&'a str>, GraphError> {
    match value.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(100, format!("Param {key} must be a string."))),
    }
}

/// The text of a field that has to be there, with so many characters.
pub(super) fn text<'a>(value: &'a Value, key: &str, least: usize, most: usize) -> Result<&'a str, GraphError> {
    let text = optional(value, key)?.ok_or_else(|| missing(key))?;
    let length = text.chars().count();
    if length < least {
        return Err(wrong(131_008, format!("Param {key} is empty")));
    }
    if length > most {
        return Err(wrong(100, format!("Param {key} must be at most {most} characters long.")));
    }
    Ok(text)
}

/// The elements of a field that has to be a list.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], GraphError> {
    let list = value.get(key).ok_or_else(|| missing(key))?;
    list.as_array().map(Vec::as_slice).ok_or_else(|| wrong(100, format!("Param {key} must be an array.")))
}
