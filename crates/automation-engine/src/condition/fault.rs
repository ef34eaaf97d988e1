use std::fmt;

use super::fields::Field;

/// Why a condition or a text came to no result.
#[derive(Clone, Debug)]
pub enum Fault {
    /// A field of the context is absent.
    Absent(&'static Field),
    /// JSON has no such field, or a list no such element.
    Missing(String),
    /// JSON holds something else than what was to be done with it.
    Type(String),
    /// A number is too large, or a division by zero.
    Math(&'static str),
    /// A text that is no number, timestamp or duration.
    Conversion(String),
    /// It takes more than [`MAX_STEPS`](super::MAX_STEPS) steps.
    TooMuch,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Absent(field) => write!(f, "{} is absent", field.path),
            Fault::Missing(name) => write!(f, "{name} is not there"),
            Fault::Type(what) | Fault::Conversion(what) => f.write_str(what),
            Fault::Math(what) => f.write_str(what),
            Fault::TooMuch => write!(f, "it takes more than {} steps", super::MAX_STEPS),
        }
    }
}

impl std::error::Error for Fault {}
