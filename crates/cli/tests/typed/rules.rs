use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use automation_engine::rule::{self, Known};
use proto::v1;
use proto::v1::automation_service_server::{AutomationService, AutomationServiceServer};
use service::status::Mistakes;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::commands::{text, threadmark};

type Answer<T> = Result<Response<T>, Status>;

/// An AutomationService that keeps rules and runs none.
#[derive(Clone, Default)]
struct Keeper {
    rules: Arc<Mutex<BTreeMap<String, v1::Rule>>>,
}

impl Keeper {
    async fn start() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let service = AutomationServiceServer::new(Keeper::default());
        let incoming = TcpListenerStream::new(listener);
        tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
        address
    }
}

#[tonic::async_trait]
impl AutomationService for Keeper {
    type BacktestRulesStream =
        Pin<Box<dyn tokio_stream::Stream<Item = Result<v1::BacktestRulesResponse, Status>> + Send>>;

    async fn apply_rules(&self, request: Request<v1::ApplyRulesRequest>) -> Answer<v1::ApplyRulesResponse> {
        let request = request.into_inner();
        let known = Known { teams: Some(BTreeMap::new()), ..Known::default() };
        let parsed = rule::parse(&request.yaml, &known).map_err(|list| {
            let mut mistakes = Mistakes::default();
            list.iter().for_each(|m| mistakes.add(format!("{}:{}", m.line, m.column), m.message.clone()));
            mistakes.done().unwrap_err()
        })?;
        let mut kept = self.rules.lock().unwrap();
        let mut answer = v1::ApplyRulesResponse { rules: Vec::new(), etag: "e".to_owned() };
        for read in parsed {
            let version = kept.get(&read.name).map_or(0, |rule| rule.version) + 1;
            let on = read.on.name();
            let (name, enabled, yaml) = (read.name, read.enabled, read.yaml);
            let rule = v1::Rule { name, version, enabled, yaml, on, apply_time: None };
            answer.rules.push(rule.clone());
            if !request.validate_only {
                kept.insert(rule.name.clone(), rule);
            }
        }
        Ok(Response::new(answer))
    }

    async fn list_rules(&self, _: Request<v1::ListRulesRequest>) -> Answer<v1::ListRulesResponse> {
        let rules = self.rules.lock().unwrap().values().cloned().collect();
        Ok(Response::new(v1::ListRulesResponse { rules, etag: "e".to_owned(), ..Default::default() }))
    }

    async fn delete_rule(&self, request: Request<v1::DeleteRuleRequest>) -> Answer<v1::DeleteRuleResponse> {
        let name = request.into_inner().name;
        let removed = self.rules.lock().unwrap().remove(&name);
        removed
            .map(|_| Response::new(v1::DeleteRuleResponse::default()))
            .ok_or_else(|| service::status::not_found("rule", &name))
    }

    async fn backtest_rules(&self, request: Request<v1::BacktestRulesRequest>) -> Answer<Self::BacktestRulesStream> {
        use v1::backtest_rules_response::Part;
        let request = request.into_inner();
        rule::parse(&request.yaml, &Known::default()).map_err(|list| {
            let mut mistakes = Mistakes::default();
            list.iter().for_each(|m| mistakes.add(format!("{}:{}", m.line, m.column), m.message.clone()));
            mistakes.done().unwrap_err()
        })?;
        let progress = v1::BacktestProgress { events_done: 5, events_total: 9, time: request.start_time };
        let parts = [Part::Progress(progress), Part::Report(report())];
        let answers = parts.into_iter().map(|part| Ok(v1::BacktestRulesResponse { part: Some(part) }));
        Ok(Response::new(Box::pin(tokio_stream::iter(answers.collect::<Vec<_>>()))))
    }

    async fn list_runs(&self, _: Request<v1::ListRunsRequest>) -> Answer<v1::ListRunsResponse> {
        Err(Status::unimplemented(""))
    }

    async fn run_rule(&self, _: Request<v1::RunRuleRequest>) -> Answer<v1::RunRuleResponse> {
        Err(Status::unimplemented(""))
    }
}

const WRONG: &str =
    "name: a\non: message.received\nwhen: message.text == 1 && mesage.type == \"x\"\ndo:\n\t- pause_bot\n";
const TYPED_WRONG: &str = "name: a\non: message.received\nwhen: message.text == \"ü\" && nope\ndo: [pause_bot]\n";
const TEAM: &str = "name: a\non: manual\ndo:\n  - assign: { team: billing }\n";
const RIGHT: &str = "name: a\non: manual\ndo: [pause_bot]\n---\nname: b\non: { customer.idle: { for: 1h } }\ndo:\n  - close_ticket: all\n";

/// Runs it on a file of this text; what it ends with, prints, and tells.
async fn on_file(server: &str, arguments: &[&str], rules: &str) -> (Option<i32>, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rules.yaml");
    std::fs::write(&path, rules).unwrap();
    let path = path.to_str().unwrap();
    let output = threadmark(server, &[arguments, &["-f", path]].concat()).await;
    let told = text(&output.stderr).replace(path, "rules.yaml");
    (output.status.code(), text(&output.stdout).replace(path, "rules.yaml"), told)
}

#[tokio::test]
async fn mistakes_are_shown_where_they_stand_without_a_server() {
    let nowhere = "http://127.0.0.1:1";
    let (code, printed, told) = on_file(nowhere, &["rules", "check"], TYPED_WRONG).await;
    assert_eq!((code, printed.as_str()), (Some(2), ""));
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("rules.yaml:3:30: there is no `nope`: conditions know"), "{told}");
    assert_eq!(
        lines[1..],
        [
            "  when: message.text == \"ü\" && nope",
            "                               ^",
            "error: rules.yaml has 1 mistake"
        ]
    );

    let (code, _, told) = on_file(nowhere, &["rules", "check"], WRONG).await;
    assert_eq!(code, Some(2), "{told}");
    assert!(told.starts_with("rules.yaml:5:"), "{told}");

    let (code, _, told) = on_file(nowhere, &["rules", "check", "--json"], TYPED_WRONG).await;
    let json: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &json["error"]["in_file"]["mistakes"][0]["column"]), (Some(2), &serde_json::json!(30)));

    let (code, printed, told) = on_file(nowhere, &["rules", "check"], RIGHT).await;
    assert_eq!((code, printed.as_str(), told.as_str()), (Some(0), "rules.yaml: 2 rules, no mistakes\n", ""));
    let missing = threadmark(nowhere, &["rules", "check", "-f", "nowhere.yaml"]).await;
    assert_eq!(missing.status.code(), Some(4));
    let schema = threadmark(nowhere, &["rules", "schema"]).await;
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert_eq!(schema["title"], "Threadmark rules");
}

#[tokio::test]
async fn rules_are_applied_listed_switched_shown_and_deleted() {
    let server = Keeper::start().await;
    let (code, _, told) = on_file(&server, &["rules", "apply"], TEAM).await;
    assert_eq!(code, Some(2));
    assert!(told.starts_with("rules.yaml:4:21: there is no team `billing`\n"), "{told}");
    let (code, printed, told) = on_file(&server, &["rules", "apply", "--dry-run"], RIGHT).await;
    assert!(
        code == Some(0) && printed.contains("customer.idle") && told.contains("nothing is changed"),
        "{printed}{told}"
    );
    let list = threadmark(&server, &["rules", "list"]).await;
    assert!(text(&list.stdout).contains("no rules"));
    let (code, printed, _) = on_file(&server, &["rules", "apply", "--json"], RIGHT).await;
    assert!(code == Some(0) && printed.contains(r#""version":1"#), "{printed}");

    let cases: &[(&[&str], i32, &str)] = &[
        (&["rules", "list"], 0, "customer.idle"),
        (&["rules", "list", "--json"], 0, r#""name":"b""#),
        (&["rules", "show", "b"], 0, "on: { customer.idle: { for: 1h } }\n"),
        (&["rules", "show", "c"], 4, "there is no rule \"c\""),
        (&["rules", "disable", "b"], 0, "rule b is disabled, version 2"),
        (&["rules", "show", "b"], 0, "enabled: false\nname: b\n"),
        (&["rules", "list", "--json"], 0, r#""enabled":false"#),
        (&["rules", "enable", "b"], 0, "rule b is enabled, version 3"),
        (&["rules", "delete", "b"], 0, "rule b is deleted"),
        (&["rules", "delete", "b"], 4, "does not exist"),
        (&["rules"], 2, "Usage"),
    ];
    for (arguments, code, says) in cases {
        let output = threadmark(&server, arguments).await;
        let told = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {told}");
        assert!(told.contains(says), "{arguments:?}: {told}");
    }
}

fn report() -> v1::BacktestReport {
    use v1::backtest_report::{FalseCondition, RuleReport};
    let ann = v1::Assignee { agent_id: "ann".to_owned(), team_id: "billing".to_owned() };
    let assigned = |count| vec![v1::AssignedCount { assignee: Some(ann.clone()), count }];
    let run = v1::Run {
        conversation_id: "c1".to_owned(),
        outcome: v1::run::Outcome::Refused.into(),
        reason: "open_ticket: ticket c1-1 is open already".to_owned(),
        ..v1::Run::default()
    };
    let refunds = RuleReport {
        rule: "refunds".to_owned(),
        events: 1_234,
        matches: 40,
        tickets_opened: 39,
        refused: 1,
        assigned: assigned(39),
        examples: vec![run],
        ..RuleReport::default()
    };
    let dead = FalseCondition { condition: "message.text == \"x\"".to_owned(), count: 1_234 };
    let never =
        RuleReport { rule: "never".to_owned(), events: 1_234, not_matched: vec![dead], ..RuleReport::default() };
    let actual = v1::BacktestCounts { tickets_opened: 41, messages_sent: 3, ..v1::BacktestCounts::default() };
    let simulated =
        v1::BacktestCounts { tickets_opened: 39, messages_sent: 3, assigned: assigned(39), ..Default::default() };
    let difference = v1::BacktestDifference {
        conversation_id: "c1".to_owned(),
        actual: Some(v1::BacktestCounts { tickets_opened: 2, ..v1::BacktestCounts::default() }),
        simulated: None,
    };
    v1::BacktestReport {
        events: 2_000,
        events_before: 500,
        rules: vec![refunds, never],
        actual: Some(actual),
        simulated: Some(simulated),
        differences: vec![difference],
        conversations_different: 1,
        left_out: 2,
        notes: vec!["rule x: nobody of team y is online today".to_owned()],
        ..v1::BacktestReport::default()
    }
}

#[tokio::test]
async fn a_draft_is_tried_on_the_past_and_its_report_reads_well() {
    let server = Keeper::start().await;
    let (code, printed, told) = on_file(&server, &["rules", "backtest", "--from", "7d"], RIGHT).await;
    assert_eq!(code, Some(0), "{told}");
    for line in [
        "RULE     LOOKED AT  MATCHES  OPENED  CLOSED  MESSAGES  SKIPPED  REFUSED  ASSIGNED",
        "refunds      1,234       40      39       0         0        0        1  ann@billing 39",
        "  false 1,234 times: message.text == \"x\"",
        "tickets opened                 41          39      -2",
        "messages of rules               3           3       =",
        "assigned to ann@billing         0          39     +39",
        "1 conversation differ",
        "c1            2 opened  nothing",
    ] {
        assert!(printed.lines().any(|found| found.trim_end() == line.trim_end()), "{line}\n{printed}");
    }
    assert!(!printed.contains("is open already"), "runs are shown when asked for");
    assert!(
        told.contains("2 deeds of agents and the bot") && told.contains("2,000 events in the period, 500 before it")
    );
    let (_, printed, _) = on_file(&server, &["rules", "backtest", "--from", "7d", "--examples"], RIGHT).await;
    assert!(printed.contains("refused: open_ticket: ticket c1-1 is open already"), "{printed}");
    let (code, printed, _) = on_file(&server, &["rules", "backtest", "--from", "7d", "--json"], RIGHT).await;
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((code, report["rules"][0]["matches"].as_i64()), (Some(0), Some(40)));
    let (code, _, told) =
        on_file(&server, &["rules", "backtest", "--from", "7d"], "{name: x, on: manul, do: []}").await;
    assert!(code == Some(2) && told.starts_with("rules.yaml:1:"), "{told}");
    let (code, _, told) = on_file(&server, &["rules", "backtest", "--from", "whenever"], RIGHT).await;
    assert!(code == Some(2) && told.contains("whenever"), "{told}");
}
