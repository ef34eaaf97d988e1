//! The bot: answers what it knows, hands off when it can't.
//!
//! Architecture Invariant: a brain proposes and never acts. What it says of a turn becomes a decision, or nothing, in one
//! place, under the revision that the turn was read at.

mod brain;
pub mod evaluation;
mod grpc;
mod knowledge;
mod llm;
mod options;
mod retrieval;
mod talk;
mod turn;

pub use brain::{Brain, BrainError, HandoffReason, Outcome, Question, Said, Source, Speaker, Thought};
pub use grpc::{Answers, bot_service};
pub use knowledge::Library;
pub use llm::{Llm, LlmError, Passages, brain};
pub use options::Options;
pub use retrieval::Retrieval;
pub use turn::{TurnOptions, Turns, TurnsError};
