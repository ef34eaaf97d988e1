use std::process::Stdio;
use std::time::Duration;

use bus::{Bus, Options, Proposal, TraceParent};
use conversation::{Action, Actor, ActorKind, Command, CommandKey, ConversationId, IfOpen, Settings};
use projection::{Engine, Projection, QueryOptions};
use proto::v1::token::Role;
use serde_json::Value;
use service::access::{NewToken, TokenBook, Tokens};
use service::{Config, Doors, Grpc, Shutdown, Supervisor};
use testkit::NatsServer;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::commands::text;

const DEADLINE: Duration = Duration::from_secs(60);

async fn decide(bus: &Bus, nth: u64, actor: Actor, actions: Vec<Action>) -> u64 {
    let key = CommandKey { command: nth, digest: nth, causation: 0 };
    let proposal = Proposal {
        workspace: "demo".to_owned(),
        conversation: ConversationId::parse("c234567890123456789abcd").unwrap(),
        channel: "web:shop".to_owned(),
        command: Command { actor, actions, key, expected_revision: None },
        settings: Settings::default(),
        causation_id: format!("command-{nth}"),
        correlation_id: String::new(),
        depth: 0,
        trace: TraceParent::start(),
    };
    bus.decide(&proposal).await.unwrap().revision
}

#[tokio::test]
async fn an_audit_is_a_table_or_lines_of_json_and_goes_on() {
    let nats = NatsServer::start().await;
    let bus = Bus::connect(&Options::new(nats.url())).await.unwrap();
    bus.ensure_streams().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let options = projection::Options {
        dir: dir.path().join("view"),
        engine: Engine::Sled,
        cache_bytes: 16 << 20,
        queries: QueryOptions::new(["demo".to_owned()]),
    };
    let view = Projection::open(bus.clone(), options).await.unwrap();
    let supervisor = Supervisor::new(Shutdown::new());
    let book = TokenBook::read(bus.clone(), &Config::load(None).unwrap().access).await.unwrap();
    book.follow(&supervisor);
    let mut grpc = Grpc::bind("127.0.0.1:0".parse().unwrap(), Doors::kept(book)).await.unwrap();
    grpc.add(view.audit_service(supervisor.shutdown())).await;
    let server = format!("http://{}", grpc.address().unwrap());
    supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
    let token = async |role, agent: &str| {
        let (workspace, agent_id) = ("demo".to_owned(), agent.to_owned());
        let new = NewToken { workspace, role, agent_id, ..NewToken::default() };
        Tokens::of(&bus).create(new).await.unwrap().1.expose().to_owned()
    };
    let (admin, agent) = (token(Role::Admin, "").await, token(Role::Agent, "ana").await);
    let command = |token: &str, arguments: &[&str]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_threadmark"));
        command.env_clear().env("THREADMARK_TOKEN", token);
        command.args(["--server", &server, "--time-zone", "UTC", "audit"]).args(arguments).kill_on_drop(true);
        command
    };
    let run = async |token: &str, arguments: &[&str]| {
        let output = command(token, arguments).output().await.unwrap();
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };

    let (code, said) = run(&admin, &[]).await;
    assert_eq!((code, said.trim()), (Some(0), "nothing was done"));
    let ana = Actor { display_name: "Ana".to_owned(), ..Actor::new(ActorKind::Agent, "ana") };
    let open = Action::OpenTicket { topic: "refund".to_owned(), assignee: None, if_open: IfOpen::Nest };
    decide(&bus, 1, ana.clone(), vec![open]).await;
    decide(&bus, 2, Actor::new(ActorKind::Automation, "tagger"), vec![Action::AddTag("vip".to_owned())]).await;

    let (code, said) = run(&admin, &[]).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((code, lines.len()), (Some(0), 3), "{said}");
    assert!(lines[0].starts_with("TIME") && lines[0].ends_with("DID"), "{said}");
    for part in
        ["+00:00", " 1 ", "agent:ana (Ana)", "c234567890123456789abcd", "opened c234567890123456789abcd-1 (refund)"]
    {
        assert!(lines[1].contains(part), "{part}: {said}");
    }
    assert!(lines[2].contains("rule:tagger") && lines[2].ends_with("tagged vip"), "{said}");

    let (_, said) = run(&admin, &["--actor", "rule", "--act", "tagged,noted", "--since", "1h", "--json"]).await;
    let act: Value = serde_json::from_str(said.trim()).unwrap();
    assert_eq!(
        (&act["revision"], &act["deeds"][0]["tag"], &act["causation_id"]),
        (&2.into(), &"vip".into(), &"command-2".into())
    );
    let time: jiff::Timestamp = act["time"].as_str().unwrap().parse().unwrap();
    assert!(time.duration_until(jiff::Timestamp::now()).abs() < jiff::SignedDuration::from_hours(1));
    let (_, said) = run(&admin, &["--actor", "agent:ben"]).await;
    assert_eq!(said.trim(), "nothing was done");

    let (code, said) = run(&agent, &[]).await;
    assert!(code == Some(1) && said.contains("ADMIN"), "{code:?} {said}");
    for wrong in
        [&["--actor", "customer"][..], &["--act", "danced"], &["--follow", "--until", "now"], &["--since", "soon"]]
    {
        assert_eq!(run(&admin, wrong).await.0, Some(2), "{wrong:?}");
    }

    let mut child = command(&admin, &["--after", "1", "--follow", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line = tokio::time::timeout(DEADLINE, lines.next_line()).await.expect("it hangs").unwrap().unwrap();
        serde_json::from_str::<Value>(&line).unwrap()["revision"].as_u64().unwrap()
    };
    assert_eq!(next().await, 2);
    let paused = decide(&bus, 3, ana, vec![Action::PauseBot]).await;
    assert_eq!(next().await, paused);
    supervisor.shutdown().begin();
    supervisor.finish().await;
}
