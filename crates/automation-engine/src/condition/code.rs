use regex::Regex;

use super::fields::Field;
use super::value::Value;

/// A checked expression.
#[derive(Debug)]
pub(crate) enum Code {
    Const(Value<'static>),
    Field(&'static Field),
    /// A variable of a macro, by its place on the stack.
    Var(usize),
    /// A field of JSON.
    Member(Box<Code>, String),
    Index(Box<Code>, Box<Code>),
    /// Whether any of these fields is there.
    Has(Vec<&'static Field>),
    HasMember(Box<Code>, String),
    Not(Box<Code>),
    Negate(Box<Code>),
    And(Box<Code>, Box<Code>),
    Or(Box<Code>, Box<Code>),
    If(Box<[Code; 3]>),
    Equal(Box<Code>, Box<Code>),
    NotEqual(Box<Code>, Box<Code>),
    Order(Order, Box<Code>, Box<Code>),
    In(Box<Code>, Box<Code>),
    Math(Math, Box<Code>, Box<Code>),
    Matches(Box<Code>, Regex),
    Call(Function, Vec<Code>),
    List(Vec<Code>),
    /// Whether the operand is anything but `false`.
    NotFalse(Box<Code>),
    Fold(Box<Fold>),
}

/// What macros such as `exists` become.
#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) range: Code,
    pub(crate) init: Code,
    pub(crate) condition: Code,
    pub(crate) step: Code,
    pub(crate) result: Code,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Math {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    LowerAscii,
    UpperAscii,
    Trim,
    ToString,
    ToInt,
    ToDouble,
    ToTimestamp,
    ToDuration,
    Clock(Clock),
}

/// A part of a timestamp, or of a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    FullYear,
    Month,
    DayOfMonth,
    Date,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

impl Order {
    pub(crate) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Order::Less => ordering.is_lt(),
            Order::LessOrEqual => ordering.is_le(),
            Order::Greater => ordering.is_gt(),
            Order::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Math {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Math::Add => "+",
            Math::Subtract => "-",
            Math::Multiply => "*",
            Math::Divide => "/",
            Math::Modulo => "%",
        }
    }
}
