use cel::{Context as Oracle, Program, Value as OracleValue};
use serde_json::{Map, Value as Json};

use super::super::path::to_json;
use super::super::{Condition, FIELDS, FieldType, Verdict};
use super::{context, scopes};

/// The same context for the interpreter of the cel crate: a second reading that shares the parser alone.
fn oracle() -> Oracle<'static, 'static> {
    let context = context();
    let mut root = Map::new();
    for field in FIELDS {
        // The interpreter knows no times without chrono.
        if matches!(field.kind, FieldType::Timestamp | FieldType::Duration) {
            continue;
        }
        let Some(value) = (field.get)(&context) else { continue };
        let mut names: Vec<&str> = field.path.split('.').collect();
        let last = names.pop().unwrap();
        let mut map = &mut root;
        for name in names {
            map = map.entry(name).or_insert_with(|| Json::Object(Map::new())).as_object_mut().unwrap();
        }
        map.insert(last.to_owned(), to_json(value).unwrap());
    }
    let mut oracle = Oracle::default();
    for (name, value) in root {
        oracle.add_variable_from_value(name, oracle_value(&value));
    }
    oracle
}

/// Whole numbers as int: the crate's own conversion makes unsigned ones, which CEL keeps apart.
fn oracle_value(json: &Json) -> OracleValue {
    match json {
        Json::Null => OracleValue::Null,
        Json::Bool(truth) => OracleValue::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(int) => OracleValue::Int(int),
            None => OracleValue::Float(number.as_f64().unwrap()),
        },
        Json::String(text) => OracleValue::String(text.clone().into()),
        Json::Array(list) => OracleValue::List(list.iter().map(oracle_value).collect::<Vec<_>>().into()),
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), oracle_value(value)));
            OracleValue::from(entries.collect::<std::collections::HashMap<String, OracleValue>>())
        }
    }
}

/// Any bool, int, string or list of strings, at most `depth` deep.
fn bool(depth: u32) -> String {
    let deeper = depth.saturating_sub(1);
    let pick = if depth == 0 { fastrand::u32(0..5) } else { fastrand::u32(0..19) };
    match pick {
        0 => "true".to_owned(),
        1 => "false".to_owned(),
        2 => fastrand::choice(["workspace.open", "conversation.assigned", "event.data.order.paid"]).unwrap().to_owned(),
        3 => format!(
            "has({})",
            fastrand::choice([
                "conversation.assignee",
                "ticket.id",
                "contact.username",
                "event.data.order.coupon",
                "event.data.order.id"
            ])
            .unwrap()
        ),
        4 => "contact.username == 'x'".to_owned(),
        5 | 6 => format!("({} && {})", bool(deeper), bool(deeper)),
        7 | 8 => format!("({} || {})", bool(deeper), bool(deeper)),
        9 => format!("!({})", bool(deeper)),
        10 => {
            format!("{} {} {}", int(deeper), fastrand::choice(["<", "<=", ">", ">=", "==", "!="]).unwrap(), int(deeper))
        }
        11 => format!("{} {} {}", string(deeper), fastrand::choice(["<", "==", "!=", ">="]).unwrap(), string(deeper)),
        12 => format!(
            "{}.{}({})",
            string(deeper),
            fastrand::choice(["contains", "startsWith", "endsWith"]).unwrap(),
            string(deeper)
        ),
        13 => format!("{} in {}", string(deeper), list(deeper)),
        14 => format!(
            "{}.{}(x, x {} {})",
            list(deeper),
            fastrand::choice(["exists", "all", "exists_one"]).unwrap(),
            fastrand::choice(["==", "!=", "<"]).unwrap(),
            string(deeper)
        ),
        15 => format!("({} ? {} : {})", bool(deeper), bool(deeper), bool(deeper)),
        16 => format!(
            "{}.matches({})",
            string(deeper),
            fastrand::choice(["'(?i)refund'", "'^v'", "'x?'", "'[a-f]+$'"]).unwrap()
        ),
        17 => format!("{} == {}", list(deeper), list(deeper)),
        _ => format!("event.data.order.lines.exists(l, l.sku == {})", string(deeper)),
    }
}

fn int(depth: u32) -> String {
    let deeper = depth.saturating_sub(1);
    match fastrand::u32(0..if depth == 0 { 4 } else { 8 }) {
        0 => fastrand::i32(-3..9).to_string(),
        1 => "conversation.open_ticket_count".to_owned(),
        2 => "conversation.ticket_count".to_owned(),
        3 => "event.data.order.id".to_owned(),
        4 => format!("size({})", string(deeper)),
        5 => format!("{}.size()", list(deeper)),
        6 => format!("({} {} {})", int(deeper), fastrand::choice(["+", "-", "*", "/", "%"]).unwrap(), int(deeper)),
        _ => format!("-({})", int(deeper)),
    }
}

fn string(depth: u32) -> String {
    let deeper = depth.saturating_sub(1);
    match fastrand::u32(0..if depth == 0 { 6 } else { 7 }) {
        0 => fastrand::choice(["'vip'", "''", "'Refund'", "\"ber\"", "'a'"]).unwrap().to_owned(),
        1 => "message.text".to_owned(),
        2 => "contact.display_name".to_owned(),
        3 => "ticket.topic".to_owned(),
        4 => "contact.username".to_owned(),
        5 => "event.data.tags[0]".to_owned(),
        _ => format!("({} + {})", string(deeper), string(deeper)),
    }
}

fn list(depth: u32) -> String {
    let deeper = depth.saturating_sub(1);
    match fastrand::u32(0..if depth == 0 { 2 } else { 5 }) {
        0 => "conversation.tags".to_owned(),
        1 => "['a', 'vip']".to_owned(),
        2 => format!("[{}, {}]", string(deeper), string(deeper)),
        3 => format!("{}.filter(y, y != {})", list(deeper), string(deeper)),
        _ => format!("{}.map(y, y + {})", list(deeper), string(deeper)),
    }
}

#[test]
fn random_conditions_mean_what_the_interpreter_says() {
    let seed = std::env::var("THREADMARK_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    fastrand::seed(seed);
    let (oracle, ours) = (oracle(), context());
    let mut tally = [0; 3];
    for _ in 0..testkit::count("random-conditions", 1000, 50_000) {
        let source = bool(4);
        if source.len() > super::super::MAX_SOURCE_BYTES {
            continue;
        }
        let Ok(condition) = Condition::compile(&source, &scopes()) else {
            // What is nested too deep is refused, and nothing else here.
            let problems = Condition::compile(&source, &scopes()).unwrap_err();
            assert!(problems.iter().all(|p| p.message.contains("deep")), "{source}: {problems:?}");
            continue;
        };
        let verdict = condition.evaluate(&ours);
        let expect = Program::compile(&source).unwrap().execute(&oracle);
        let same = match (&verdict, &expect) {
            (Verdict::True, Ok(OracleValue::Bool(true))) => 0,
            (Verdict::False { .. }, Ok(OracleValue::Bool(false))) => 1,
            // The first part without a result ends ours; a later part that is false makes the whole false.
            (Verdict::Failed { .. }, Err(_) | Ok(OracleValue::Bool(false))) => 2,
            _ => panic!("{source}: {verdict:?}, and the interpreter says {expect:?}"),
        };
        tally[same] += 1;
    }
    assert!(tally.iter().all(|count| *count > 30), "{tally:?}");
}
