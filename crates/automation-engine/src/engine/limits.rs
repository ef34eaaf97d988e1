//! How often a rule fires in one conversation: a brake on rules that go round in circles.
//!
//! Counted by each process: a conversation is worked on by one at a time. After a move to another process the count
//! begins anew.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use conversation::Time;
use proto::v1;
use quick_cache::sync::Cache;

use crate::rule::{RateLimit, length_text};

/// Pairs of rule and conversation that are counted at once: the busiest ones. About 300 bytes each.
const COUNTED: usize = 50_000;

/// What was fired lately.
pub(crate) struct Limits(Cache<Pair, Times>);

/// Workspace, conversation and rule.
type Pair = (String, String, String);
/// When it fired, oldest first, and a digest of which run that was.
type Times = Arc<Mutex<VecDeque<(Time, u64)>>>;

impl Limits {
    pub(crate) fn new() -> Limits {
        Limits(Cache::new(COUNTED))
    }

    /// Counts a run, or says why it is one too many. A run that is tried again counts once.
    pub(crate) fn take(&self, workspace: &str, run: &v1::Run, limit: RateLimit, now: Time) -> Option<String> {
        let key = (workspace.to_owned(), run.conversation_id.clone(), run.rule.clone());
        let times = match self.0.get_or_insert_with(&key, || Ok::<_, ()>(Arc::default())) {
            Ok(times) => times,
            Err(()) => return None,
        };
        let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
        while times.front().is_some_and(|(first, _)| now.since(*first) >= limit.per) {
            times.pop_front();
        }
        let id = bus::digest(&[run.id.as_bytes()]);
        if times.iter().any(|(_, counted)| *counted == id) {
            return None;
        }
        if times.len() >= usize::try_from(limit.times).unwrap_or(usize::MAX) {
            return Some(format!("rate limit: it fired {} times within {}", limit.times, length_text(limit.per)));
        }
        times.push_back((now, id));
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rule_that_fires_too_often_is_stopped_until_time_has_passed() {
        let limits = Limits::new();
        let limit = RateLimit { times: 3, per: Duration::from_secs(60) };
        let run = |conversation: &str, id: &str| v1::Run {
            conversation_id: conversation.to_owned(),
            id: id.to_owned(),
            ..v1::Run::default()
        };
        let at = Time::from_seconds;
        for (second, id) in ["a", "b", "b", "b", "c"].into_iter().enumerate() {
            let second = i64::try_from(second).unwrap();
            assert_eq!(limits.take("acme", &run("c1", id), limit, at(second)), None, "{id} counts once");
        }
        assert!(
            limits.take("acme", &run("c1", "d"), limit, at(4)).is_some_and(|why| why.contains("3 times within 1m"))
        );
        assert_eq!(limits.take("acme", &run("c2", "e"), limit, at(4)), None, "another conversation");
        assert_eq!(limits.take("acme", &run("c1", "f"), limit, at(60)), None, "the first is a minute ago");
    }
}
