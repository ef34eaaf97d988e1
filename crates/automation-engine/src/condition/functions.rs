use super::code::{Clock, Function};
use super::value::Type;

/// Functions that conditions may call, `matches` and the macros aside: how each is called and what it returns.
pub(crate) const FUNCTIONS: &[(&str, Function)] = &[
    ("size", Function::Size),
    ("contains", Function::Contains),
    ("startsWith", Function::StartsWith),
    ("endsWith", Function::EndsWith),
    ("lowerAscii", Function::LowerAscii),
    ("upperAscii", Function::UpperAscii),
    ("trim", Function::Trim),
    ("string", Function::ToString),
    ("int", Function::ToInt),
    ("double", Function::ToDouble),
    ("timestamp", Function::ToTimestamp),
    ("duration", Function::ToDuration),
    ("getFullYear", Function::Clock(Clock::FullYear)),
    ("getMonth", Function::Clock(Clock::Month)),
    ("getDayOfMonth", Function::Clock(Clock::DayOfMonth)),
    ("getDate", Function::Clock(Clock::Date)),
    ("getDayOfWeek", Function::Clock(Clock::DayOfWeek)),
    ("getDayOfYear", Function::Clock(Clock::DayOfYear)),
    ("getHours", Function::Clock(Clock::Hours)),
    ("getMinutes", Function::Clock(Clock::Minutes)),
    ("getSeconds", Function::Clock(Clock::Seconds)),
    ("getMilliseconds", Function::Clock(Clock::Milliseconds)),
];

/// Macros that the parser expands, and `matches`: known names for suggestions.
pub(crate) const OTHERS: &[&str] = &["matches", "has", "all", "exists", "exists_one", "map", "filter", "dyn"];

impl Function {
    /// What the call returns for operands of these types, the target first.
    ///
    /// # Errors
    /// How it has to be called.
    pub(crate) fn result(self, member: bool, operands: &[Type]) -> Result<Type, &'static str> {
        let text = |index: usize| operands.get(index).is_some_and(|t| is(t, &[Type::String]));
        let one = operands.len() == 1;
        let (fits, result, usage) = match self {
            Function::Size => {
                let sized = operands.first().is_some_and(|t| matches!(t, Type::List(_)) || is(t, &[Type::String]));
                (one && sized, Type::Int, "size(string or list)")
            }
            Function::Contains => {
                (member && two(operands) && text(0) && text(1), Type::Bool, "string.contains(string)")
            }
            Function::StartsWith => {
                (member && two(operands) && text(0) && text(1), Type::Bool, "string.startsWith(string)")
            }
            Function::EndsWith => {
                (member && two(operands) && text(0) && text(1), Type::Bool, "string.endsWith(string)")
            }
            Function::LowerAscii => (member && one && text(0), Type::String, "string.lowerAscii()"),
            Function::UpperAscii => (member && one && text(0), Type::String, "string.upperAscii()"),
            Function::Trim => (member && one && text(0), Type::String, "string.trim()"),
            Function::ToString => {
                let kinds = [Type::String, Type::Int, Type::Double, Type::Bool, Type::Timestamp, Type::Duration];
                (
                    !member && one && is(&operands[0], &kinds),
                    Type::String,
                    "string(int, double, bool, timestamp or duration)",
                )
            }
            Function::ToInt => {
                let kinds = [Type::Int, Type::Double, Type::String, Type::Timestamp];
                (!member && one && is(&operands[0], &kinds), Type::Int, "int(double, string or timestamp)")
            }
            Function::ToDouble => {
                let kinds = [Type::Int, Type::Double, Type::String];
                (!member && one && is(&operands[0], &kinds), Type::Double, "double(int or string)")
            }
            Function::ToTimestamp => {
                let kinds = [Type::String, Type::Timestamp];
                (!member && one && is(&operands[0], &kinds), Type::Timestamp, "timestamp(\"2026-12-24T18:00:00Z\")")
            }
            Function::ToDuration => {
                let kinds = [Type::String, Type::Duration];
                (!member && one && is(&operands[0], &kinds), Type::Duration, "duration(\"24h\")")
            }
            Function::Clock(clock) => return clock.result(member, operands),
        };
        if fits { Ok(result) } else { Err(usage) }
    }
}

impl Clock {
    fn result(self, member: bool, operands: &[Type]) -> Result<Type, &'static str> {
        let lengths = matches!(self, Clock::Hours | Clock::Minutes | Clock::Seconds | Clock::Milliseconds);
        let fits = match operands {
            [target] => is(target, &[Type::Timestamp]) || lengths && is(target, &[Type::Duration]),
            [target, zone] => is(target, &[Type::Timestamp]) && is(zone, &[Type::String]),
            _ => false,
        };
        match (member && fits, lengths) {
            (true, _) => Ok(Type::Int),
            (false, true) => {
                Err("timestamp.getHours(\"Europe/Berlin\"), timestamp.getHours() in UTC, or duration.getHours()")
            }
            (false, false) => Err("timestamp.getDayOfWeek(\"Europe/Berlin\"), or timestamp.getDayOfWeek() in UTC"),
        }
    }
}

fn two(operands: &[Type]) -> bool {
    operands.len() == 2
}

fn is(found: &Type, kinds: &[Type]) -> bool {
    matches!(found, Type::Dyn | Type::Any) || kinds.contains(found)
}
