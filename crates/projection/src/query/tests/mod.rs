//! Every query against the oracle, or against the slow way, over random histories.

mod history;
mod tickets;
mod world;
