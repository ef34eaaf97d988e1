//! Many live pages on one console process: each hears of what happens, and nothing of them stays when they have gone.

use std::net::SocketAddr;

use testkit::Process;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::{DEADLINE, WORKSPACE, World};

/// Chats that are looked at.
const CHATS: usize = 10;
/// Pages that one person has open: a token makes so many calls a second and no more.
const EACH: usize = 20;
/// How often all pages come and go.
const ROUNDS: usize = 5;
/// What the allocator may keep besides, from one round to the next, in bytes: it gives back late, and not all.
const SLACK: u64 = 16 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stderr, reason = "the memory is what the soak is for")]
async fn many_live_pages_come_and_go_without_growth() {
    let world = World::without_browser().await;
    let pages = testkit::count("live-pages", 60, 500);
    let mut chats = Vec::new();
    for nth in 0..CHATS {
        chats.push(world.say(&format!("Customer {nth}"), "hello").await);
    }
    let (process, address) = world.console_process();
    testkit::eventually("the console", DEADLINE, async || TcpStream::connect(address).await.ok()).await;
    let mut cookies = Vec::new();
    for _ in 0..pages.div_ceil(EACH) {
        cookies.push(sign_in(address, world.token(WORKSPACE, "ana").await.expose()).await);
    }
    eprintln!("{:.1} MB, {} files before", megabytes(process.memory().unwrap()), files(&process));
    let before = files(&process);
    let mut left = Vec::new();
    for round in 1..=ROUNDS {
        let mut open = Vec::new();
        for nth in 0..pages {
            // Each tenth is an inbox.
            let (chat, revision) = &chats[nth % CHATS];
            let path =
                if nth % 10 == 9 { "/inbox/live".to_owned() } else { format!("/c/{chat}/live?after={revision}") };
            open.push((Page::open(address, &path, &cookies[nth / EACH]).await, nth % 10 == 9));
        }
        for (page, _) in &mut open {
            page.hears("event: hello").await;
        }
        let words = format!("round {round}");
        for nth in 0..CHATS {
            world.say(&format!("Customer {nth}"), &words).await;
        }
        for (page, inbox) in &mut open {
            page.hears(if *inbox { "event: changed" } else { &words }).await;
        }
        let most = process.memory().unwrap();
        drop(open);
        testkit::eventually("the connections to be gone", DEADLINE, async || {
            (files(&process) <= before + CHATS).then_some(())
        })
        .await;
        left.push(process.memory().unwrap());
        let now = megabytes(left[round - 1]);
        eprintln!("round {round}: {:.1} MB with {pages} pages open, {now:.1} MB without", megabytes(most));
    }
    // The first round fills what is kept for the next; from then on nothing is added.
    let (second, last) = (left[1], left[ROUNDS - 1]);
    assert!(last <= second + second / 5 + SLACK, "it grows from round to round: {left:?}");
}

/// A page that was opened, as its script listens.
struct Page {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Page {
    async fn open(address: SocketAddr, path: &str, cookie: &str) -> Page {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Page { stream, heard: Vec::new() }
    }

    /// Waits until the page has heard words, and forgets what came before.
    async fn hears(&mut self, words: &str) {
        let hear = async {
            while !self.heard.windows(words.len()).any(|heard| heard == words.as_bytes()) {
                assert!(self.stream.read_buf(&mut self.heard).await.unwrap() > 0, "the console ended the page");
            }
        };
        if timeout(DEADLINE, hear).await.is_err() {
            panic!("a page did not hear {words:?}, but {}", String::from_utf8_lossy(&self.heard));
        }
        self.heard.clear();
    }
}

/// Shows a token. The cookie.
async fn sign_in(address: SocketAddr, token: &str) -> String {
    let form = format!("token={token}");
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nsec-fetch-site: same-origin\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        form.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{head}{form}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    set.unwrap_or_else(|| panic!("{answer}")).split(';').next().unwrap().to_owned()
}

/// Files and connections that a process holds.
fn files(process: &Process) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", process.pid())).unwrap().count()
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
