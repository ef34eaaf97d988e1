//! Our programs as processes of their own, to be killed.

use std::env;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use testkit::Process;

/// A program with its arguments, running or not.
pub(crate) struct Program {
    binary: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    process: Option<Process>,
    /// How often it ended by itself.
    pub(crate) ended: usize,
}

impl Program {
    /// Starts a program that stands beside this test in the target directory; what it logs goes to `dir`.
    ///
    /// # Panics
    /// When there is no such program, or one that is older than its sources.
    pub(crate) fn start(name: &str, arguments: &[&str], dir: &Path) -> Program {
        let mut program = Program {
            binary: binary(name),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            log: dir.join(format!("{name}.log")),
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
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new(&self.binary);
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

    /// What it printed and logged so far.
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

/// A port that nobody listens on now. A program that is killed and started again has to have the same one.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Of `target/<profile>`: `cargo build --workspace --bins --tests` puts it there.
fn binary(name: &str) -> PathBuf {
    const BUILD: &str = "run `cargo build --workspace --bins --tests` first, as `cargo xtask test` does";
    let deps = env::current_exe().unwrap();
    let binary = deps.parent().and_then(Path::parent).unwrap().join(name);
    let built = fs::metadata(&binary).and_then(|metadata| metadata.modified());
    let built = built.unwrap_or_else(|error| panic!("no {}: {error}; {BUILD}", binary.display()));
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sources = ["conversation", "proto", "bus", "service", "ingest", "projection", "cli"];
    for source in sources.iter().map(|name| crates.join(name).join("src")).chain([crates.join("../proto")]) {
        if let Some(changed) = newest(&source).filter(|changed| *changed > built + Duration::from_millis(10)) {
            let age = changed.duration_since(built).unwrap();
            panic!("{} is {age:.0?} older than {}: {BUILD}", binary.display(), source.display());
        }
    }
    binary
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
