//! The protocol of the bus by hand: the server answers each try before the next, so what is denied is seen, not guessed.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bus::{Seed, User};
use nkeys::KeyPair;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::deployment::DEADLINE;

const STREAMS: [&str; 12] = [
    "EVENTS", "REJECTED", "EXTERNAL", "DEAD", "REQUEUED", "TIMERS", "RUNS", "OUTBOX", "SENDS", "HOOKS", "HOOKLOG",
    "FETCHES",
];
const BUCKETS: [&str; 10] =
    ["access", "aliases", "keys", "directory", "rules", "rotation", "once", "knowledge", "channels", "webhooks"];
/// What can be asked of a stream.
const OF_STREAMS: [&str; 11] = [
    "STREAM.CREATE",
    "STREAM.UPDATE",
    "STREAM.DELETE",
    "STREAM.PURGE",
    "STREAM.INFO",
    "STREAM.MSG.GET",
    "STREAM.MSG.DELETE",
    "STREAM.SNAPSHOT",
    "STREAM.RESTORE",
    "CONSUMER.LIST",
    "DIRECT.GET",
];
/// What can be asked of a consumer of a stream.
const OF_CONSUMERS: [&str; 6] = [
    "CONSUMER.CREATE",
    "CONSUMER.DURABLE.CREATE",
    "CONSUMER.DELETE",
    "CONSUMER.INFO",
    "CONSUMER.MSG.NEXT",
    "CONSUMER.PAUSE",
];

/// Every subject that a stream takes, and every request of the API, of every stream.
pub(super) fn publishes() -> Vec<String> {
    let mut all: Vec<String> = [
        "ev.1.acme.c1.message",
        "ev.1.acme.c1.fact",
        "ev.1.acme.c1.decision",
        "rejected.whatsapp",
        "ext.acme.shipped",
        "timer.sched.1.acme.c1.t",
        "timer.due.1.acme.c1.t",
        "dead.bot",
        "dead.automation-engine",
        "dead.delivery",
        "requeue.bot.ev.1",
        "run.1.acme.r.e",
        "out.acme.w.c1.m",
        "send.1.acme.m",
        "hook.acme.h.e",
        "hooklog.acme.h",
        "fetch.acme.1",
        "ask.media",
        "$O.media.C.x",
        "$O.media.M.x",
        "_INBOX_desk.x",
        "_INBOX_bot.x",
        "other",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.INFO",
        "$SYS.REQ.SERVER.PING",
    ]
    .map(str::to_owned)
    .to_vec();
    all.extend(BUCKETS.iter().map(|bucket| format!("$KV.{bucket}.acme.x")));
    let buckets = BUCKETS.iter().map(|bucket| format!("KV_{bucket}")).chain(["OBJ_media".to_owned()]);
    for stream in STREAMS.iter().map(|&stream| stream.to_owned()).chain(buckets) {
        all.extend(OF_STREAMS.iter().map(|request| format!("$JS.API.{request}.{stream}")));
        for consumer in ["bot-0", "delivery-3", "assign-7", "somebody"] {
            all.extend(OF_CONSUMERS.iter().map(|request| format!("$JS.API.{request}.{stream}.{consumer}")));
            all.push(format!("$JS.ACK.{stream}.{consumer}.1.1.1.1.1"));
        }
    }
    all
}

pub(super) fn subscribes() -> Vec<String> {
    let users = User::ALL.map(|user| format!("_INBOX_{}.>", user.name()));
    let others = [
        ">",
        "ev.>",
        "ev.1.acme.c1.decision",
        "rejected.>",
        "ext.>",
        "run.>",
        "out.>",
        "send.>",
        "$KV.>",
        "$KV.keys.>",
        "$O.>",
        "$JS.>",
        "$JS.API.>",
        "$JS.ACK.>",
        "_INBOX.>",
        "ask.media",
        "$SYS.>",
    ];
    others.map(str::to_owned).into_iter().chain(users).collect()
}

/// Whether a right covers a subject, which may have wildcards of its own.
pub(super) fn covers(right: &str, subject: &str) -> bool {
    let (mut rights, mut tokens) = (right.split('.'), subject.split('.'));
    loop {
        match (rights.next(), tokens.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(token)) if token != ">" => {}
            (Some(right), Some(token)) if right == token => {}
            _ => return false,
        }
    }
}

/// A connection of one user.
pub(super) struct Wire {
    stream: BufReader<TcpStream>,
    subscribed: u64,
}

impl Wire {
    pub(super) async fn open(url: &str, dir: &Path, user: User) -> Wire {
        let address = url.strip_prefix("nats://").unwrap();
        let process = if user == User::Desk { "ingest" } else { user.name() };
        let seed = Seed::read(&dir.join("keys").join(process).join(format!("{}.nk", user.name()))).unwrap();
        let mut wire = Wire { stream: BufReader::new(TcpStream::connect(address).await.unwrap()), subscribed: 0 };
        let info: Value = serde_json::from_str(wire.line().await.strip_prefix("INFO ").unwrap()).unwrap();
        let key = KeyPair::from_seed(seed.expose()).unwrap();
        let signature = URL_SAFE_NO_PAD.encode(key.sign(info["nonce"].as_str().unwrap().as_bytes()).unwrap());
        let connect = json!({"verbose": false, "pedantic": false, "nkey": key.public_key(), "sig": signature,
            "lang": "test", "version": "1", "protocol": 1});
        assert_eq!(wire.say(&format!("CONNECT {connect}\r\n")).await, None, "the key opens the door");
        wire
    }

    /// Whether the server takes a message with this subject.
    pub(super) async fn publish(&mut self, subject: &str) -> bool {
        self.say(&format!("PUB {subject} 0\r\n\r\n")).await.is_none()
    }

    /// Whether the server lets it subscribe.
    pub(super) async fn subscribe(&mut self, subject: &str) -> bool {
        self.subscribed += 1;
        let id = self.subscribed;
        let taken = self.say(&format!("SUB {subject} {id}\r\n")).await.is_none();
        assert_eq!(self.say(&format!("UNSUB {id}\r\n")).await, None);
        taken
    }

    /// Says something; what the server denies of it.
    async fn say(&mut self, what: &str) -> Option<String> {
        self.stream.write_all(format!("{what}PING\r\n").as_bytes()).await.unwrap();
        let mut denied = None;
        loop {
            let line = self.line().await;
            match line.as_str() {
                "PONG" => return denied,
                "PING" => self.stream.write_all(b"PONG\r\n").await.unwrap(),
                error if error.starts_with("-ERR") => {
                    assert!(error.contains("Permissions Violation"), "{error}");
                    denied = Some(error.to_owned());
                }
                _ => {}
            }
        }
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = timeout(DEADLINE, self.stream.read_line(&mut line)).await.unwrap().unwrap();
        assert!(read > 0, "the server hung up");
        line.trim_end().to_owned()
    }
}
