use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use saphyr_parser::ScalarStyle;
use serde_json::Value;

use super::super::yaml::{self, Node, Yaml};
use super::super::{Known, Trigger, parse, parse_action, schema};
use super::rules;
use crate::condition::FIELDS;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");
const START: &str =
    "<!-- fields: checked by a test, written by THREADMARK_BLESS=1 cargo test -p automation-engine -->\n";
const END: &str = "<!-- end of fields -->\n";

fn docs() -> String {
    std::fs::read_to_string(Path::new(DOCS)).unwrap()
}

/// What stands between ```yaml and ```.
fn examples() -> Vec<String> {
    let docs = docs();
    let blocks = docs.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

#[test]
fn every_rule_of_the_cookbook_is_taken() {
    let text = examples().join("\n---\n");
    let rules = rules(&text);
    assert!(rules.len() >= 14, "{}", rules.len());
    for rule in &rules {
        let again = parse(&rule.yaml, &Known::default()).unwrap_or_else(|m| panic!("{}\n{m:?}", rule.yaml));
        assert_eq!(again[0].yaml, rule.yaml);
    }
    let shown: BTreeSet<String> = rules.iter().map(|rule| rule.on.name()).collect();
    let rare = [
        "message.sent",
        "ticket.opened",
        "conversation.assigned",
        "conversation.unassigned",
        "tag.removed",
        "agent.online",
    ];
    for name in Trigger::NAMES.iter().filter(|name| !rare.contains(name)) {
        assert!(shown.iter().any(|shown| shown.starts_with(name)), "no rule of the cookbook is set off by {name}");
    }
    let used: BTreeSet<&str> = rules.iter().flat_map(|rule| &rule.steps).map(|step| step.action.name()).collect();
    for action in parse_action::ACTIONS.iter().filter(|name| !["remove_tag", "resume_bot"].contains(name)) {
        assert!(used.contains(action), "no rule of the cookbook does {action}");
    }
}

#[test]
fn the_schema_takes_the_cookbook_and_refuses_what_is_wrong() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for example in examples() {
        for document in yaml::documents(&example).unwrap() {
            let json = json(&document);
            let errors: Vec<String> =
                validator.iter_errors(&json).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{example}\n{errors:#?}");
        }
    }
    let wrong = [
        "name: a\non: message.recieved\ndo: [pause_bot]\n",
        "name: a\non: manual\ndo: []\n",
        "name: a\non: manual\nwen: x\ndo: [pause_bot]\n",
        "name: a b\non: manual\ndo: [pause_bot]\n",
        "name: a\non: manual\ndo: [{ add_tgg: x }]\n",
        "name: a\non: manual\ndo: [{ assign: { strategy: random } }]\n",
        "name: a\non: manual\ndo: [{ wait: soon }]\n",
        "name: a\non: manual\ndo: [{ add_tag: a, add_note: b }]\n",
        "name: a\non: { customer.idle: { after: 5m } }\ndo: [pause_bot]\n",
        "name: a\non: { external.x: { contact: b } }\ndo: [pause_bot]\n",
    ];
    for text in wrong {
        let document = json(&yaml::documents(text).unwrap()[0]);
        assert!(!validator.is_valid(&document), "{text}");
        assert!(parse(text, &Known::default()).is_err(), "{text}");
    }
}

/// As editors see it.
fn json(node: &Node) -> Value {
    match &node.value {
        Yaml::List(list) => list.iter().map(json).collect(),
        Yaml::Map(entries) => {
            entries.iter().map(|(key, value)| (key.text().unwrap().to_owned(), json(value))).collect()
        }
        Yaml::Scalar(..) if node.is_null() => Value::Null,
        Yaml::Scalar(text, ScalarStyle::Plain) => match serde_json::from_str(text) {
            Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
            _ => text.as_str().into(),
        },
        Yaml::Scalar(text, _) => text.as_str().into(),
    }
}

#[test]
fn the_schema_knows_every_trigger_and_action() {
    let text = schema().to_string();
    for name in Trigger::NAMES.iter().chain(parse_action::ACTIONS) {
        let name = name.trim_end_matches('.');
        assert!(text.contains(&format!("\"{name}\"")) || text.contains(&format!("^{name}")), "{name}");
    }
}

#[test]
fn the_docs_name_every_trigger_and_action_and_list_every_field() {
    let docs = docs();
    for name in Trigger::NAMES.iter().chain(parse_action::ACTIONS) {
        assert!(docs.contains(&format!("`{name}")), "docs/rules.md says nothing about {name}");
    }
    let mut table = String::from("\n| field | type | what it is |\n|---|---|---|\n");
    for field in FIELDS {
        let absent = if field.optional { ", may be absent" } else { "" };
        let triggers = match field.scope {
            crate::condition::Scope::Always | crate::condition::Scope::Conversation => String::new(),
            scope => format!("; {}", crate::condition::Scopes::triggers_of(scope)),
        };
        writeln!(table, "| `{}` | {}{absent} | {}{triggers} |", field.path, field.kind.as_type(), field.doc).unwrap();
    }
    table.push('\n');
    let (before, rest) = docs.split_once(START).expect("the start of the fields");
    let (found, after) = rest.split_once(END).expect("the end of the fields");
    if std::env::var("THREADMARK_BLESS").is_ok_and(|value| value == "1") {
        std::fs::write(DOCS, format!("{before}{START}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(found, table, "write it with THREADMARK_BLESS=1");
    }
}
