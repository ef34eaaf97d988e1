use std::collections::BTreeMap;
use std::time::Duration;

use super::parse_action::Place;
use super::read::{Map, Reader};
use super::yaml::{self, Mark, Node, Yaml};
use super::{
    Action, Fires, Known, MAX_ACTIONS, MAX_NAME_BYTES, MAX_RULES, MAX_YAML_BYTES, Mistake, OnRefusal, RateLimit, Rule,
    Step, Trigger, nearest, parse_action, parse_trigger,
};
use crate::condition::{Condition, Scopes};

pub(super) const RULE_KEYS: &[&str] =
    &["name", "description", "enabled", "on", "when", "fires", "rate_limit", "on_refusal", "do"];
pub(super) const RATE_KEYS: &[&str] = &["times", "per"];
pub(super) const FIRES: &[(&str, Fires)] = &[
    ("always", Fires::Always),
    ("once_per_ticket", Fires::OncePerTicket),
    ("once_per_conversation", Fires::OncePerConversation),
];
pub(super) const ON_REFUSAL: &[(&str, OnRefusal)] = &[("stop", OnRefusal::Stop), ("continue", OnRefusal::Continue)];
const MINUTE: Duration = Duration::from_secs(60);

/// Reads rules: documents that are a rule, a list of rules, or a mapping with `rules`.
///
/// # Errors
/// Every mistake, in the order of the text.
pub fn parse(text: &str, known: &Known) -> Result<Vec<Rule>, Vec<Mistake>> {
    if text.len() > MAX_YAML_BYTES {
        let message = format!("the text has more than {MAX_YAML_BYTES} bytes: apply it in parts");
        return Err(vec![Mistake { line: 1, column: 1, path: String::new(), message }]);
    }
    if let Some((at, _)) = text.match_indices('\r').find(|(at, _)| text.as_bytes().get(at + 1) != Some(&b'\n')) {
        let line = text[..at].matches('\n').count() + 1;
        let message = "a carriage return stands alone: end lines with a line feed".to_owned();
        return Err(vec![Mistake { line, column: 1, path: String::new(), message }]);
    }
    let documents = yaml::documents(text).map_err(|mistake| vec![mistake])?;
    let mut reader = Reader::new(text, known);
    let mut rules = Vec::new();
    let many = documents.len() > 1;
    for (index, document) in documents.iter().enumerate() {
        let step = if many { format!("document[{index}].") } else { String::new() };
        reader.inside(step, |reader| read_document(reader, document, &mut rules));
    }
    check_together(&mut reader, &rules);
    let mistakes = reader.into_mistakes();
    match mistakes.is_empty() {
        true => Ok(rules.into_iter().map(|read| read.rule).collect()),
        false => Err(mistakes),
    }
}

/// A rule, and where it stands.
struct ReadRule {
    rule: Rule,
    /// Of its name.
    mark: Mark,
    path: String,
    /// Where it names other rules.
    runs: Vec<(Mark, String, String)>,
}

fn read_document(reader: &mut Reader<'_>, document: &Node, rules: &mut Vec<ReadRule>) {
    match &document.value {
        Yaml::List(list) => read_rules(reader, "rules", list, rules),
        Yaml::Map(entries) if entries.iter().any(|(key, _)| matches!(key.text(), Some("name" | "on" | "do"))) => {
            rules.extend(read_rule(reader, document));
        }
        Yaml::Map(_) => {
            let Some(map) = reader.map(document, "a document", &["rules"]) else { return };
            let Some(list) = reader.need(&map, "a document", "rules") else { return };
            let list = reader.inside("rules", |reader| reader.list(list, "rules"));
            read_rules(reader, "rules", list, rules);
        }
        Yaml::Scalar(..) if document.is_null() => {}
        Yaml::Scalar(..) => reader.wrong(document, "a document holds `rules:`, a list of rules"),
    }
}

fn read_rules(reader: &mut Reader<'_>, step: &str, list: &[Node], rules: &mut Vec<ReadRule>) {
    for (index, node) in list.iter().enumerate() {
        if rules.len() >= MAX_RULES {
            reader.wrong(node, format!("there are more than {MAX_RULES} rules"));
            return;
        }
        rules.extend(reader.inside(format!("{step}[{index}]"), |reader| read_rule(reader, node)));
    }
}

fn read_rule(reader: &mut Reader<'_>, node: &Node) -> Option<ReadRule> {
    let map = reader.map(node, "a rule", RULE_KEYS)?;
    let name_node = reader.need(&map, "a rule", "name");
    let name = name_node.and_then(|node| reader.inside(".name", |reader| read_name(reader, node)));
    let description = optional(reader, &map, "description", |reader, node| reader.text(node, "a description", 1024));
    let enabled = optional(reader, &map, "enabled", |reader, node| reader.truth(node, "enabled"));
    let fires = optional(reader, &map, "fires", |reader, node| reader.word(node, "fires", FIRES));
    let refusal = optional(reader, &map, "on_refusal", |reader, node| reader.word(node, "on_refusal", ON_REFUSAL));
    let rate = optional(reader, &map, "rate_limit", read_rate);
    let on = reader.need(&map, "a rule", "on");
    let on = on.and_then(|node| reader.inside(".on", |reader| parse_trigger::trigger(reader, node)));
    let place = Place::of(on.as_ref());
    let when = optional(reader, &map, "when", |reader, node| read_condition(reader, node, &place.scopes));
    let steps = reader.need(&map, "a rule", "do");
    let refusal = refusal.unwrap_or_default();
    let (steps, runs) =
        steps.map(|node| reader.inside(".do", |reader| read_steps(reader, node, &place, refusal))).unwrap_or_default();
    if let Some(on) = &on {
        check_fires(reader, &map, on);
    }
    let name_node = name_node?;
    Some(ReadRule {
        mark: name_node.start,
        path: reader.path(),
        runs,
        rule: Rule {
            name: name?,
            description: description.unwrap_or_default().to_owned(),
            enabled: enabled.unwrap_or(true),
            on: on?,
            when,
            fires: fires.unwrap_or_default(),
            rate_limit: rate.unwrap_or_default(),
            steps,
            yaml: own_text(reader, node)?,
        },
    })
}

/// How often it fires is counted in a conversation.
fn check_fires(reader: &mut Reader<'_>, map: &Map<'_>, on: &Trigger) {
    for key in ["fires", "rate_limit"] {
        if let Some(node) = map.get(key).filter(|_| !on.concerns_conversation()) {
            let message = format!("`{key}` counts in a conversation, and {on} concerns none: leave it out");
            reader.inside(format!(".{key}"), |reader| reader.wrong(node, message));
        }
    }
}

/// The rule's own text, which is kept and parsed again: it has to say the same alone.
fn own_text(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let text = reader.source(node);
    let trimmed = text.trim_end().to_owned() + "\n";
    let same =
        |text: &String| yaml::documents(text).is_ok_and(|alone| matches!(alone.as_slice(), [one] if one.same(node)));
    // Empty lines at the end mean something only to a block that keeps them.
    let found = [trimmed, text].into_iter().find(same);
    if found.is_none() {
        reader.wrong(node, "this rule does not say the same when it stands alone: indent all its lines alike");
    }
    found
}

/// The value of a key that may be left out.
pub(super) fn optional<'n, T>(
    reader: &mut Reader<'_>,
    map: &Map<'n>,
    key: &str,
    read: impl FnOnce(&mut Reader<'_>, &'n Node) -> Option<T>,
) -> Option<T> {
    let node = map.get(key)?;
    reader.inside(format!(".{key}"), |reader| read(reader, node))
}

fn read_name(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let name = reader.text(node, "a name", MAX_NAME_BYTES)?;
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
        reader.wrong(node, "a name has letters, digits, -, _ and . alone, for example refunds-to-billing");
        return None;
    }
    Some(name.to_owned())
}

fn read_rate(reader: &mut Reader<'_>, node: &Node) -> Option<RateLimit> {
    let map = reader.map(node, "rate_limit", RATE_KEYS)?;
    let times = reader.need(&map, "rate_limit", "times");
    let times = times.and_then(|node| reader.number(node, "times", 1..=1000));
    let (min, max) = (Duration::from_secs(1), 24 * 60 * MINUTE);
    let per = reader.need(&map, "rate_limit", "per");
    let per = per.and_then(|node| reader.length(node, "per", min, max));
    Some(RateLimit { times: times?, per: per? })
}

fn read_condition(reader: &mut Reader<'_>, node: &Node, scopes: &Scopes) -> Option<Condition> {
    let Some(source) = node.text() else {
        reader.wrong(
            node,
            format!("a condition is an expression such as message.text.contains(\"refund\"); this is {}", node.kind()),
        );
        return None;
    };
    match Condition::compile(source, scopes) {
        Ok(condition) => Some(condition),
        Err(problems) => {
            reader.problems(node, &problems);
            None
        }
    }
}

type Steps = (Vec<Step>, Vec<(Mark, String, String)>);

fn read_steps(reader: &mut Reader<'_>, node: &Node, place: &Place<'_>, refusal: OnRefusal) -> Steps {
    let list = reader.list(node, "do");
    if list.is_empty() && matches!(node.value, Yaml::List(_)) {
        reader.wrong(node, "do is empty: a rule does something");
    }
    if let Some(extra) = list.get(MAX_ACTIONS) {
        reader.wrong(extra, format!("a rule has at most {MAX_ACTIONS} actions: go on in another with `run`"));
    }
    let mut runs = Vec::new();
    let mut steps = Vec::new();
    for (index, node) in list.iter().enumerate().take(MAX_ACTIONS) {
        let step = reader.inside(format!("[{index}]"), |reader| {
            let step = parse_action::step(reader, node, place, refusal);
            if let Some(Step { action: Action::Run { rule }, .. }) = &step {
                runs.push((node.start, reader.path(), rule.clone()));
            }
            step
        });
        if let (Some(Step { action: Action::Wait(_), .. }), true) = (&step, index + 1 == list.len()) {
            reader.wrong(node, "nothing follows this wait: leave it out, or say what to do then");
        }
        steps.extend(step);
    }
    (steps, runs)
}

/// What only shows when all rules are known: names that stand twice, and rules that are run and don't exist.
fn check_together(reader: &mut Reader<'_>, rules: &[ReadRule]) {
    let mut names: BTreeMap<&str, &ReadRule> = BTreeMap::new();
    for read in rules {
        if let Some(first) = names.insert(&read.rule.name, read) {
            let message = format!(
                "`{}` is the name of the rule in line {} already: choose another",
                read.rule.name, first.mark.line
            );
            reader.wrong_elsewhere(read.mark, format!("{}.name", read.path), message);
        }
    }
    let Some(others) = &reader.known.rules else { return };
    for (mark, path, target) in rules.iter().flat_map(|read| &read.runs) {
        if names.contains_key(target.as_str()) || others.contains(target) {
            continue;
        }
        let known = names.keys().copied().chain(others.iter().map(String::as_str));
        let message = format!("there is no rule `{target}`{}", nearest(target, known));
        reader.wrong_elsewhere(*mark, path.clone(), message);
    }
}
