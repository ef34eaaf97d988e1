//! Conditions in CEL, checked against a documented context before they are ever evaluated.
//!
//! The `cel` crate parses. What it parsed is checked here against the types of [`FIELDS`] and turned into code that reads
//! the context directly, with patterns compiled once: a condition costs tens of nanoseconds, and a thousand of them share one context.

mod check;
mod code;
mod context;
mod convert;
mod eval;
mod fault;
mod fields;
mod functions;
mod needs;
mod path;
mod scopes;
mod source;
mod value;

use code::Code;
pub use context::{
    ActorFields, AssigneeFields, ContactFields, Context, ConversationFields, EventFields, HistoryFields,
    LastMessageFields, MessageFields, MetricsFields, TicketFields, WorkspaceFields,
};
pub use fault::Fault;
pub use fields::{FIELDS, Field, FieldType, Scope, Source};
pub use needs::Needs;
pub use scopes::Scopes;
pub use value::{Type, Value};

pub(crate) use eval::to_text;
pub(crate) use path::{read, resolve, to_json};

/// Longest condition, in bytes.
pub const MAX_SOURCE_BYTES: usize = 4096;
/// Deepest nesting of brackets: the parser recurses, and takes some 100 KB of stack for each in a debug build.
pub const MAX_BRACKETS: usize = 12;
/// Most operators and dots: each may nest the next, and a worker's stack of 2 MiB holds a thousand in a debug build.
pub const MAX_OPERATORS: usize = 400;
/// Most that one compiled pattern may take, in bytes; matching is linear in the text.
pub const MAX_REGEX_BYTES: usize = 256 * 1024;
/// Most steps that one evaluation may take. Without macros over large JSON none comes near.
pub const MAX_STEPS: u32 = 50_000;
/// Longest text that a condition may put together, in bytes.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// Something wrong in a condition or a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, in bytes from the start of the text.
    pub offset: usize,
    /// What, and what would be right.
    pub message: String,
}

/// A checked condition.
#[derive(Debug)]
pub struct Condition {
    source: String,
    parts: Vec<Part>,
    fields: Vec<&'static Field>,
}

/// What is joined by `&&` at the top.
#[derive(Debug)]
struct Part {
    source: String,
    code: Code,
}

/// What a condition says about a context.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// All of it is true.
    True,
    /// A part is false.
    False {
        /// The first such part, counted from 0 among those joined by `&&`.
        part: usize,
    },
    /// A part came to no result: it counts as false.
    Failed {
        /// Which, counted from 0.
        part: usize,
        /// Why.
        fault: Fault,
    },
}

impl Condition {
    /// Parses and checks a condition for a trigger with these scopes.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(source: &str, scopes: &Scopes) -> Result<Condition, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut fields: Vec<&'static Field> = Vec::new();
        let mut parts = Vec::new();
        for piece in source::pieces(source)? {
            let mut checker = check::Checker::new(scopes, &piece.info, piece.offset);
            let code = checker.expect(&piece.expr, &Type::Bool, "a condition");
            problems.append(&mut checker.problems);
            fields.append(&mut checker.fields);
            if let Ok(code) = code {
                parts.push(Part { source: piece.text.to_owned(), code });
            }
        }
        fields.sort_unstable_by_key(|field| field.path);
        fields.dedup_by_key(|field| field.path);
        match problems.is_empty() {
            true => Ok(Condition { source: source.to_owned(), parts, fields }),
            false => Err(problems),
        }
    }

    /// Whether it is true of a context; if not, which part was false, or failed and why.
    pub fn evaluate(&self, context: &Context) -> Verdict {
        let mut run = eval::Run::new(context);
        for (index, part) in self.parts.iter().enumerate() {
            match run.truth(&part.code) {
                Ok(true) => {}
                Ok(false) => return Verdict::False { part: index },
                Err(fault) => return Verdict::Failed { part: index, fault },
            }
        }
        Verdict::True
    }

    /// The fields that it names, by path.
    pub fn references(&self) -> &[&'static Field] {
        &self.fields
    }

    /// What has to be loaded for it.
    pub fn needs(&self) -> Needs {
        Needs::of(&self.fields)
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text of a part, as [`Verdict`] counts them.
    pub fn part(&self, index: usize) -> Option<&str> {
        self.parts.get(index).map(|part| part.source.as_str())
    }

    /// A verdict in words; `None` where it is true.
    pub fn explain(&self, verdict: &Verdict) -> Option<String> {
        match verdict {
            Verdict::True => None,
            Verdict::False { part } => Some(format!("false: {}", self.part(*part).unwrap_or_default())),
            Verdict::Failed { part, fault } => {
                Some(format!("no result, {fault}: {}", self.part(*part).unwrap_or_default()))
            }
        }
    }
}

#[cfg(test)]
mod tests;
