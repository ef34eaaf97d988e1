use automation_engine::rule::{self, Known};
use clap::Args;
use proto::v1;

use super::file::File;
use crate::client::timely;
use crate::commands::answer;
use crate::commands::page::Amount;
use crate::draw::{Align, Style, Table};
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

const APPLY_EXAMPLES: &str = "\
Examples:
  threadmark rules apply -f rules.yaml --dry-run   # checks everything, teams and agents as well
  threadmark rules apply -f rules.yaml
Rules of the same name are replaced, others stay. What is recorded afterwards is judged by them.";

/// Puts a file of rules in force.
#[derive(Debug, Args)]
#[command(after_help = APPLY_EXAMPLES)]
pub(crate) struct Apply {
    #[command(flatten)]
    file: File,
    /// Check everything and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Apply only to the set of rules with this etag
    #[arg(long, value_name = "ETAG", default_value = "", hide_default_value = true)]
    etag: String,
}

impl Apply {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let yaml = self.file.read()?;
        let request = v1::ApplyRulesRequest {
            workspace: session.workspace.clone(),
            yaml: yaml.clone(),
            validate_only: self.dry_run,
            etag: self.etag,
        };
        let done = session.client.automation().apply_rules(timely(request)).await;
        let done = done.map_err(|status| self.file.refused(&yaml, status, |status| session.failure(status)))?;
        let done = done.into_inner();
        if session.out.is_json() {
            return session.out.message("ApplyRulesResponse", &done);
        }
        let mut table = Table::new(&COLUMNS);
        done.rules.iter().for_each(|rule| table.row(row(session, rule)));
        session.out.table(&table, "the file holds no rules")?;
        match self.dry_run {
            true => session.out.remark("nothing is changed: leave --dry-run out to apply them"),
            false => session.out.remark(&format!("in force, etag {}", done.etag)),
        }
        Ok(())
    }
}

const COLUMNS: [(&str, Align); 5] = [
    ("RULE", Align::Whole),
    ("VERSION", Align::Right),
    ("ENABLED", Align::Left),
    ("ON", Align::Left),
    ("APPLIED", Align::Whole),
];

fn row(session: &Session, rule: &v1::Rule) -> [(Style, String); 5] {
    let style = if rule.enabled { Style::Plain } else { Style::Dim };
    [
        (style, rule.name.clone()),
        (style, rule.version.to_string()),
        (style, if rule.enabled { "yes" } else { "no" }.to_owned()),
        (style, rule.on.clone()),
        (style, session.recent(rule.apply_time.as_ref())),
    ]
}

/// Lists the rules in force.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  threadmark rules list --json")]
pub(crate) struct List {
    #[command(flatten)]
    amount: Amount,
}

impl List {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut table = Table::new(&COLUMNS);
        let (mut have, mut page_token) = (0, String::new());
        while let Some(page_size) = self.amount.next(have) {
            let page = page(session, page_size, page_token).await?;
            have += page.rules.len();
            for rule in &page.rules {
                match session.out.is_json() {
                    true => session.out.message("Rule", rule)?,
                    false => table.row(row(session, rule)),
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        if session.out.is_json() {
            Ok(())
        } else {
            session.out.table(&table, "no rules: put some in force with 'rules apply'")
        }
    }
}

async fn page(session: &Session, page_size: i32, page_token: String) -> Result<v1::ListRulesResponse, Failure> {
    let request = v1::ListRulesRequest { workspace: session.workspace.clone(), page_size, page_token };
    let answer = session.client.automation().list_rules(timely(request)).await;
    Ok(answer.map_err(|status| session.failure(status))?.into_inner())
}

/// The rule of this name, and the etag of the set that it is in.
async fn find(session: &Session, name: &str) -> Result<(v1::Rule, String), Failure> {
    let mut page_token = String::new();
    loop {
        let page = page(session, 1000, page_token).await?;
        if let Some(rule) = page.rules.into_iter().find(|rule| rule.name == name) {
            return Ok((rule, page.etag));
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            let message = format!("there is no rule {name:?}: 'threadmark rules list' lists them");
            return Err(Failure::NotFound(message));
        }
    }
}

/// Prints a rule as it was written.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  threadmark rules show escalate > escalate.yaml")]
pub(crate) struct Show {
    /// The rule's name
    name: String,
}

impl Show {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let (rule, _) = find(session, &self.name).await?;
        match session.out.is_json() {
            true => session.out.message("Rule", &rule),
            false => output::bytes(crate::draw::clean(&rule.yaml).as_bytes()),
        }
    }
}

/// Lets a rule react again.
#[derive(Debug, Args)]
pub(crate) struct Enable {
    /// The rule's name
    name: String,
}

/// Lets a rule stand without reacting.
#[derive(Debug, Args)]
pub(crate) struct Disable {
    /// The rule's name
    name: String,
}

impl Enable {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        switch(session, &self.name, true).await
    }
}

impl Disable {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        switch(session, &self.name, false).await
    }
}

/// Applies a rule's own text again, with `enabled` as it is to be; nobody else's change is undone by it.
async fn switch(session: &Session, name: &str, enabled: bool) -> Result<(), Failure> {
    let (rule, etag) = find(session, name).await?;
    let yaml = switched(&rule.yaml, enabled).ok_or_else(|| {
        Failure::Failed(format!("rule {name} can't be changed from here: write 'enabled: {enabled}' and apply it"))
    })?;
    let request = v1::ApplyRulesRequest { workspace: session.workspace.clone(), yaml, validate_only: false, etag };
    let done = session.client.automation().apply_rules(timely(request)).await;
    let done = done.map_err(|status| session.failure(status))?.into_inner();
    let state = if enabled { "enabled" } else { "disabled" };
    let version = done.rules.first().map(|rule| rule.version).unwrap_or_default();
    answer(session, "ApplyRulesResponse", &done, &format!("rule {name} is {state}, version {version}"))
}

/// The text of a rule with `enabled` as it is to be; `None` where it is not written line by line.
fn switched(yaml: &str, enabled: bool) -> Option<String> {
    let kept = yaml.split_inclusive('\n').filter(|line| !line.starts_with("enabled:"));
    let text = format!("enabled: {enabled}\n{}", kept.collect::<String>());
    let read = |text: &str| rule::parse(text, &Known::default()).ok();
    let (before, after) = (read(yaml)?, read(&text)?);
    match (before.as_slice(), after.as_slice()) {
        ([before], [after]) if before.name == after.name && after.enabled == enabled => Some(text),
        _ => None,
    }
}

/// Deletes a rule.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  threadmark rules delete escalate")]
pub(crate) struct Delete {
    /// The rule's name
    name: String,
}

impl Delete {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let words = format!("rule {} is deleted", self.name);
        let request = v1::DeleteRuleRequest { workspace: session.workspace.clone(), name: self.name };
        let done = session.client.automation().delete_rule(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        answer(session, "DeleteRuleResponse", &done, &words)
    }
}

#[cfg(test)]
mod tests {
    use super::switched;

    #[test]
    fn a_rule_is_switched_in_its_own_text() {
        let rule = "name: a\non: manual\ndo: [pause_bot]\n";
        let off = switched(rule, false).unwrap();
        assert_eq!(off, format!("enabled: false\n{rule}"));
        assert_eq!(switched(&off, true).unwrap(), format!("enabled: true\n{rule}"));
        assert_eq!(switched("{ name: a, on: manual, do: [pause_bot] }\n", false), None);
    }
}
