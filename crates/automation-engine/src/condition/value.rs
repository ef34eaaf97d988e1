use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use conversation::Time;

/// What a field, an operand or a result is, known before anything is evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// 64 bits, signed.
    Int,
    /// 64 bits.
    Double,
    /// UTF-8.
    String,
    /// An instant.
    Timestamp,
    /// A length of time.
    Duration,
    /// Of one type.
    List(Box<Type>),
    /// `null`.
    Null,
    /// JSON of another system: known when it is evaluated.
    Dyn,
    /// The element of a list without elements: anything.
    Any,
}

impl Type {
    /// A list of this.
    pub fn list(self) -> Type {
        Type::List(Box::new(self))
    }

    /// The type that both are, if there is one.
    pub(crate) fn join(&self, other: &Type) -> Option<Type> {
        match (self, other) {
            (a, b) if a == b => Some(a.clone()),
            (Type::Any, known) | (known, Type::Any) => Some(known.clone()),
            (Type::Dyn, _) | (_, Type::Dyn) => Some(Type::Dyn),
            (Type::List(a), Type::List(b)) => a.join(b).map(Type::list),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Double => f.write_str("double"),
            Type::String => f.write_str("string"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Duration => f.write_str("duration"),
            Type::List(of) => write!(f, "list({of})"),
            Type::Null => f.write_str("null"),
            Type::Dyn | Type::Any => f.write_str("dyn"),
        }
    }
}

/// What evaluating yields. Borrows from the context where it can.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any number.
    Double(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// An instant.
    Time(Time),
    /// A length of time in nanoseconds, negative where it goes back.
    Span(i64),
    /// Texts of the context.
    Texts(&'a [String]),
    /// Whole numbers of the context.
    Ints(&'a [i64]),
    /// A list that was made.
    List(Arc<[Value<'a>]>),
    /// JSON of another system.
    Json(&'a serde_json::Value),
}

impl<'a> Value<'a> {
    /// JSON scalars as what they are; the rest unchanged.
    pub(crate) fn plain(self) -> Value<'a> {
        let Value::Json(json) = self else { return self };
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(*b),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(int) => Value::Int(int),
                None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::Text(Cow::Borrowed(text)),
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => Value::Json(json),
        }
    }

    /// What it is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Double(_) => "double",
            Value::Text(_) => "string",
            Value::Time(_) => "timestamp",
            Value::Span(_) => "duration",
            Value::Texts(_) | Value::Ints(_) | Value::List(_) => "list",
            Value::Json(serde_json::Value::Array(_)) => "list",
            Value::Json(serde_json::Value::Object(_)) => "map",
            Value::Json(_) => "dyn",
        }
    }

    /// Elements, if it is a list.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Value::Texts(list) => Some(list.len()),
            Value::Ints(list) => Some(list.len()),
            Value::List(list) => Some(list.len()),
            Value::Json(serde_json::Value::Array(list)) => Some(list.len()),
            _ => None,
        }
    }

    /// An element, if it is a list that has it.
    pub(crate) fn at(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Value::Texts(list) => list.get(index).map(|text| Value::Text(Cow::Borrowed(text))),
            Value::Ints(list) => list.get(index).map(|int| Value::Int(*int)),
            Value::List(list) => list.get(index).cloned(),
            Value::Json(serde_json::Value::Array(list)) => list.get(index).map(|json| Value::Json(json).plain()),
            _ => None,
        }
    }

    /// Whether two values are equal; values of different types are not, but for numbers.
    pub(crate) fn equals(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Time(a), Value::Time(b)) => a == b,
            (Value::Span(a), Value::Span(b)) => a == b,
            (Value::Json(a), Value::Json(b)) => a == b,
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a == b,
                _ => self.same_elements(other),
            },
        }
    }

    fn same_elements(&self, other: &Value<'_>) -> bool {
        let (Some(mine), Some(theirs)) = (self.len(), other.len()) else { return false };
        mine == theirs
            && (0..mine).all(|i| match (self.at(i), other.at(i)) {
                (Some(a), Some(b)) => a.equals(&b),
                _ => false,
            })
    }

    #[allow(clippy::cast_precision_loss)] // CEL compares numbers of different types as doubles.
    fn number(&self) -> Option<f64> {
        match self {
            Value::Int(int) => Some(*int as f64),
            Value::Double(double) => Some(*double),
            _ => None,
        }
    }

    /// Which is greater, for values that have an order.
    pub(crate) fn compare(&self, other: &Value<'_>) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
            (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
            (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
            (Value::Span(a), Value::Span(b)) => Some(a.cmp(b)),
            _ => self.number()?.partial_cmp(&other.number()?),
        }
    }
}
