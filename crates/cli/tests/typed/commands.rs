use std::process::Output;
use std::time::Duration;

use crate::stand_in::StandIn;

const DEADLINE: Duration = Duration::from_secs(60);

/// Runs the binary against a server, with no environment of whoever runs the test.
pub(crate) async fn threadmark(server: &str, arguments: &[&str]) -> Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_threadmark"));
    command.env_clear().args(["--server", server, "--time-zone", "UTC"]).args(arguments).kill_on_drop(true);
    tokio::time::timeout(DEADLINE, command.output()).await.expect("it takes too long").unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn the_exit_code_says_what_kind_of_failure_it_is() {
    let (_, server) = StandIn::start().await;
    let cases: &[(&[&str], i32, &str)] = &[
        (&["ticket", "there"], 0, ""),
        (&["ticket", "refused"], 1, "not open"),
        (&["ticket", "wrong"], 2, "  ticket_id: is wrong"),
        (&["ticket", "bus"], 3, "the bus is away"),
        (&["ticket", "nowhere"], 4, "does not exist"),
        (&["ticket"], 2, "required"),
        (&["count", "--from", "soon"], 2, "is no time"),
        (&["count", "--by", "day"], 2, "--from"),
        (&["stats"], 1, "older than this threadmark"),
        (&["timeline", "Nobody"], 4, "no contact"),
        (&["timeline", "Ben"], 2, "could be several"),
        (&["timeline", "May"], 0, ""),
        (&["send", "May", "hello"], 4, "no contact"),
        (&["assign", "Maya", "ana"], 2, "agent:ana"),
    ];
    for (arguments, code, says) in cases {
        let output = threadmark(&server, arguments).await;
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {told}");
        assert!(told.contains(says), "{arguments:?}: {told}");
        assert_eq!(told.is_empty(), *code == 0, "{arguments:?}: {told}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_told_so() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let output = threadmark(&server, &["tickets"]).await;
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3));
    assert!(told.contains(&server) && told.contains("threadmark up"), "{told}");
}

#[tokio::test]
async fn json_has_the_names_of_the_contract_and_errors_have_theirs() {
    let (_, server) = StandIn::start().await;
    let output = threadmark(&server, &["ticket", "there", "--json", "-w", "acme"]).await;
    let ticket: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(ticket["workspace"], "acme");
    assert_eq!(ticket["open_time"], "2023-11-14T22:13:20Z");
    let output = threadmark(&server, &["--json", "ticket", "wrong"]).await;
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "INVALID_ARGUMENT");
    assert_eq!(error["error"]["exit_code"], 2);
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn counts_are_a_table_with_bars() {
    let (_, server) = StandIn::start().await;
    let output = threadmark(&server, &["count", "--by", "topic"]).await;
    let expect = "\
TOPIC   PRIMARY  NESTED
refund        9       3  ███████████████████████░░░░░░░
(none)        3          ███████▌
12 tickets, 3 nested beside them
";
    assert_eq!(text(&output.stdout), expect);
}

#[tokio::test]
async fn a_reader_who_wants_no_more_ends_it_quietly() {
    let (_, server) = StandIn::start().await;
    let mut command = tokio::process::Command::new("sh");
    let script = format!("'{}' tickets --all --json --server {server} | head -n 1", env!("CARGO_BIN_EXE_threadmark"));
    let output = tokio::time::timeout(DEADLINE, command.args(["-c", &script]).output()).await.unwrap().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(text(&output.stdout).starts_with("{\"id\":\"0\""));
}

#[tokio::test]
async fn help_teaches_and_completions_complete() {
    let help = text(&threadmark("x", &["--help"]).await.stdout);
    for part in ["First steps:", "threadmark up", "Exit codes:"] {
        assert!(help.contains(part), "{help}");
    }
    assert!(!help.contains("nats-guard"));
    for command in ["open", "count", "timeline", "simulate", "watch", "receive", "tickets"] {
        let help = text(&threadmark("x", &[command, "--help"]).await.stdout);
        assert!(help.contains("Example"), "{command}: {help}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let output = threadmark("x", &["completions", shell]).await;
        assert!(text(&output.stdout).contains("unassign"), "{shell}");
    }
}
