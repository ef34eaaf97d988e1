mod cookbook;
mod mistakes;
mod reading;
mod saying;

use super::{Known, Rule, parse};

/// The rules of a text that has no mistakes.
fn rules(text: &str) -> Vec<Rule> {
    match parse(text, &Known::default()) {
        Ok(rules) => rules,
        Err(mistakes) => panic!("{text}\n{mistakes:#?}"),
    }
}
