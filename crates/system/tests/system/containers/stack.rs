//! Containers of the test's own: another project, other ports, another configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use bus::{Bus, User};
use proto::v1::token::Role;
use service::access::{Bearer, NewToken, Tokens};
use tempfile::TempDir;

use crate::deployment::{DEADLINE, Endpoints, Settings};
use crate::model::Business;
use crate::programs::free_port;

/// Set by `cargo xtask test` once the images are there.
const VARIABLE: &str = "THREADMARK_CONTAINERS";

/// A running compose project, taken down with everything in it when this is dropped.
pub(super) struct Stack {
    project: String,
    files: Vec<PathBuf>,
    nats: Vec<(String, u16)>,
    pub(super) endpoints: Endpoints,
    /// Where the host listens for gRPC, webhooks and the page.
    ports: [u16; 3],
    dir: TempDir,
}

impl Stack {
    /// Builds the image and starts the containers of these files; `None`, with a word about it, where there is no Docker.
    pub(super) async fn up(files: &[&str], nats: &[&str]) -> Option<Stack> {
        #![expect(clippy::print_stderr, reason = "whoever runs the tests has to know what was not run")]
        if std::env::var(VARIABLE).as_deref() != Ok("1") {
            eprintln!("SKIPPED: {VARIABLE} is not 1: `cargo xtask test` sets it where Docker answers");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let nats: Vec<(String, u16)> = nats.iter().map(|node| ((*node).to_owned(), free_port())).collect();
        let (grpc, http, console) = (free_port(), free_port(), free_port());
        let mut files: Vec<PathBuf> = files.iter().map(|file| root().join(file)).collect();
        files.push(overrides(dir.path(), &nats));
        let url = format!("http://127.0.0.1:{grpc}");
        let ports = [grpc, http, console];
        let endpoints = Endpoints {
            commands: url.clone(),
            queries: url,
            http: format!("http://127.0.0.1:{http}"),
            bearer: Bearer::none(),
        };
        let mut stack = Stack { project: format!("threadmark-test-{grpc}"), files, nats, endpoints, ports, dir };
        stack.compose(&["build", "ingest"]);
        stack.compose(&["up", "-d"]);
        let key = format!("{}:/keys/admin/admin.nk", stack.container("keys"));
        docker(&["cp", &key, stack.dir.path().to_str().unwrap()]);
        stack.endpoints.bearer = stack.bearer().await;
        stack.settled().await;
        Some(stack)
    }

    /// A token of the test's own, made beside the bus as an operator makes the first one.
    async fn bearer(&self) -> Bearer {
        let bus = testkit::eventually("the bus", DEADLINE, async || {
            let bus = Bus::connect(&self.bus()).await.ok()?;
            bus.ensure_access().await.ok()?;
            Some(bus)
        });
        let new = NewToken { name: "test".to_owned(), role: Role::Service, ..NewToken::default() };
        let (_, token) = Tokens::of(&bus.await).create(new).await.unwrap();
        Bearer::of(&token, "a new token").unwrap()
    }

    /// The bus, as its admin reaches it from here.
    pub(super) fn bus(&self) -> bus::Options {
        let urls: Vec<String> = self.nats.iter().map(|(_, port)| format!("nats://127.0.0.1:{port}")).collect();
        let keys = Some(self.dir.path().to_owned());
        bus::Options { name: User::Admin.name().to_owned(), keys, ..bus::Options::new(urls.join(",")) }
    }

    /// SIGKILL.
    pub(super) fn kill(&self, service: &str) {
        self.compose(&["kill", "-s", "KILL", service]);
    }

    pub(super) fn start(&self, service: &str) {
        self.compose(&["start", service]);
    }

    /// Takes a container off the network.
    pub(super) fn disconnect(&self, service: &str) {
        docker(&["network", "disconnect", &self.network(), &self.container(service)]);
    }

    /// Puts it back, under the name by which the others know it.
    pub(super) fn connect(&self, service: &str) {
        docker(&["network", "connect", "--alias", service, &self.network(), &self.container(service)]);
    }

    /// Waits until every container that has a health check passes it. Some have done their work by then and ended.
    pub(super) async fn settled(&self) {
        let containers = self.compose(&["ps", "-q"]);
        let ended = ["keys", "streams", "access"].map(|service| self.container(service));
        let stays = |container: &&str| !ended.iter().any(|ended| ended == container);
        let containers: Vec<&str> = containers.split_whitespace().filter(stays).collect();
        assert!(containers.len() > 4, "{containers:?}");
        testkit::eventually("healthy containers", 3 * DEADLINE, async || {
            let format = "{{.State.Running}} {{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}}";
            let states = docker(&[&["inspect", "--format", format], &containers[..]].concat());
            let well = states.lines().all(|state| state == "true healthy");
            if !well {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            well.then_some(())
        })
        .await;
    }

    fn network(&self) -> String {
        format!("{}_default", self.project)
    }

    fn container(&self, service: &str) -> String {
        self.compose(&["ps", "-a", "-q", service]).trim().to_owned()
    }

    fn compose(&self, arguments: &[&str]) -> String {
        done(&format!("{arguments:?}"), self.command(arguments).output().unwrap())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let plugin = Command::new("docker").args(["compose", "version"]).output();
        let mut command = if plugin.is_ok_and(|output| output.status.success()) {
            let mut docker = Command::new("docker");
            docker.arg("compose");
            docker
        } else {
            Command::new("docker-compose")
        };
        command.arg("--env-file").arg(root().join("deploy/stand-ins.env")).args(["-p", &self.project]);
        // Relative paths in every file are those of the first.
        for file in &self.files {
            command.arg("-f").arg(file);
        }
        let [grpc, http, console] = self.ports.map(|port| format!("127.0.0.1:{port}"));
        command.env("THREADMARK_GRPC", grpc).env("THREADMARK_WEBHOOKS", http).env("THREADMARK_CONSOLE", console);
        command.args(arguments);
        command
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        #![expect(clippy::print_stderr, reason = "the test harness shows it when the test fails")]
        if std::thread::panicking()
            && let Ok(logs) = self.command(&["logs", "--tail", "30", "--no-color"]).output()
        {
            eprintln!("{}", String::from_utf8_lossy(&logs.stdout));
        }
        drop(self.command(&["down", "-v", "--timeout", "2"]).output());
    }
}

/// What a test has otherwise: its own configuration and ports, and nodes of the bus that it can look into.
fn overrides(dir: &Path, nats: &[(String, u16)]) -> PathBuf {
    let business = Business::nth(0);
    let config = dir.join("threadmark.toml");
    let text = Settings::new("nats://nats:4222", Path::new("/data"), "sled").business(&business).contained();
    fs::write(&config, text.replacen("[nats]", "[nats]\nkeys = \"/keys\"", 1)).unwrap();
    let mount = format!("{}:/etc/threadmark/threadmark.toml:ro", config.display());
    let mut text = "services:\n".to_owned();
    let programs = ["streams", "ingest", "projection", "automation-engine", "bot", "delivery", "console"];
    for service in programs.into_iter().chain((nats.len() > 1).then_some("projection-2")) {
        text.push_str(&format!("  {service}:\n    volumes: [{mount:?}]\n"));
    }
    for (node, port) in nats {
        text.push_str(&format!("  {node}:\n    ports: [\"127.0.0.1:{port}:4222\"]\n"));
    }
    let file = dir.join("test.yml");
    fs::write(&file, text).unwrap();
    file
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn docker(arguments: &[&str]) -> String {
    done(&format!("{arguments:?}"), Command::new("docker").args(arguments).output().unwrap())
}

fn done(what: &str, output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{what}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}
