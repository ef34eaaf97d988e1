use std::borrow::Cow;

use super::code::{Code, Fold, Function, Math};
use super::context::Context;
use super::fault::Fault;
use super::value::Value;
use super::{MAX_STEPS, MAX_TEXT_BYTES, convert};

/// One evaluation: the context, the variables of macros, and how much may still be done.
pub(super) struct Run<'a> {
    context: &'a Context,
    variables: Vec<Value<'a>>,
    left: u32,
}

type Evaluated<'a> = Result<Value<'a>, Fault>;

impl<'a> Run<'a> {
    pub(super) fn new(context: &'a Context) -> Run<'a> {
        Run { context, variables: Vec::new(), left: MAX_STEPS }
    }

    fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.left = self.left.checked_sub(steps).ok_or(Fault::TooMuch)?;
        Ok(())
    }

    /// Whether it is true.
    pub(super) fn truth(&mut self, code: &'a Code) -> Result<bool, Fault> {
        match code {
            Code::And(a, b) => match self.truth(a) {
                Ok(false) => Ok(false),
                Ok(true) => self.truth(b),
                // As CEL has it: what is false for certain is false.
                Err(fault) => {
                    if self.truth(b)? {
                        Err(fault)
                    } else {
                        Ok(false)
                    }
                }
            },
            Code::Or(a, b) => match self.truth(a) {
                Ok(true) => Ok(true),
                Ok(false) => self.truth(b),
                Err(fault) => {
                    if self.truth(b)? {
                        Ok(true)
                    } else {
                        Err(fault)
                    }
                }
            },
            Code::Not(a) => Ok(!self.truth(a)?),
            Code::NotFalse(a) => match self.truth(a) {
                Err(Fault::TooMuch) => Err(Fault::TooMuch),
                found => Ok(!matches!(found, Ok(false))),
            },
            Code::Matches(text, regex) => match self.value(text)? {
                Value::Text(text) => Ok(regex.is_match(&text)),
                other => Err(wrong_type("matches()", &other)),
            },
            Code::Equal(a, b) => Ok(self.value(a)?.equals(&self.value(b)?)),
            Code::NotEqual(a, b) => Ok(!self.value(a)?.equals(&self.value(b)?)),
            Code::Order(order, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                match a.compare(&b) {
                    Some(ordering) => Ok(order.holds(ordering)),
                    // Not-a-number is neither less nor greater.
                    None if matches!((&a, &b), (Value::Double(_), _) | (_, Value::Double(_))) => Ok(false),
                    None => Err(Fault::Type(format!("{} and {} can't be compared", a.kind(), b.kind()))),
                }
            }
            Code::In(a, b) => self.contains(a, b),
            Code::Has(fields) => Ok(fields.iter().any(|field| (field.get)(self.context).is_some())),
            Code::HasMember(of, name) => match self.value(of) {
                Ok(value) => Ok(member(&value, name).is_some()),
                // What is absent has no members.
                Err(Fault::Absent(_) | Fault::Missing(_)) => Ok(false),
                Err(fault) => Err(fault),
            },
            other => match self.value(other)? {
                Value::Bool(truth) => Ok(truth),
                value => Err(wrong_type("a condition", &value)),
            },
        }
    }

    /// What it is.
    pub(super) fn value(&mut self, code: &'a Code) -> Evaluated<'a> {
        self.spend(1)?;
        match code {
            Code::Const(Value::Text(text)) => Ok(Value::Text(Cow::Borrowed(text))),
            Code::Const(value) => Ok(value.clone()),
            Code::Field(field) => (field.get)(self.context).map(Value::plain).ok_or(Fault::Absent(field)),
            Code::Var(slot) => self.variables.get(*slot).cloned().ok_or_else(|| Fault::Missing("a variable".into())),
            Code::Member(of, name) => {
                let of = self.value(of)?;
                member(&of, name).ok_or_else(|| Fault::Missing(format!("{name:?}")))
            }
            Code::Index(of, index) => self.index(of, index),
            Code::Negate(a) => match self.value(a)? {
                Value::Int(int) => int.checked_neg().map(Value::Int).ok_or(OVERFLOW),
                Value::Span(nanos) => nanos.checked_neg().map(Value::Span).ok_or(OVERFLOW),
                Value::Double(double) => Ok(Value::Double(-double)),
                other => Err(wrong_type("-", &other)),
            },
            Code::If(parts) => {
                let [condition, yes, no] = parts.as_ref();
                if self.truth(condition)? { self.value(yes) } else { self.value(no) }
            }
            Code::Math(math, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                self.math(*math, a, b)
            }
            Code::Call(function, operands) => self.call(*function, operands),
            Code::List(elements) => {
                let elements: Result<Vec<Value<'a>>, Fault> = elements.iter().map(|e| self.value(e)).collect();
                Ok(Value::List(elements?.into()))
            }
            Code::Fold(fold) => self.fold(fold),
            truth => self.truth(truth).map(Value::Bool),
        }
    }

    fn contains(&mut self, a: &'a Code, b: &'a Code) -> Result<bool, Fault> {
        let (needle, list) = (self.value(a)?, self.value(b)?);
        if let (Value::Text(needle), Value::Texts(texts)) = (&needle, &list) {
            return Ok(texts.iter().any(|text| text == needle));
        }
        if let (Value::Text(name), Value::Json(serde_json::Value::Object(map))) = (&needle, &list) {
            return Ok(map.contains_key(name.as_ref()));
        }
        let length = list.len().ok_or_else(|| wrong_type("in", &list))?;
        self.spend(length)?;
        Ok((0..length).any(|index| list.at(index).is_some_and(|element| element.equals(&needle))))
    }

    fn index(&mut self, of: &'a Code, index: &'a Code) -> Evaluated<'a> {
        let (of, index) = (self.value(of)?, self.value(index)?);
        let found = match &index {
            Value::Int(int) => usize::try_from(*int).ok().and_then(|at| of.at(at)),
            Value::Text(name) => member(&of, name),
            _ => None,
        };
        found.ok_or_else(|| match &index {
            Value::Int(int) => Fault::Missing(format!("element {int}")),
            Value::Text(name) => Fault::Missing(format!("{name:?}")),
            other => wrong_type("[]", other),
        })
    }

    fn math(&mut self, math: Math, a: Value<'a>, b: Value<'a>) -> Evaluated<'a> {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => whole(math, a, b).map(Value::Int),
            (Value::Double(a), Value::Double(b)) => real(math, a, b).map(Value::Double),
            (Value::Text(a), Value::Text(b)) if math == Math::Add => {
                if a.len() + b.len() > MAX_TEXT_BYTES {
                    return Err(Fault::TooMuch);
                }
                self.spend((a.len() + b.len()) / 64)?;
                Ok(Value::Text(Cow::Owned(a.into_owned() + &b)))
            }
            (Value::Time(a), Value::Span(b)) => whole(math, a.0, b).map(|t| Value::Time(conversation::Time(t))),
            (Value::Span(a), Value::Time(b)) => whole(math, a, b.0).map(|t| Value::Time(conversation::Time(t))),
            (Value::Time(a), Value::Time(b)) => whole(math, a.0, b.0).map(Value::Span),
            (Value::Span(a), Value::Span(b)) => whole(math, a, b).map(Value::Span),
            (a, b) => match (math, a.len(), b.len()) {
                (Math::Add, Some(left), Some(right)) => {
                    self.spend(left + right)?;
                    let elements = (0..left).filter_map(|i| a.at(i)).chain((0..right).filter_map(|i| b.at(i)));
                    Ok(Value::List(elements.collect()))
                }
                _ => Err(Fault::Type(format!("{} {} {} means nothing", a.kind(), math.sign(), b.kind()))),
            },
        }
    }

    fn call(&mut self, function: Function, operands: &'a [Code]) -> Evaluated<'a> {
        let Some(first) = operands.first() else { return Err(Fault::Missing("an operand".into())) };
        let first = self.value(first)?;
        let second = operands.get(1).map(|operand| self.value(operand)).transpose()?;
        match (function, first, second) {
            (Function::Size, Value::Text(text), _) => Ok(Value::Int(count(text.chars().count()))),
            (Function::Size, Value::Json(serde_json::Value::Object(map)), _) => Ok(Value::Int(count(map.len()))),
            (Function::Size, list, _) => {
                list.len().map(|length| Value::Int(count(length))).ok_or_else(|| wrong_type("size()", &list))
            }
            (Function::Contains, Value::Text(a), Some(Value::Text(b))) => Ok(Value::Bool(a.contains(b.as_ref()))),
            (Function::StartsWith, Value::Text(a), Some(Value::Text(b))) => Ok(Value::Bool(a.starts_with(b.as_ref()))),
            (Function::EndsWith, Value::Text(a), Some(Value::Text(b))) => Ok(Value::Bool(a.ends_with(b.as_ref()))),
            (Function::LowerAscii, Value::Text(a), _) => Ok(Value::Text(Cow::Owned(a.to_ascii_lowercase()))),
            (Function::UpperAscii, Value::Text(a), _) => Ok(Value::Text(Cow::Owned(a.to_ascii_uppercase()))),
            (Function::Trim, Value::Text(a), _) => Ok(Value::Text(Cow::Owned(a.trim().to_owned()))),
            (Function::ToString, value, _) => to_text(value).map(|text| Value::Text(text.into())),
            (Function::ToInt, value, _) => to_int(value),
            (Function::ToDouble, value, _) => to_double(value),
            (Function::ToTimestamp, Value::Text(text), _) => convert::timestamp(&text).map_err(Fault::Conversion),
            (Function::ToDuration, Value::Text(text), _) => convert::duration(&text).map_err(Fault::Conversion),
            (Function::ToTimestamp, Value::Time(time), _) => Ok(Value::Time(time)),
            (Function::ToDuration, Value::Span(nanos), _) => Ok(Value::Span(nanos)),
            (Function::Clock(clock), Value::Span(nanos), None) => Ok(Value::Int(convert::part_of_span(clock, nanos))),
            (Function::Clock(clock), Value::Time(time), zone) => {
                let zone = match &zone {
                    Some(Value::Text(name)) => convert::zone(name).map_err(Fault::Conversion)?,
                    _ => jiff::tz::TimeZone::UTC,
                };
                let zoned = convert::zoned(time, zone).ok_or(OVERFLOW)?;
                Ok(Value::Int(convert::part(clock, &zoned)))
            }
            (_, first, second) => Err(wrong_type("this function", second.as_ref().unwrap_or(&first))),
        }
    }

    fn fold(&mut self, fold: &'a Fold) -> Evaluated<'a> {
        let range = self.value(&fold.range)?;
        let init = self.value(&fold.init)?;
        let depth = self.variables.len();
        self.variables.push(init);
        let result = self.fold_over(fold, &range, depth);
        self.variables.truncate(depth);
        result
    }

    fn fold_over(&mut self, fold: &'a Fold, range: &Value<'a>, depth: usize) -> Evaluated<'a> {
        let keys = match range {
            Value::Json(serde_json::Value::Object(map)) => {
                Some(map.keys().map(|key| Value::Text(Cow::Borrowed(key.as_str()))).collect::<Vec<_>>())
            }
            _ => None,
        };
        let length = keys.as_ref().map(Vec::len).or(range.len());
        let length = length.ok_or_else(|| wrong_type("a macro", range))?;
        for index in 0..length {
            let element = keys.as_ref().map_or_else(|| range.at(index), |keys| keys.get(index).cloned());
            self.variables.extend(element);
            if !self.truth(&fold.condition)? {
                self.variables.truncate(depth + 1);
                break;
            }
            let next = self.value(&fold.step)?;
            self.variables.truncate(depth);
            self.variables.push(next);
        }
        self.value(&fold.result)
    }
}

const OVERFLOW: Fault = Fault::Math("a number is too large");

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

pub(super) fn member<'a>(of: &Value<'a>, name: &str) -> Option<Value<'a>> {
    match of {
        Value::Json(json) => json.get(name).map(|json| Value::Json(json).plain()),
        _ => None,
    }
}

fn wrong_type(what: &str, found: &Value<'_>) -> Fault {
    Fault::Type(format!("{what} can't take {}", found.kind()))
}

fn whole(math: Math, a: i64, b: i64) -> Result<i64, Fault> {
    let result = match math {
        Math::Add => a.checked_add(b),
        Math::Subtract => a.checked_sub(b),
        Math::Multiply => a.checked_mul(b),
        Math::Divide | Math::Modulo if b == 0 => return Err(Fault::Math("a division by zero")),
        Math::Divide => a.checked_div(b),
        Math::Modulo => a.checked_rem(b),
    };
    result.ok_or(OVERFLOW)
}

fn real(math: Math, a: f64, b: f64) -> Result<f64, Fault> {
    Ok(match math {
        Math::Add => a + b,
        Math::Subtract => a - b,
        Math::Multiply => a * b,
        Math::Divide => a / b,
        Math::Modulo => return Err(Fault::Math("% needs whole numbers")),
    })
}

/// As people read it; lists and maps as JSON.
pub(crate) fn to_text(value: Value<'_>) -> Result<String, Fault> {
    Ok(match value {
        Value::Text(text) => text.into_owned(),
        Value::Null => String::new(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Double(double) => double.to_string(),
        Value::Time(time) => convert::time_text(time),
        Value::Span(nanos) => convert::span_text(nanos),
        Value::Json(json) => json.to_string(),
        Value::Texts(texts) => texts.join(", "),
        list @ (Value::Ints(_) | Value::List(_)) => {
            let length = list.len().unwrap_or(0);
            let texts: Result<Vec<String>, Fault> = (0..length).filter_map(|i| list.at(i)).map(to_text).collect();
            texts?.join(", ")
        }
    })
}

fn to_int(value: Value<'_>) -> Result<Value<'_>, Fault> {
    let int = match &value {
        Value::Int(int) => Some(*int),
        Value::Time(time) => Some(time.0.div_euclid(1_000_000_000)),
        Value::Text(text) => text.parse().ok(),
        // Beyond 2^63 there is no int; 9223372036854775808.0 is the first such double.
        #[allow(clippy::cast_possible_truncation)]
        Value::Double(double) if double.abs() < 9_223_372_036_854_775_808.0 => Some(*double as i64),
        _ => None,
    };
    int.map(Value::Int).ok_or_else(|| Fault::Conversion(format!("this {} is no int", value.kind())))
}

#[allow(clippy::cast_precision_loss)] // double(int) is asked for.
fn to_double(value: Value<'_>) -> Result<Value<'_>, Fault> {
    let double = match &value {
        Value::Int(int) => Some(*int as f64),
        Value::Double(double) => Some(*double),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    };
    double.map(Value::Double).ok_or_else(|| Fault::Conversion(format!("this {} is no double", value.kind())))
}
