//! Bodies and codes against the examples that the channel documents.

mod bodies;
mod codes;
mod examples;
