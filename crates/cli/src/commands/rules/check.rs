use automation_engine::rule::{self, Known};
use clap::Args;
use serde_json::json;

use super::file::File;
use crate::failure::Failure;
use crate::output::{self, Output};

const EXAMPLES: &str = "\
Examples:
  threadmark rules check -f rules.yaml
  cat rules.yaml | threadmark rules check -f -
Whether teams and agents exist only the server knows: 'rules apply --dry-run' asks it.";

/// Checks a file of rules, without a server.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    #[command(flatten)]
    file: File,
}

impl Check {
    pub(super) fn run(&self, out: &Output) -> Result<(), Failure> {
        let text = self.file.read()?;
        let rules = rule::parse(&text, &Known::default()).map_err(|mistakes| self.file.mistakes(&text, mistakes))?;
        if !out.is_json() {
            let count = rules.len();
            return out.text(&format!("{}: {count} rule{}, no mistakes", self.file, if count == 1 { "" } else { "s" }));
        }
        rules.iter().try_for_each(|rule| {
            out.object(&json!({ "name": rule.name, "on": rule.on.name(), "enabled": rule.enabled, "yaml": rule.yaml }))
        })
    }
}

const SCHEMA_EXAMPLES: &str = "\
Example, with the YAML extension of VS Code:
  threadmark rules schema > rules.schema.json
and as the first line of rules.yaml:
  # yaml-language-server: $schema=rules.schema.json";

/// Prints the JSON Schema of rules.
#[derive(Debug, Args)]
#[command(after_help = SCHEMA_EXAMPLES)]
pub(crate) struct Schema {}

impl Schema {
    pub(super) fn run(&self, out: &Output) -> Result<(), Failure> {
        let schema = rule::schema();
        if out.is_json() {
            return out.object(&schema);
        }
        let text = serde_json::to_string_pretty(&schema).map_err(|error| Failure::Failed(error.to_string()))?;
        output::bytes(format!("{text}\n").as_bytes())
    }
}
