//! Every query against the oracle, or against the slow way, over random histories.

mod conversations;
mod counts;
mod history;
mod mistakes;
mod reads;
mod tickets;
mod timeline;
mod watch;
mod world;
