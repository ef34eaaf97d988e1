//! What each service may do on the bus: a user for each, that may do what the service does and nothing else.
//!
//! A right is the subject of a request or of a message, since that is what the server looks at. Some requests of
//! JetStream name what they ask for in their payload, which no right can narrow down: `STREAM.MSG.GET` reads any message
//! of its stream, and a consumer on a stream reads all of it. So a user who must not read a stream has neither.

use std::fmt::Write as _;

use crate::worker::balance;
use crate::{Source, stream};

/// A user of the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum User {
    /// The intake of webhooks: appends what the world tells, and can read no event.
    Ingest,
    /// The gRPC services of `ingest`: decides, manages the directory and tokens, exports and erases contacts.
    Desk,
    /// The view: reads events, writes nothing.
    Projection,
    /// Rules and assignment.
    AutomationEngine,
    /// The bot.
    Bot,
    /// What goes out.
    Delivery,
    /// Everything: makes the streams, and is who works beside the services. Also everything in one process.
    Admin,
}

/// What a user may publish and subscribe: subjects, with `*` and `>` as the server takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Publish, requests too.
    pub publish: Vec<String>,
    /// Subscribe.
    pub subscribe: Vec<String>,
    /// The streams whose state it may see: those that it works with.
    pub streams: Vec<String>,
}

impl User {
    /// Every user.
    pub const ALL: [User; 7] =
        [User::Ingest, User::Desk, User::Projection, User::AutomationEngine, User::Bot, User::Delivery, User::Admin];

    /// What its files and the server's logs call it.
    pub fn name(self) -> &'static str {
        match self {
            User::Ingest => "ingest",
            User::Desk => "desk",
            User::Projection => "projection",
            User::AutomationEngine => "automation-engine",
            User::Bot => "bot",
            User::Delivery => "delivery",
            User::Admin => "admin",
        }
    }

    /// The user of this name.
    pub fn named(name: &str) -> Option<User> {
        User::ALL.into_iter().find(|user| user.name() == name)
    }

    /// What it may do.
    pub fn rights(self) -> Rights {
        let mut rights = Rights::default();
        // Answers come to an inbox of its own, so that nobody hears those of others.
        rights.subscribe.push(format!("{}.>", inbox(self.name())));
        match self {
            User::Ingest => rights.ingest(),
            User::Desk => rights.desk(),
            User::Projection => rights.projection(),
            User::AutomationEngine => rights.automation_engine(),
            User::Bot => rights.bot(),
            User::Delivery => rights.delivery(),
            User::Admin => {
                rights.publish.push(">".to_owned());
                rights.subscribe = vec![">".to_owned()];
            }
        }
        rights
    }
}

/// Before the subjects of a client's answers.
pub(crate) fn inbox(name: &str) -> String {
    format!("_INBOX_{name}")
}

/// What customers and channels did.
const FACTS: [&str; 2] = ["ev.*.*.*.message", "ev.*.*.*.fact"];
/// What our own actors decided.
const DECISIONS: &str = "ev.*.*.*.decision";

impl Rights {
    fn ingest(&mut self) {
        self.append(stream::EVENTS, &FACTS).append(stream::REJECTED, &["rejected.>"]);
        self.append(stream::EXTERNAL, &["ext.>"]);
        self.seals().makes_keys().writes(stream::ALIASES).reads(stream::ALIASES);
    }

    fn desk(&mut self) {
        self.append(stream::EVENTS, &FACTS).append(stream::EVENTS, &[DECISIONS]);
        self.gets(stream::EVENTS).follows(stream::EVENTS);
        self.seals().makes_keys().writes(stream::ALIASES).reads(stream::ALIASES);
        for bucket in [stream::ACCESS, stream::DIRECTORY] {
            self.follows_bucket(bucket).writes(bucket);
        }
        // Files are put, listed to be erased, and asked for where the channel did not give them.
        let files = format!("OBJ_{}", stream::MEDIA);
        self.files().follows(&files);
        // The list of files comes by a consumer that the client library does not name, and that tells how fast it may go.
        self.publish.extend([format!("$JS.API.CONSUMER.CREATE.{files}"), format!("$JS.FC.{files}.>")]);
        self.publish.push("ask.media".to_owned());
        // Whoever exports a contact reads what is held about them, and whoever erases one overwrites it.
        for stream in [stream::RUNS, stream::SENDS, stream::REJECTED, stream::EXTERNAL, stream::DEAD] {
            self.follows(stream).deletes(stream);
        }
        for bucket in [stream::KEYS, stream::ALIASES] {
            self.follows_bucket(bucket).deletes(&bucket_stream(bucket));
        }
        self.purges(stream::TIMERS).purges(stream::OUTBOX);
    }

    fn projection(&mut self) {
        self.seals().gets(stream::EVENTS).follows(stream::EVENTS);
        self.follows_bucket(stream::DIRECTORY);
    }

    fn automation_engine(&mut self) {
        self.decides();
        self.works(Source::Events, "automation-engine").works(Source::Events, "assign");
        self.works(Source::External, "automation-engine").works(Source::TimersDue, "automation-engine");
        self.append(stream::TIMERS, &["timer.sched.>"]).gets(stream::TIMERS).purges(stream::TIMERS);
        self.append(stream::EXTERNAL, &["ext.>"]).gets(stream::EXTERNAL);
        self.runs();
        for bucket in [stream::RULES, stream::ROTATION, stream::ONCE] {
            self.follows_bucket(bucket).writes(bucket);
        }
        self.follows_bucket(stream::DIRECTORY);
    }

    fn bot(&mut self) {
        self.decides().works(Source::Messages, "bot").runs();
        for bucket in [stream::KNOWLEDGE, stream::ONCE] {
            self.follows_bucket(bucket).writes(bucket);
        }
        self.purges(&bucket_stream(stream::KNOWLEDGE));
        self.follows_bucket(stream::DIRECTORY);
    }

    fn delivery(&mut self) {
        self.seals().gets(stream::EVENTS).append(stream::EVENTS, &["ev.*.*.*.fact"]);
        for worker in ["delivery", "media", "webhooks"] {
            self.works(Source::Events, worker);
        }
        self.append(stream::EXTERNAL, &["ext.>"]);
        self.append(stream::OUTBOX, &["out.>"]).append(stream::SENDS, &["send.>"]).gets(stream::SENDS);
        self.append(stream::HOOKS, &["hook.>"]).append(stream::HOOKLOG, &["hooklog.>"]).follows(stream::HOOKLOG);
        self.append(stream::FETCHES, &["fetch.>"]);
        // Nobody else works on these, and whom they wait for (channels, endpoints) comes and goes.
        for stream in [stream::OUTBOX, stream::HOOKS, stream::FETCHES, stream::REQUEUED] {
            self.gets(stream).follows(stream);
            self.publish.push(format!("$JS.ACK.{stream}.>"));
        }
        self.shares("delivery", stream::OUTBOX);
        self.deletes(stream::OUTBOX).deletes(stream::REQUEUED).purges(stream::HOOKS);
        self.append(stream::DEAD, &["dead.>"]);
        for bucket in [stream::CHANNELS, stream::WEBHOOKS] {
            self.follows_bucket(bucket).writes(bucket);
        }
        self.files();
        self.subscribe.push("ask.media".to_owned());
        self.answers();
    }

    /// Rules, and the bot: what they say is a decision.
    fn decides(&mut self) -> &mut Rights {
        self.seals().gets(stream::EVENTS).follows(stream::EVENTS).append(stream::EVENTS, &[DECISIONS])
    }

    /// What a rule or the bot did.
    fn runs(&mut self) -> &mut Rights {
        self.append(stream::RUNS, &["run.>"]).gets(stream::RUNS).follows(stream::RUNS)
    }

    /// Looks up keys, hears of erasures and of tokens.
    fn seals(&mut self) -> &mut Rights {
        self.follows_bucket(stream::ACCESS).follows_bucket(stream::KEYS)
    }

    /// Makes the keys of conversations and workspaces that have none.
    fn makes_keys(&mut self) -> &mut Rights {
        self.writes(stream::KEYS)
    }

    /// Puts and reads files in the object store.
    fn files(&mut self) -> &mut Rights {
        let store = format!("OBJ_{}", stream::MEDIA);
        self.gets(&store).purges(&store);
        self.publish.extend([format!("$O.{}.>", stream::MEDIA), format!("$JS.API.DIRECT.GET.{store}.>")]);
        self
    }

    /// Answers whoever asks.
    fn answers(&mut self) -> &mut Rights {
        self.publish.push(format!("{}.>", inbox(User::Desk.name())));
        self
    }

    /// Appends to a stream.
    fn append(&mut self, stream: &str, subjects: &[&str]) -> &mut Rights {
        self.publish.extend(subjects.iter().map(|&subject| subject.to_owned()));
        self.sees(stream)
    }

    /// Sees that a stream is there, and how it is set up.
    fn sees(&mut self, stream: &str) -> &mut Rights {
        if !self.streams.iter().any(|seen| seen == stream) {
            self.streams.push(stream.to_owned());
            self.publish.push(format!("$JS.API.STREAM.INFO.{stream}"));
        }
        self
    }

    /// Reads single messages of a stream, whichever.
    fn gets(&mut self, stream: &str) -> &mut Rights {
        self.sees(stream).publish.push(format!("$JS.API.STREAM.MSG.GET.{stream}"));
        self
    }

    /// Reads a stream from end to end, by consumers that nobody else knows of. Those that others work with stay out of
    /// reach: only where there are none may consumers be deleted.
    fn follows(&mut self, stream: &str) -> &mut Rights {
        let api = ["CONSUMER.CREATE", "CONSUMER.INFO", "CONSUMER.MSG.NEXT"];
        self.sees(stream).publish.extend(api.map(|request| format!("$JS.API.{request}.{stream}.>")));
        if !stream::has_workers(stream) {
            self.publish.push(format!("$JS.API.CONSUMER.DELETE.{stream}.*"));
        }
        self
    }

    /// Works on a source as the worker of this name, whose consumers are the only ones that it makes.
    fn works(&mut self, source: Source, worker: &str) -> &mut Rights {
        let stream = source.stream();
        let groups = (0..source.groups()).map(|group| (stream, format!("{worker}-{group}")));
        let again = (stream::REQUEUED, format!("{worker}-{stream}"));
        for (stream, consumer) in groups.chain([again]) {
            self.sees(stream).publish.extend([
                format!("$JS.API.CONSUMER.CREATE.{stream}.{consumer}"),
                format!("$JS.API.CONSUMER.CREATE.{stream}.{consumer}.>"),
                format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"),
                format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
                format!("$JS.ACK.{stream}.{consumer}.>"),
            ]);
        }
        self.shares(worker, stream);
        if source.takes_off() {
            self.deletes(stream);
        }
        // What it gives up, and reads again once it is told to.
        self.gets(stream).deletes(stream::REQUEUED).append(stream::DEAD, &[&format!("dead.{worker}")])
    }

    /// Tells the other processes of a worker what it holds, and hears of them.
    fn shares(&mut self, worker: &str, stream: &str) -> &mut Rights {
        let subject = balance::subject(worker, stream);
        self.subscribe.push(subject.clone());
        self.publish.push(subject);
        self
    }

    fn deletes(&mut self, stream: &str) -> &mut Rights {
        self.sees(stream).publish.push(format!("$JS.API.STREAM.MSG.DELETE.{stream}"));
        self
    }

    fn purges(&mut self, stream: &str) -> &mut Rights {
        self.sees(stream).publish.push(format!("$JS.API.STREAM.PURGE.{stream}"));
        self
    }

    /// Looks up keys of a bucket.
    fn reads(&mut self, bucket: &str) -> &mut Rights {
        let stream = bucket_stream(bucket);
        self.gets(&stream).publish.push(format!("$JS.API.DIRECT.GET.{stream}.>"));
        self
    }

    /// Reads a bucket, and hears of its changes.
    fn follows_bucket(&mut self, bucket: &str) -> &mut Rights {
        self.reads(bucket).follows(&bucket_stream(bucket))
    }

    fn writes(&mut self, bucket: &str) -> &mut Rights {
        self.sees(&bucket_stream(bucket)).publish.push(format!("$KV.{bucket}.>"));
        self
    }
}

fn bucket_stream(bucket: &str) -> String {
    format!("KV_{bucket}")
}

/// The part of the server's configuration that lets users in: each with the public half of its key. One account, and
/// nobody else.
pub fn users_conf(users: &[(User, String)]) -> String {
    let mut text =
        "# Made by `threadmark admin keys`, which renews it: changes are lost. Include it into the server's \
                    configuration.\nauthorization {\n  users: [\n"
            .to_owned();
    for (user, public) in users {
        let Rights { mut publish, mut subscribe, .. } = user.rights();
        for subjects in [&mut publish, &mut subscribe] {
            subjects.sort();
            subjects.dedup();
        }
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "    # {}\n    {{\n      nkey: {public}\n      permissions: {{\n        publish: {{ allow: [\n{}        ] }}\n        \
             subscribe: {{ allow: [\n{}        ] }}\n      }}\n    }}\n",
            user.name(),
            quoted(&publish),
            quoted(&subscribe),
        );
    }
    text.push_str("  ]\n}\n");
    text
}

fn quoted(subjects: &[String]) -> String {
    subjects.iter().map(|subject| format!("          \"{subject}\"\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaked_key_of_the_intake_reads_no_event() {
        let Rights { publish, subscribe, .. } = User::Ingest.rights();
        assert_eq!(subscribe, ["_INBOX_ingest.>"]);
        let reads = |right: &&String| right.contains(".EVENTS") && !right.contains("STREAM.INFO");
        assert_eq!(publish.iter().find(reads), None);
    }

    #[test]
    fn only_who_decides_appends_decisions_and_the_view_appends_nothing() {
        let appends = |user: User, subject: &str| user.rights().publish.iter().any(|right| right == subject);
        let who = |subject| User::ALL.into_iter().filter(|&user| appends(user, subject)).collect::<Vec<_>>();
        assert_eq!(who(DECISIONS), [User::Desk, User::AutomationEngine, User::Bot]);
        assert_eq!(who(FACTS[0]), [User::Ingest, User::Desk]);
        let own = |right: &String| right.starts_with("$JS.API.");
        assert!(User::Projection.rights().publish.iter().all(own));
    }

    #[test]
    fn nobody_but_the_admin_makes_changes_or_deletes_streams() {
        for user in User::ALL.into_iter().filter(|&user| user != User::Admin) {
            for right in user.rights().publish {
                let broad =
                    right.starts_with('>') || right.starts_with("*") || right == "$JS.>" || right == "$JS.API.>";
                let changes = ["STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.RESTORE"];
                assert!(!broad && !changes.iter().any(|change| right.contains(change)), "{user:?}: {right}");
            }
        }
    }
}
