use std::collections::BTreeMap;
use std::time::Duration;

use bus::{Bucket, BucketName, Bus, Change, Entry, Error, Options, Slot, Stored, Update, Watch, token};
use prost::Message;
use proto::v1::Team;
use testkit::{Cluster, eventually};

use crate::common::{bus, connect};

const LONG: Duration = Duration::from_secs(120);

fn team(name: &str) -> Team {
    Team { id: name.to_owned(), ..Team::default() }
}

/// What a watcher knows after its updates.
#[derive(Default)]
struct Mirror(BTreeMap<String, (u64, String)>);

impl Mirror {
    fn apply(&mut self, update: Update) {
        match update {
            Update::Snapshot(entries) => {
                self.0.clear();
                entries.into_iter().for_each(|entry| self.put(entry));
            }
            Update::Changed(entry) => self.put(entry),
        }
    }

    fn put(&mut self, Entry { key, etag, value }: Entry) {
        match value {
            Some(value) => drop(self.0.insert(key, (etag, Team::decode(value).unwrap().id))),
            None => drop(self.0.remove(&key)),
        }
    }

    /// Watches until it mirrors the bucket.
    async fn catch_up(&mut self, watch: &mut Watch, expect: &[(&str, &str)]) {
        let same = |mirror: &Mirror| {
            let found = mirror.0.iter().map(|(key, (_, id))| (key.as_str(), id.as_str()));
            found.eq(expect.iter().copied())
        };
        let watching = async {
            while !same(self) {
                for update in watch.next().await {
                    self.apply(update);
                }
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(60), watching).await;
        assert!(done.is_ok(), "it never came to {expect:?}, it is {:?}", self.0);
    }
}

async fn write(bucket: &Bucket, key: &str, id: &str) {
    eventually("a write", Duration::from_secs(60), async || bucket.put(key, &team(id), None).await.ok()).await;
}

#[tokio::test]
async fn a_write_with_an_etag_overwrites_only_that() {
    let (_server, bus) = bus().await;
    let bucket = bus.bucket(BucketName::Directory);
    let key = format!("acme.team.{}", token("a.b >*"));
    assert_eq!(bucket.get::<Team>(&key).await.unwrap(), Slot { etag: 0, value: None });
    let first = bucket.put(&key, &team("1"), Some(0)).await.unwrap();
    assert!(matches!(bucket.put(&key, &team("2"), Some(0)).await, Err(Error::Conflict)), "it is there already");
    let second = bucket.put(&key, &team("2"), Some(first)).await.unwrap();
    assert!(matches!(bucket.put(&key, &team("3"), Some(first)).await, Err(Error::Conflict)), "it moved on");
    assert!(matches!(bucket.delete(&key, Some(first)).await, Err(Error::Conflict)));
    let gone = bucket.delete(&key, Some(second)).await.unwrap();
    assert_eq!(bucket.get::<Team>(&key).await.unwrap(), Slot { etag: gone, value: None });
    assert!(matches!(bucket.put(&key, &team("4"), Some(0)).await, Err(Error::Conflict)), "a deletion is a write too");
    let again = bucket.put(&key, &team("4"), Some(gone)).await.unwrap();
    assert_eq!(bucket.get::<Team>(&key).await.unwrap(), Slot { etag: again, value: Some(team("4")) });
}

#[tokio::test]
async fn lists_come_by_key_in_pages_without_what_is_gone() {
    let (_server, bus) = bus().await;
    let bucket = bus.bucket(BucketName::Directory);
    for nth in [3, 1, 4, 2, 5] {
        bucket.put(&format!("acme.team.t{nth}"), &team(&nth.to_string()), None).await.unwrap();
    }
    bucket.put("acme.agent.x", &team("agent"), None).await.unwrap();
    bucket.put("acme2.team.x", &team("other"), None).await.unwrap();
    bucket.delete("acme.team.t4", None).await.unwrap();
    let keys = |page: &[Stored<Team>]| page.iter().map(|stored| stored.key.clone()).collect::<Vec<_>>();
    let (page, more) = bucket.page::<Team>("acme.team.", None, 2).await.unwrap();
    assert_eq!((keys(&page), more), (vec!["acme.team.t1".to_owned(), "acme.team.t2".to_owned()], true));
    let (page, more) = bucket.page::<Team>("acme.team.", Some("acme.team.t2"), 2).await.unwrap();
    assert_eq!((keys(&page), more), (vec!["acme.team.t3".to_owned(), "acme.team.t5".to_owned()], false));
    assert!(bucket.list::<Team>("nobody.").await.unwrap().is_empty());
}

/// Twelve writers add to one key, each ten times, while `trouble` happens: each addition is made once.
async fn add_at_once(buses: &[Bus], trouble: impl Future<Output = ()>) {
    let mut adding = tokio::task::JoinSet::new();
    for task in 0..12 {
        let bucket = buses[task % buses.len()].bucket(BucketName::Rotation);
        adding.spawn(async move {
            for nth in 0..10 {
                let id = format!("{task}-{nth}");
                let add = |found: Option<Team>, _| {
                    let mut team = found.unwrap_or_default();
                    if team.agent_ids.contains(&id) {
                        return (Change::Keep, ());
                    }
                    team.agent_ids.push(id.clone());
                    (Change::Put(team), ())
                };
                // Each try ends after 8 s; the server is away for less.
                while bucket.modify("acme", add).await.is_err() {}
            }
        });
    }
    let bucket = buses[0].bucket(BucketName::Rotation);
    let count = async || bucket.get::<Team>("acme").await.ok()?.value.map(|team| team.agent_ids.len());
    eventually("some changes", LONG, async || count().await.filter(|count| *count >= 20)).await;
    trouble.await;
    adding.join_all().await;
    let read = async || bucket.get::<Team>("acme").await.ok()?.value;
    let mut ids = eventually("the server", LONG, read).await.agent_ids;
    assert_eq!(ids.len(), 120, "each once");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 120);
}

#[tokio::test]
async fn changes_at_once_are_all_made_though_the_server_is_killed_meanwhile() {
    let (mut server, bus) = bus().await;
    let buses = [connect(&server.url()).await, connect(&server.url()).await, bus.clone()];
    add_at_once(&buses, async {
        server.kill();
        server.restart().await;
    })
    .await;
}

#[tokio::test]
async fn three_replicas_make_each_change_once_though_one_is_killed_meanwhile() {
    let mut cluster = Cluster::start(3).await;
    let options = Options { replicas: 3, ..Options::new(cluster.urls().join(",")) };
    let mut buses = Vec::new();
    for _ in 0..3 {
        buses.push(Bus::connect(&options).await.unwrap());
    }
    buses[0].ensure_streams().await.unwrap();
    add_at_once(&buses, async {
        cluster.kill(0);
        cluster.restart(0).await;
    })
    .await;
}

#[tokio::test]
async fn a_watch_tells_what_is_there_and_what_changes_and_nothing_of_others() {
    let (_server, bus) = bus().await;
    let bucket = bus.bucket(BucketName::Directory);
    let (mut all, mut none, mut mirror) = (bucket.watch("acme."), bucket.watch("nobody."), Mirror::default());
    assert_eq!(none.next().await, [Update::Snapshot(Vec::new())]);
    for nth in 0..2_500 {
        bucket.put(&format!("acme.{nth:04}"), &team("x"), None).await.unwrap();
    }
    bucket.put("beta.a", &team("x"), None).await.unwrap();
    let updates = all.next().await;
    assert!(matches!(&updates[0], Update::Snapshot(entries) if entries.len() == 2_500), "all at once");
    updates.into_iter().for_each(|update| mirror.apply(update));
    for nth in 2..2_500 {
        bucket.delete(&format!("acme.{nth:04}"), None).await.unwrap();
    }
    bucket.put("acme.0001", &team("y"), None).await.unwrap();
    mirror.catch_up(&mut all, &[("acme.0000", "x"), ("acme.0001", "y")]).await;
}

#[tokio::test]
async fn a_watch_goes_on_after_the_server_was_killed_and_misses_nothing() {
    let (mut server, bus) = bus().await;
    let bucket = bus.bucket(BucketName::Directory);
    let (mut watch, mut mirror) = (bucket.watch(""), Mirror::default());
    write(&bucket, "acme.a", "1").await;
    write(&bucket, "acme.b", "1").await;
    mirror.catch_up(&mut watch, &[("acme.a", "1"), ("acme.b", "1")]).await;
    for round in ["2", "3"] {
        server.kill();
        server.restart().await;
        // Not watching meanwhile: one is overwritten, one deleted, one new.
        write(&bucket, "acme.a", round).await;
        let deleted = async || bucket.delete("acme.b", None).await.ok();
        eventually("a deletion", Duration::from_secs(60), deleted).await;
        write(&bucket, "acme.c", round).await;
        mirror.catch_up(&mut watch, &[("acme.a", round), ("acme.c", round)]).await;
    }
    write(&bucket, "acme.d", "4").await;
    mirror.catch_up(&mut watch, &[("acme.a", "3"), ("acme.c", "3"), ("acme.d", "4")]).await;
}

#[tokio::test]
async fn a_bucket_without_a_server_says_that_it_is_away() {
    let (mut server, bus) = bus().await;
    server.kill();
    let bucket = bus.bucket(BucketName::Directory);
    assert!(matches!(bucket.get::<Team>("acme.a").await, Err(Error::Away { .. })));
    assert!(matches!(bucket.put("acme.a", &team("x"), None).await, Err(Error::Away { .. })));
    assert!(matches!(bucket.list::<Team>("acme.").await, Err(Error::Away { .. })));
}
