use proto::v1;
use proto::v1::run::Outcome;
use tonic::Code;
use tonic_types::StatusExt;

use crate::world::{WORKSPACE, World, outcome, person, world};

fn ask(yaml: &str) -> v1::ApplyRulesRequest {
    v1::ApplyRulesRequest { workspace: WORKSPACE.to_owned(), yaml: yaml.to_owned(), ..Default::default() }
}

async fn names(world: &mut World) -> Vec<(String, i64, bool)> {
    let request = v1::ListRulesRequest { workspace: WORKSPACE.to_owned(), page_size: 1, ..Default::default() };
    let mut request = request;
    let mut all = Vec::new();
    loop {
        let page = world.rules.list_rules(request.clone()).await.unwrap().into_inner();
        all.extend(page.rules.into_iter().map(|rule| (rule.name, rule.version, rule.enabled)));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return all;
        }
    }
}

#[tokio::test]
async fn rules_are_applied_whole_or_not_at_all_and_versions_count_changes() {
    let mut world = world().await;
    let first = world
        .apply("rules: [{ name: b, on: manual, do: [pause_bot] }, { name: a, on: manual, do: [resume_bot] }]")
        .await;
    assert_eq!(first.rules.iter().map(|rule| rule.version).collect::<Vec<_>>(), [1, 1]);
    // Everything that is wrong, at once and with its place, and nothing of it in force.
    let wrong = "rules:\n  - { name: c, on: message.recieved, do: [pause_bot] }\n  - { name: d, on: manual, when: 'conversation.tags', do: [assign: { team: nobody }] }\n  - { name: e, on: manual, do: [pause_bot] }\n";
    let refused = world.rules.apply_rules(ask(wrong)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let violations = refused.get_details_bad_request().unwrap().field_violations;
    assert!(violations.len() >= 3, "{violations:#?}");
    assert!(
        violations
            .iter()
            .any(|violation| violation.field.starts_with("2:") && violation.description.contains("message.received"))
    );
    assert!(violations.iter().any(|violation| violation.field.starts_with("3:")));
    assert_eq!(names(&mut world).await, [("a".to_owned(), 1, true), ("b".to_owned(), 1, true)]);
    // Looked at only.
    let dry = v1::ApplyRulesRequest { validate_only: true, ..ask("{ name: a, on: manual, do: [unassign] }") };
    assert_eq!(world.rules.apply_rules(dry).await.unwrap().into_inner().rules[0].version, 2);
    // The same text again is no new version; another text is; disabling is one too.
    let again = world.apply("rules: [{ name: b, on: manual, do: [pause_bot] }]").await;
    assert_eq!((again.etag.clone(), again.rules[0].version), (first.etag.clone(), 1));
    let changed = world.apply("{ name: b, enabled: false, on: manual, do: [pause_bot] }").await;
    assert_eq!(changed.rules[0].version, 2);
    let stale = v1::ApplyRulesRequest { etag: first.etag, ..ask("{ name: z, on: manual, do: [pause_bot] }") };
    assert_eq!(world.rules.apply_rules(stale).await.unwrap_err().code(), Code::Aborted);
    // A deleted rule's version numbers are not used again.
    let delete = |name: &str| v1::DeleteRuleRequest { workspace: WORKSPACE.to_owned(), name: name.to_owned() };
    world.rules.delete_rule(delete("b")).await.unwrap();
    assert_eq!(world.rules.delete_rule(delete("b")).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(world.apply("{ name: b, on: manual, do: [pause_bot] }").await.rules[0].version, 3);
    // A rule that another one runs stays.
    world.apply("{ name: calls, on: manual, do: [run: b] }").await;
    assert_eq!(world.rules.delete_rule(delete("b")).await.unwrap_err().code(), Code::FailedPrecondition);
    world.stop().await;
}

#[tokio::test]
async fn many_who_apply_at_once_lose_nothing() {
    let mut world = world().await;
    let all = (0..12).map(|n| {
        let mut rules = world.rules.clone();
        tokio::spawn(async move {
            let yaml = format!("{{ name: r{n}, on: manual, do: [pause_bot] }}");
            loop {
                match rules.apply_rules(ask(&yaml)).await {
                    Ok(_) => return,
                    Err(status) => assert_eq!(status.code(), Code::Aborted, "{status}"),
                }
            }
        })
    });
    for applied in all.collect::<Vec<_>>() {
        applied.await.unwrap();
    }
    assert_eq!(names(&mut world).await.len(), 12);
    world.stop().await;
}

#[tokio::test]
async fn what_is_recorded_after_the_answer_is_judged_by_the_new_rules_in_every_engine() {
    let mut world = world().await;
    let other = world.another_engine().await;
    for version in 1..=25 {
        world.apply(&format!("{{ name: says, on: message.received, do: [add_note: v{version}] }}")).await;
        let (conversation, _) = world.receive(&format!("c{version}"), &format!("m{version}"), "hello").await;
        let run = world.await_runs("says", 1, |run| run.conversation_id == conversation).await.remove(0);
        assert_eq!((run.rule_version, outcome(&run)), (version, Outcome::Done));
        assert_eq!(world.chat(&conversation).await[1], format!("note: v{version}"));
    }
    other.shutdown().begin();
    assert!(other.finish().await);
    world.stop().await;
}

#[tokio::test]
async fn an_agent_runs_a_rule_by_hand_once_for_each_command_id() {
    let mut world = world().await;
    world
        .apply(
            "rules:
  - { name: thanks, on: manual, when: conversation.open_ticket_count > 0, do: [send_message: { text: 'Thanks, {{event.actor.id}} is off.' }, close_ticket: last, run: tag-it] }
  - { name: tag-it, on: manual, do: [add_tag: done] }
",
        )
        .await;
    let (conversation, _) = world.receive("ana", "m1", "hello").await;
    let request = v1::RunRuleRequest {
        workspace: WORKSPACE.to_owned(),
        rule: "thanks".to_owned(),
        conversation_id: conversation.clone(),
        actor: Some(person("ann")),
        command_id: "press-1".to_owned(),
    };
    let not = world.rules.run_rule(request.clone()).await.unwrap().into_inner().run.unwrap();
    assert_eq!(outcome(&not), Outcome::NotMatched);
    world.open_ticket(&conversation, "x").await;
    let request = v1::RunRuleRequest { command_id: "press-2".to_owned(), ..request };
    let done = world.rules.run_rule(request.clone()).await.unwrap().into_inner();
    let run = done.run.unwrap();
    assert_eq!(outcome(&run), Outcome::Done, "{run:#?}");
    let again = world.rules.run_rule(request.clone()).await.unwrap().into_inner();
    assert_eq!((again.run.as_ref(), again.revision), (Some(&run), done.revision));
    let chat = world.chat(&conversation).await;
    assert_eq!(chat.iter().filter(|line| line.as_str() == "thanks: Thanks, ann is off.").count(), 1, "{chat:#?}");
    assert_eq!(world.conversation(&conversation).await.tags, ["done"]);
    let unknown = v1::RunRuleRequest { rule: "nothing".to_owned(), ..request };
    assert_eq!(world.rules.run_rule(unknown).await.unwrap_err().code(), Code::NotFound);
    world.stop().await;
}
