//! Templates that were approved.

use std::collections::HashMap;

use serde_json::Value;

use super::{missing, read, wrong};
use crate::GraphError;

/// Those that exist: name and language, and how many values the body takes. Until one is named, all exist.
#[derive(Debug, Default)]
pub(crate) struct Templates(HashMap<(String, String), usize>);

impl Templates {
    pub(crate) fn add(&mut self, name: &str, language: &str, values: usize) {
        self.0.insert((name.to_owned(), language.to_owned()), values);
    }

    pub(crate) fn check(&self, template: &Value) -> Result<(), GraphError> {
        let name = read::text(template, "name", 1, 512)?;
        let language = template.get("language").ok_or_else(|| missing("template.language"))?;
        let language = read::text(language, "code", 1, usize::MAX)?;
        let components = match template.get("components") {
            None => &[][..],
            Some(_) => read::list(template, "components")?,
        };
        for component in components {
            read::text(component, "type", 1, usize::MAX)?;
        }
        if self.0.is_empty() {
            return Ok(());
        }
        let wanted = self.0.get(&(name.to_owned(), language.to_owned()));
        let wanted =
            *wanted.ok_or_else(|| wrong(132_001, format!("template name ({name}) does not exist in {language}")))?;
        let given = values(components);
        if given == wanted {
            return Ok(());
        }
        Err(wrong(
            132_000,
            format!(
                "body: number of localizable_params ({given}) does not match the expected number of params ({wanted})"
            ),
        ))
    }
}

/// How many values the body is given.
fn values(components: &[Value]) -> usize {
    let is_body = |component: &&Value| {
        let kind = component.get("type").and_then(Value::as_str);
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case("body"))
    };
    let given = components.iter().find(is_body).and_then(|body| body.get("parameters"));
    given.and_then(Value::as_array).map_or(0, Vec::len)
}
