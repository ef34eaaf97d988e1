//! Texts with fields: `Hello {{contact.display_name | default: "there"}}`.
//!
//! A field is one of the context that conditions see, checked when the rule is applied. One that may be absent and has
//! no default is a fault when it is: the action fails rather than saying half a sentence.

mod parse;

use crate::condition::{self, Context, Fault, Field, Needs, Problem, Scopes, Value};

/// Longest template, and longest text after filling, in characters: what WhatsApp takes. A longer result is cut there
/// and ends with `…`.
pub const MAX_CHARS: usize = 4096;

/// A checked text with fields.
#[derive(Debug)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Field(Placeholder),
}

/// A field to fill in.
#[derive(Debug)]
struct Placeholder {
    field: &'static Field,
    /// Further down in JSON.
    members: Vec<String>,
    /// Said where the field is absent.
    default: Option<String>,
}

impl Template {
    /// Parses a text, and checks its fields for a trigger with these scopes.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(source: &str, scopes: &Scopes) -> Result<Template, Vec<Problem>> {
        let pieces = parse::pieces(source, scopes)?;
        Ok(Template { source: source.to_owned(), pieces })
    }

    /// The text with its fields filled: at most [`MAX_CHARS`], cut there.
    ///
    /// # Errors
    /// [`Fault`] where a field without a default is absent.
    pub fn fill(&self, context: &Context) -> Result<String, Fault> {
        self.fill_within(context, MAX_CHARS)
    }

    /// The text with its fields filled: at most `max` characters, cut there.
    ///
    /// # Errors
    /// [`Fault`] where a field without a default is absent.
    pub fn fill_within(&self, context: &Context, max: usize) -> Result<String, Fault> {
        let mut text = String::with_capacity(self.source.len());
        for piece in &self.pieces {
            match piece {
                Piece::Text(words) => text.push_str(words),
                Piece::Field(placeholder) => text.push_str(&placeholder.text(context)?),
            }
        }
        Ok(cut(text, max))
    }

    /// As [`Template::fill`]; a text that is a single field keeps that field's type.
    ///
    /// # Errors
    /// [`Fault`] where a field without a default is absent.
    pub fn fill_json(&self, context: &Context) -> Result<serde_json::Value, Fault> {
        if let [Piece::Field(placeholder)] = self.pieces.as_slice() {
            return placeholder.json(context);
        }
        self.fill(context).map(serde_json::Value::String)
    }

    /// The fields that it names.
    pub fn references(&self) -> impl Iterator<Item = &'static Field> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Field(placeholder) => Some(placeholder.field),
            Piece::Text(_) => None,
        })
    }

    /// What has to be loaded for it.
    pub fn needs(&self) -> Needs {
        Needs::of(&self.references().collect::<Vec<_>>())
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it says the same whatever happens.
    pub fn is_fixed(&self) -> bool {
        self.references().next().is_none()
    }
}

impl Placeholder {
    fn value<'a>(&self, context: &'a Context) -> Result<Value<'a>, Fault> {
        condition::read(context, self.field, &self.members)
    }

    fn text(&self, context: &Context) -> Result<String, Fault> {
        match (self.value(context).and_then(condition::to_text), &self.default) {
            (Ok(text), Some(default)) if text.is_empty() => Ok(default.clone()),
            (Ok(text), _) => Ok(text),
            (Err(_), Some(default)) => Ok(default.clone()),
            (Err(fault), None) => Err(fault),
        }
    }

    fn json(&self, context: &Context) -> Result<serde_json::Value, Fault> {
        match (self.value(context), &self.default) {
            (Ok(value), _) => condition::to_json(value),
            (Err(_), Some(default)) => Ok(serde_json::Value::String(default.clone())),
            (Err(fault), None) => Err(fault),
        }
    }
}

/// At most `max` characters; the last of what was cut is `…`.
fn cut(text: String, max: usize) -> String {
    if text.len() <= max || text.chars().count() <= max {
        return text;
    }
    text.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
