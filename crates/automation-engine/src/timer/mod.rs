//! Durable timers of rules: armed by events, due later, and void if their reason is gone.

mod arm;
mod due;
mod resume;
mod void;
