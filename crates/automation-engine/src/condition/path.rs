//! Paths outside of expressions: what templates name.

use super::check::unknown_path;
use super::context::Context;
use super::fault::Fault;
use super::fields::{self, Field, Scope};
use super::scopes::Scopes;
use super::value::{Type, Value};
use super::{convert, eval};

/// The field of a path, and what lies further down in its JSON.
///
/// # Errors
/// What would be right.
pub(crate) fn resolve(path: &str, scopes: &Scopes) -> Result<(&'static Field, Vec<String>), String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let segments: Vec<&str> = path.split('.').collect();
    if segments.iter().any(|segment| segment.is_empty() || !segment.bytes().all(plain)) {
        return Err(format!("{path:?} is no field: write for example {{{{contact.display_name}}}}"));
    }
    for length in (1..=segments.len()).rev() {
        let Some(field) = fields::find(&segments[..length].join(".")) else { continue };
        let members: Vec<String> = segments[length..].iter().map(|name| (*name).to_owned()).collect();
        if !members.is_empty() && field.kind.as_type() != Type::Dyn {
            return Err(format!("`{}` is {} and has no field `{}`", field.path, field.kind.as_type(), members[0]));
        }
        return match scopes.has(field.scope) {
            true => Ok((field, members)),
            false => Err(absent(field, scopes)),
        };
    }
    Err(unknown_path(path))
}

/// Why a trigger does not have a field.
pub(super) fn absent(field: &Field, scopes: &Scopes) -> String {
    match field.scope {
        Scope::Conversation => {
            format!("`{}` belongs to a conversation, and {} concerns none", field.path, scopes.trigger())
        }
        scope => format!("`{}` is there for {}, not for {}", field.path, Scopes::triggers_of(scope), scopes.trigger()),
    }
}

/// What a path says in a context.
pub(crate) fn read<'a>(context: &'a Context, field: &'static Field, members: &[String]) -> Result<Value<'a>, Fault> {
    let value = (field.get)(context).ok_or(Fault::Absent(field))?;
    let found = members.iter().try_fold(value, |value, name| {
        eval::member(&value, name).ok_or_else(|| Fault::Missing(format!("{}.{}", field.path, members.join("."))))
    });
    found.map(Value::plain)
}

/// A value as JSON: times as RFC 3339, durations in seconds as CEL writes them.
pub(crate) fn to_json(value: Value<'_>) -> Result<serde_json::Value, Fault> {
    Ok(match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(truth) => truth.into(),
        Value::Int(int) => int.into(),
        Value::Double(double) => double.into(),
        Value::Text(text) => text.into_owned().into(),
        Value::Time(time) => convert::time_text(time).into(),
        Value::Span(nanos) => convert::span_text(nanos).into(),
        Value::Json(json) => json.clone(),
        Value::Texts(texts) => texts.into(),
        Value::Ints(ints) => ints.into(),
        list @ Value::List(_) => {
            let length = list.len().unwrap_or(0);
            (0..length).filter_map(|index| list.at(index)).map(to_json).collect::<Result<_, Fault>>()?
        }
    })
}
