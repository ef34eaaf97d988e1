//! The fold, fed with events straight from hand or from chance, on stores of both engines.

mod against_oracle;
mod batches;
mod decoding;
mod folded;
mod log;
mod random;
mod rules;
mod translate;
