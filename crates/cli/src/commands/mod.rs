//! What people type: each command asks the server and prints the answer, for people or as JSON.

pub(crate) mod admin;
mod again;
pub(crate) mod agents;
pub(crate) mod audit;
pub(crate) mod bot;
pub(crate) mod completions;
pub(crate) mod contact;
mod contact_export;
pub(crate) mod conversations;
pub(crate) mod count;
pub(crate) mod dead;
pub(crate) mod doctor;
pub(crate) mod health;
pub(crate) mod knowledge;
mod page;
pub(crate) mod presence;
pub(crate) mod projection;
pub(crate) mod receive;
pub(crate) mod rules;
mod shadow;
pub(crate) mod stats;
pub(crate) mod talk;
pub(crate) mod teams;
pub(crate) mod tickets;
pub(crate) mod timeline;
pub(crate) mod watch;
pub(crate) mod webhooks;
pub(crate) mod window;

use crate::draw::{Line, Style};
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

/// The answer to a command, given by the server: as it is, or in a few words.
fn answer(session: &Session, name: &str, message: &impl prost::Message, words: &str) -> Result<(), Failure> {
    if session.out.is_json() { session.out.message(name, message) } else { session.out.text(words) }
}

/// Facts under each other: what they are, and what they say. Those that say nothing are left out.
pub(crate) fn facts(out: &Output, facts: &[(&str, String)]) -> Result<(), Failure> {
    let widest = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let mut line = Line::of(Style::Dim, *name);
        line.pad_to(widest + 2);
        out.line(&line.with(Style::Plain, crate::draw::clean(value)))?;
    }
    Ok(())
}
