//! Rules come, change and go while two engines run: each message is judged by what was in force when it was recorded.

use proto::v1;
use proto::v1::run::Outcome;

use super::town::Town;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_recorded_after_the_answer_is_judged_by_the_new_rules() {
    let rounds = testkit::count("automation-applying", 20, 300);
    let town = Town::start(2, "").await;
    let desk = &town.desk;
    let says = |round: usize| format!("name: says\non: message.received\ndo: [add_note: Round {round}.]\n");
    let stays = "name: stays\non: message.received\ndo: [add_note: Always the same.]\n";
    let mut expected = Vec::new();
    for round in 0..rounds {
        // Told to one engine, in force in both; one rule of two has changed.
        let rules = desk.apply(round % 2, &format!("{}---\n{stays}", says(round))).await;
        let versions: Vec<(&str, i64)> = rules.iter().map(|rule| (rule.name.as_str(), rule.version)).collect();
        assert_eq!(versions, [("says", round as i64 + 1), ("stays", 1)]);
        // Without a pause: whoever was answered may rely on it.
        let (conversation, revision) = desk.receive(&format!("c{round}"), &format!("m{round}"), "hello").await;
        expected.push((conversation, revision, round));
    }
    for (conversation, revision, round) in expected {
        let run = desk.await_run("says", &conversation, |_| true).await;
        assert_eq!((run.rule_version, run.event_revision), (round as i64 + 1, revision), "{run:#?}");
        let stays = desk.await_run("stays", &conversation, |_| true).await;
        assert_eq!((stays.rule_version, stays.outcome()), (1, Outcome::Done), "{stays:#?}");
        let chat = desk.chat(&conversation, run.revision.max(stays.revision)).await;
        assert_eq!(
            chat,
            ["customer: hello".to_owned(), format!("note: Round {round}."), "note: Always the same.".to_owned()]
        );
    }
    // Deleted or disabled: in force no more, at once.
    desk.delete_rule(1, "says").await;
    desk.apply(0, &format!("enabled: false\n{stays}")).await;
    let (conversation, revision) = desk.receive("last", "last", "hello").await;
    desk.apply(0, "name: witness\non: message.received\ndo: [add_tag: seen]").await;
    desk.receive("last", "last-2", "hello").await;
    desk.await_run("witness", &conversation, |run| run.outcome() == Outcome::Done).await;
    let request = v1::ListRunsRequest { event_revision: revision, include_not_matched: true, ..Default::default() };
    assert_eq!(desk.runs(request).await, Vec::<v1::Run>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn timers_of_rules_that_are_gone_are_void() {
    let town = Town::start(2, "").await;
    let desk = &town.desk;
    let idle = |name: &str, text: &str| {
        format!("name: {name}\non: {{ customer.idle: {{ for: 3s }} }}\ndo: [add_note: {text}]\n")
    };
    desk.apply(0, &format!("{}---\n{}---\n{}", idle("goes", "a"), idle("changes", "a"), idle("stays", "a"))).await;
    let (conversation, _) = desk.receive("ana", "m1", "hello").await;
    desk.send(&conversation, "ann", "s1", "what is it?").await;
    desk.delete_rule(1, "goes").await;
    let rules = desk.apply(0, &format!("{}---\n{}", idle("changes", "b"), idle("stays", "a"))).await;
    assert_eq!(rules.iter().map(|rule| rule.version).collect::<Vec<_>>(), [2, 1]);
    for rule in ["goes", "changes"] {
        let run = desk.await_run(rule, &conversation, |_| true).await;
        assert_eq!((run.outcome(), run.rule_version), (Outcome::Skipped, 1), "{run:#?}");
        assert_eq!(run.reason, "void: version 1 of the rule is not in force any more");
    }
    let run = desk.await_run("stays", &conversation, |_| true).await;
    assert_eq!(run.outcome(), Outcome::Done, "{run:#?}");
    // What goes away and comes back is a new version: the old timers do not count for it.
    let rules = desk.apply(1, &idle("goes", "a")).await;
    assert_eq!(rules[0].version, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_team_can_be_named_as_soon_as_it_was_made() {
    let rounds = testkit::count("automation-teams", 50, 1_000);
    let town = Town::start(2, "").await;
    for round in 0..rounds {
        let team = format!("team-{round}");
        town.desk.staff(&team, &[("ann", 0)]).await;
        let rule = format!("name: to-team\non: message.received\ndo: [assign: {{ team: {team} }}]");
        let rules = town.desk.apply(round % 2, &rule).await;
        assert_eq!(rules[0].version, round as i64 + 1);
    }
}
