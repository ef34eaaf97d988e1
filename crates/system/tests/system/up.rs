//! `threadmark up`, and what people type beside it.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use service::access::Bearer;
use tempfile::TempDir;

use crate::deployment::{DEADLINE, Endpoints, Settings};
use crate::faults::{check, load};
use crate::model::{Business, Stage, seed};
use crate::programs::{Program, free_port, run};

/// A data directory with its configuration, and `threadmark up` on it.
struct Up {
    program: Program,
    grpc: String,
    arguments: Vec<String>,
    dir: TempDir,
}

impl Up {
    /// Starts it, and waits until it is ready.
    async fn start(settings: impl FnOnce(Settings) -> Settings) -> Up {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let settings = settings(Settings::new("", Path::new("elsewhere"), "sled"));
        let config = dir.path().join("threadmark.toml");
        fs::write(&config, settings.text()).unwrap();
        let paths = [&config, &data].map(|path| path.to_str().unwrap().to_owned());
        let [config, data] = paths;
        let arguments = ["up", "--no-demo", "--config", &config, "--data-dir", &data].map(str::to_owned);
        let program = Program::start("threadmark", &arguments.each_ref().map(String::as_str), dir.path());
        let mut up = Up { program, grpc: String::new(), arguments: arguments.to_vec(), dir };
        up.ready().await;
        up
    }

    async fn ready(&mut self) {
        self.program.line("ready").await;
        self.grpc = self.program.line("gRPC").await;
    }

    async fn again(&mut self) {
        self.program.restart();
        self.ready().await;
    }

    /// What a command prints.
    ///
    /// # Panics
    /// When it does not succeed.
    fn run(&self, arguments: &[&str]) -> String {
        let all = [&["--server", self.grpc.as_str(), "--workspace", "acme"], arguments].concat();
        let output = run("threadmark", &all);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// The objects that a command prints with `--json`.
    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let printed = self.run(&[arguments, &["--json"]].concat());
        printed.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    fn timeline(&self) -> Vec<Value> {
        self.json(&["timeline", "visitor-7", "--all"])
    }

    /// The process id of its nats-server.
    fn nats(&self) -> u32 {
        let file = self.dir.path().join("data").join("nats.pid");
        fs::read_to_string(file).unwrap().trim().parse().unwrap()
    }
}

/// As a developer has it: no setting says anything of doors.
#[tokio::test(flavor = "multi_thread")]
async fn up_is_locked_and_prints_a_key_that_opens_it() {
    use proto::v1;
    use proto::v1::ticket_service_client::TicketServiceClient;
    use tonic::transport::Channel;

    let mut up = Up::start(|settings| acme(settings.locked())).await;
    let key = up.program.line("key").await;
    let file = up.dir.path().join("data").join("service.token");
    assert_eq!(fs::read_to_string(&file).unwrap().trim(), key);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let ask = async |token: Option<&str>| {
        let channel = Channel::from_shared(up.grpc.clone()).unwrap().connect().await.unwrap();
        let bearer = match token {
            Some(token) => Bearer::of(&service::Secret::new(token), "the test").unwrap(),
            None => Bearer::none(),
        };
        let request = v1::ListTicketsRequest { workspace: "acme".to_owned(), ..v1::ListTicketsRequest::default() };
        TicketServiceClient::with_interceptor(channel, bearer).list_tickets(request).await
    };
    assert_eq!(ask(None).await.unwrap_err().code(), tonic::Code::Unauthenticated);
    ask(Some(&key)).await.unwrap();
    // Client commands on this machine find the key by themselves.
    let made = up.json(&["admin", "token", "create", "reports", "--role", "reader"]);
    let reader = made[0]["secret"].as_str().unwrap().to_owned();
    ask(Some(&reader)).await.unwrap();
    let listed = up.json(&["admin", "token", "list"]);
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    up.run(&["admin", "token", "revoke", &id]);
    testkit::eventually("the token to be refused", DEADLINE, async || ask(Some(&reader)).await.err()).await;
    // The same key after a restart, and nobody's secret in what was said.
    up.again().await;
    assert_eq!(up.program.line("key").await, key);
    let said = up.program.said();
    assert!(!said.contains(&reader));
    let shown = said.lines().filter(|line| line.contains(&key)).count();
    assert_eq!(shown, 2, "the key is printed once a start, and never logged");
}

fn acme(settings: Settings) -> Settings {
    settings.workspace("acme", &oracle::Settings { assign_on_write: true, unassign_on_close: true })
}

fn runs(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).join("exe").exists()
}

async fn is_gone(pid: u32) {
    testkit::eventually("the end of nats-server", DEADLINE, async || (!runs(pid)).then_some(())).await;
}

/// A customer writes, an agent opens a ticket and another one within it, writes, and closes them.
fn some_chat(up: &Up) {
    up.run(&["receive", "--channel", "web:shop", "--contact", "visitor-7", "--name", "Maya", "hello"]);
    // Also waits until the view has it: the commands below look for the contact.
    let revision = up.json(&["receive", "--channel", "web:shop", "--contact", "visitor-7", "is anyone there?"]);
    let revision = revision[0]["revision"].to_string();
    up.run(&["timeline", "visitor-7", "--min-revision", &revision]);
    up.run(&["open", "visitor-7", "--topic", "refund", "--agent", "ann"]);
    up.run(&["open", "visitor-7", "--topic", "parcel", "--agent", "ann"]);
    up.run(&["assign", "visitor-7", "agent:ben", "--agent", "ann"]);
    up.run(&["send", "visitor-7", "on its way", "--agent", "ben"]);
    up.run(&["note", "visitor-7", "was friendly", "--agent", "ben"]);
    up.run(&["close", "visitor-7", "--all", "--agent", "ben"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn up_answers_what_people_type_and_goes_on_after_ctrl_c() {
    let mut up = Up::start(acme).await;
    some_chat(&up);
    let tickets = up.json(&["tickets", "visitor-7", "--nested"]);
    let topics: Vec<&str> = tickets.iter().map(|ticket| ticket["topic"].as_str().unwrap()).collect();
    assert_eq!(topics, ["parcel", "refund"]);
    assert!(tickets.iter().all(|ticket| ticket["state"] == "CLOSED"), "{tickets:?}");
    let count = &up.json(&["count"])[0];
    assert_eq!((&count["primary_count"], &count["nested_count"]), (&json!(1), &json!(1)), "{count}");
    let drawn = up.run(&["timeline", "visitor-7", "--no-color"]);
    for words in
        ["hello", "Ticket opened by ann", "Assigned to ben", "on its way", "was friendly", "Ticket closed by ben"]
    {
        assert!(drawn.contains(words), "{words} is not in\n{drawn}");
    }
    up.run(&["verify"]);
    let added = &up.json(&["webhooks", "add", "https://hooks.example.com/in", "ticket.opened", "ticket.closed"])[0];
    let (id, secret) = (added["webhook"]["id"].as_str().unwrap(), added["secret"].as_str().unwrap());
    assert!(secret.starts_with("whsec_"), "{added}");
    up.run(&["webhooks", "disable", id]);
    let webhooks = up.run(&["webhooks", "--no-color"]);
    assert!(webhooks.contains("https://hooks.example.com/in") && webhooks.contains("disabled"), "{webhooks}");
    assert!(!webhooks.contains(secret), "it is shown once");
    assert!(up.json(&["webhooks", "log", id]).is_empty());
    up.run(&["webhooks", "remove", id]);
    assert_eq!(up.json(&["health", "threadmark.v1.TicketService"])[0]["status"], "serving");
    let (told, nats) = (up.timeline(), up.nats());
    assert_eq!(
        told.len(),
        2 + 2 + 1 + 1 + 1 + 2 + 1,
        "messages, openings, assigned, said, noted, closings, unassigned"
    );

    up.program.interrupt();
    let status = up.program.ended().await;
    assert!(status.success(), "{status}");
    assert!(!runs(nats), "nats-server is left behind");
    up.again().await;
    assert_eq!(up.timeline(), told);
    up.run(&["send", "visitor-7", "hello again", "--agent", "ben"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_up_takes_its_nats_server_along_and_goes_on_when_started_again() {
    let mut up = Up::start(acme).await;
    some_chat(&up);
    let (told, nats) = (up.timeline(), up.nats());
    assert!(runs(nats));
    up.program.kill();
    is_gone(nats).await;
    up.again().await;
    assert_ne!(up.nats(), nats);
    assert_eq!(up.timeline(), told);
    up.run(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn up_starts_a_killed_nats_server_again() {
    let up = Up::start(acme).await;
    some_chat(&up);
    let (told, nats) = (up.timeline(), up.nats());
    assert!(std::process::Command::new("kill").args(["-KILL", &nats.to_string()]).status().unwrap().success());
    is_gone(nats).await;
    // The command waits, as every client does, until the bus is back.
    up.run(&["send", "visitor-7", "still here", "--agent", "ben"]);
    let revision = up.json(&["note", "visitor-7", "was patient", "--agent", "ben"])[0]["revision"].to_string();
    up.run(&["timeline", "visitor-7", "--min-revision", &revision]);
    let now = up.timeline();
    assert_eq!(now[..told.len()], told);
    // Who holds nobody's conversation by writing is assigned first.
    assert_eq!(now.len(), told.len() + 3, "{now:?}");
    assert_ne!(up.nats(), nats);
}

#[tokio::test(flavor = "multi_thread")]
async fn up_says_what_is_wrong_and_what_to_do() {
    let up = Up::start(acme).await;
    let arguments: Vec<&str> = up.arguments.iter().map(String::as_str).collect();
    let refused = |arguments: &[&str]| {
        let output = run("threadmark", arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let second = refused(&arguments);
    assert!(second.contains("in use by another threadmark") && second.contains("--data-dir"), "{second}");
    let taken = up.grpc.strip_prefix("http://").unwrap();
    let elsewhere = up.dir.path().join("elsewhere");
    let elsewhere = ["up", "--no-demo", "--data-dir", elsewhere.to_str().unwrap()];
    let port = refused(&[&elsewhere[..], &["--grpc", taken, "--http", "127.0.0.1:0"]].concat());
    assert!(port.contains(taken) && port.contains("--grpc"), "{port}");
    let nowhere = refused(&[&elsewhere[..], &["--config", "/nowhere.toml"]].concat());
    assert!(nowhere.contains("/nowhere.toml"), "{nowhere}");
    let config = up.dir.path().join("wrong.toml");
    fs::write(&config, "[grcp]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let wrong = refused(&[&elsewhere[..], &["--config", config.to_str().unwrap()]].concat());
    assert!(wrong.contains("grcp") && wrong.contains("--dump-config"), "{wrong}");
}

/// The random histories of the fault test, with everything in one process.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killing_up_at_any_time_loses_and_doubles_nothing() {
    let seed = seed();
    let mut random = Rng::with_seed(seed);
    let business = Business::nth(0);
    let (grpc, http) = (free_port(), free_port());
    let mut up = Up::start(|settings| settings.business(&business).listening(grpc, http)).await;
    let grpc = up.grpc.clone();
    let endpoints = Endpoints {
        commands: grpc.clone(),
        queries: grpc,
        http: format!("http://127.0.0.1:{http}"),
        bearer: Bearer::none(),
    };
    let stage = Arc::new(Stage::new(endpoints.clone()));
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(load(stage.clone(), business.clone(), seed * 1_000_000, stop.clone()));
    for _ in 0..testkit::count("fault-kills", 6, 200).div_ceil(3) {
        tokio::time::sleep(Duration::from_millis(random.u64(500..2_500))).await;
        up.again().await;
    }
    stop.store(true, Ordering::SeqCst);
    let cases = load.await.unwrap();
    check(&bus::Options::new(up.program.line("nats").await), &endpoints, &business, &stage, &cases, &mut random).await;
}
