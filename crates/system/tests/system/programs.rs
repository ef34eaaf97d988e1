//! Our programs as processes of their own, to be killed.

use std::env;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::Once;
use std::time::SystemTime;

use testkit::Process;

use crate::deployment::DEADLINE;

/// A program with its arguments, running or not.
pub(crate) struct Program {
    binary: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    /// How much of the log is from earlier lives.
    before: usize,
    process: Option<Process>,
    /// How often it ended by itself.
    pub(crate) ended: usize,
}

impl Program {
    /// Starts a program that stands beside this test in the target directory; what it logs goes to `dir`.
    ///
    /// # Panics
    /// When it can't be built or started.
    pub(crate) fn start(name: &str, arguments: &[&str], dir: &Path) -> Program {
        Program::start_as(name, name, arguments, dir)
    }

    /// The same for one of several of a kind, whose log has a name of its own.
    pub(crate) fn start_as(own: &str, name: &str, arguments: &[&str], dir: &Path) -> Program {
        let mut program = Program {
            binary: binary(name),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            log: dir.join(format!("{own}.log")),
            before: 0,
            process: None,
            ended: 0,
        };
        program.restart();
        program
    }

    /// SIGKILL. Returns when it is gone.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again, killing it first if it runs.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.before = self.said().len();
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = command(&self.binary);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.process = Some(Process::spawn(&mut command).unwrap());
    }

    /// Starts it again if it has ended, as whatever runs services does: they give up when the bus is away for long.
    pub(crate) fn keep_alive(&mut self) {
        if self.process.as_mut().is_some_and(|process| process.exited().is_some()) {
            self.ended += 1;
            self.restart();
        }
    }

    /// Asks it to end, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let pid = self.process.as_ref().expect("a running program").pid().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let process = self.process.as_mut().expect("a running program");
        let status = testkit::eventually("a program's end", DEADLINE, async || process.exited()).await;
        self.process = None;
        status
    }

    /// Waits for a line that begins so, printed since it was started last, and returns the rest of it.
    pub(crate) async fn line(&self, start: &str) -> String {
        testkit::eventually("a line of a program", DEADLINE, async || {
            let said = self.said().split_off(self.before);
            // A line that is not ended may not be whole.
            let whole = &said[..said.rfind('\n')?];
            whole.lines().find_map(|line| Some(line.strip_prefix(start)?.trim().to_owned()))
        })
        .await
    }

    /// What it printed and logged in all its lives.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        #![expect(clippy::print_stderr, reason = "the test harness shows it when the test fails")]
        if std::thread::panicking() {
            let said = self.said();
            let lines: Vec<&str> = said.lines().collect();
            eprintln!("the last words of {}:", self.binary.display());
            lines[lines.len().saturating_sub(40)..].iter().for_each(|line| eprintln!("  {line}"));
        }
    }
}

/// Runs a program to its end.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Output {
    command(&binary(name)).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// With the nats-server that the tests use, and without settings of whoever runs them.
fn command(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("THREADMARK_")) {
        command.env_remove(name);
    }
    command.env("THREADMARK_NATS_SERVER", testkit::nats_server_binary().unwrap());
    command
}

/// A port that nobody listens on now. A program that is killed and started again has to have the same one.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// In `target/<profile>`, built from what the sources say now.
fn binary(name: &str) -> PathBuf {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        if !PROGRAMS.iter().all(|(name, crates)| is_fresh(&target().join(name), crates)) {
            build();
        }
    });
    target().join(name)
}

/// The programs, and the crates that they are made of.
const PROGRAMS: [(&str, &[&str]); 6] = [
    ("ingest", &["conversation", "proto", "bus", "service", "ingest"]),
    ("automation-engine", &["conversation", "proto", "bus", "service", "automation-engine"]),
    ("bot", &["conversation", "proto", "bus", "service", "bot"]),
    ("projection", &["conversation", "proto", "bus", "service", "projection"]),
    ("delivery", &["conversation", "proto", "bus", "service", "delivery"]),
    (
        "threadmark",
        &[
            "conversation",
            "proto",
            "bus",
            "service",
            "ingest",
            "projection",
            "automation-engine",
            "bot",
            "delivery",
            "cli",
        ],
    ),
];

/// `target/<profile>`: this test stands in `deps` below it.
fn target() -> PathBuf {
    env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().to_owned()
}

/// Whether a program is younger than all that it is made of. Then `cargo xtask test`, or whoever, has just built it.
fn is_fresh(binary: &Path, crates: &[&str]) -> bool {
    let Ok(built) = fs::metadata(binary).and_then(|metadata| metadata.modified()) else { return false };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = crates.iter().map(|name| root.join("crates").join(name).join("src")).chain([root.join("proto")]);
    sources.filter_map(|source| newest(&source)).all(|changed| changed <= built)
}

/// The way in which `cargo xtask test` does it, so that nothing is compiled twice.
fn build() {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo tells this test about its package is not true of what it builds next.
    for (name, _) in env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    }) {
        cargo.env_remove(name);
    }
    cargo.args(["build", "--quiet", "--workspace", "--bins", "--tests"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if target().ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "the programs under test can't be built");
}

/// When something in a directory was last changed.
fn newest(dir: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let changed = entries.map(|entry| {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            newest(&entry.path())
        } else {
            entry.metadata().unwrap().modified().ok()
        }
    });
    changed.flatten().max()
}
