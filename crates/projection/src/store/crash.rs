//! Kill -9, for real: a child process commits batches that belong together until it is killed at a random moment, and
//! the next child checks what it finds before it goes on. The child is this test binary, running the same test.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::suite::open_home;
use super::{Batch, Engine, Store, View};

/// Tells a process that it is the child, and where its store is.
const DIR: &str = "THREADMARK_TEST_STORE_DIR";

/// Kills per engine, unless the variable says how many.
const KILLS: u64 = 8;
const KILLS_VARIABLE: &str = "THREADMARK_TEST_STORE_KILLS";

/// Opening and recovering included, a child says something at least this often.
const SILENCE: Duration = Duration::from_secs(60);

const ROWS: u16 = 300;
const LOG: u64 = 50;

#[test]
fn sled_keeps_whole_batches() {
    either_side(Engine::Sled, "sled_keeps_whole_batches");
}

#[test]
fn fjall_keeps_whole_batches() {
    either_side(Engine::Fjall, "fjall_keeps_whole_batches");
}

fn either_side(engine: Engine, test: &str) {
    match env::var(DIR) {
        Ok(dir) => write_until_killed(Path::new(&dir), engine),
        Err(_) => kill_again_and_again(engine, test),
    }
}

fn kill_again_and_again(engine: Engine, test: &str) {
    let dir = TempDir::new().unwrap();
    let kills = env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap());
    let mut found = 0;
    for _ in 0..kills {
        let round = kill_once(dir.path(), test);
        assert!(round.opened >= found, "reopened at {} after {found} were found", round.opened);
        found = round.opened.max(found_at_least(engine, &round));
    }
    let home = open_home(dir.path(), engine).unwrap();
    let last = check(&*home.live().unwrap());
    assert!(last >= found && last > 0, "batch {last} after {found}");
}

/// fjall hands every batch to the operating system, which outlives the process; sled keeps the newest to itself.
fn found_at_least(engine: Engine, round: &Round) -> u64 {
    match engine {
        Engine::Sled => round.opened,
        Engine::Fjall => round.committed,
    }
}

/// What a child said before it was killed.
struct Round {
    opened: u64,
    committed: u64,
}

/// Lets a child open the store and commit for a while, then kills it.
fn kill_once(dir: &Path, test: &str) -> Round {
    let mut child = Victim::start(dir, test);
    let opened = child.next().unwrap();
    let mut round = Round { opened, committed: opened };
    for _ in 0..random(80) {
        round.committed = child.next().unwrap();
    }
    thread::sleep(Duration::from_micros(random(5_000)));
    child.process.kill().unwrap();
    while let Some(committed) = child.next() {
        round.committed = committed;
    }
    round
}

fn random(below: u64) -> u64 {
    RandomState::new().hash_one(below) % below
}

/// A child process, killed at the latest when it is dropped.
struct Victim {
    process: Child,
    said: Receiver<String>,
}

impl Victim {
    fn start(dir: &Path, test: &str) -> Self {
        let module = module_path!().split_once("::").unwrap().1;
        let mut process = Command::new(env::current_exe().unwrap())
            .args([&format!("{module}::{test}"), "--exact", "--nocapture"])
            .env(DIR, dir)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = lines(process.stderr.take().unwrap());
        Self { process, said }
    }

    /// The next batch number that the child says, or `None` when it is dead.
    fn next(&mut self) -> Option<u64> {
        match self.said.recv_timeout(SILENCE) {
            Ok(line) => Some(line.parse().unwrap_or_else(|_| panic!("the child failed: {}", self.last_words(line)))),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("the child said nothing for {SILENCE:?}"),
        }
    }

    fn last_words(&self, first: String) -> String {
        self.said.iter().fold(first, |text, line| text + "\n" + &line)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn lines(from: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    receiver
}

/// The child's side. Ends only by a kill, or when nobody listens any more.
fn write_until_killed(dir: &Path, engine: Engine) {
    let home = open_home(dir, engine).unwrap();
    let store = home.live().unwrap();
    let mut number = check(&*store);
    loop {
        writeln!(std::io::stderr(), "{number}").unwrap();
        number += 1;
        store.commit(numbered(number)).unwrap();
    }
}

/// A batch whose rows all carry its number. It replaces the rows of the batch before, adds to a log and takes the
/// log's oldest entry away; some are larger than sled's segments (512 KiB), some hold one value that is.
fn numbered(number: u64) -> Batch {
    let mut batch = Batch::default();
    let padding = [20, 260, 3_000][number as usize % 3];
    for row in 0..ROWS {
        batch.put([b"row".as_slice(), &row.to_be_bytes()].concat(), value(number, padding));
    }
    batch.put("large", value(number, if number.is_multiple_of(8) { 1 << 20 } else { 0 }));
    batch.put(log_key(number), value(number, 0));
    batch.delete(log_key(number.saturating_sub(LOG)));
    batch
}

fn log_key(number: u64) -> Vec<u8> {
    [b"log".as_slice(), &number.to_be_bytes()].concat()
}

fn value(number: u64, padding: usize) -> Vec<u8> {
    let mut value = number.to_be_bytes().to_vec();
    value.resize(8 + padding, number as u8);
    value
}

/// Asserts that the store holds exactly what the batches up to some number leave, and returns that number.
fn check(store: &dyn Store) -> u64 {
    let Some(large) = store.get(b"large").unwrap() else {
        assert_eq!(store.scan(&[], &[]).count(), 0, "rows without the batch they came with");
        return 0;
    };
    let number = u64::from_be_bytes(large[..8].try_into().unwrap());
    let mut expect = Batch::default();
    for number in (number.saturating_sub(LOG) + 1).min(number)..number {
        expect.put(log_key(number), value(number, 0));
    }
    let expect = expect.into_operations().unwrap().chain(numbered(number).into_operations().unwrap());
    let mut expect: Vec<_> = expect.filter_map(|(key, value)| Some((key, value?))).collect();
    expect.sort();
    let found = rows(store);
    let differing = found.iter().zip(&expect).find(|(found, expect)| found != expect).map(|(found, _)| &found.0);
    assert!(found == expect, "batch {number}: {} rows for {}, from {differing:?}", found.len(), expect.len());
    number
}

fn rows(view: &dyn View) -> Vec<(Vec<u8>, Vec<u8>)> {
    view.scan(&[], &[]).map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap()).collect()
}
