use super::super::{Action, Fires, OnRefusal, RateLimit, Strategy, StrategyName, Trigger};
use super::rules;

#[test]
fn a_rule_reads_as_people_write_it() {
    let text = r#"
rules:
  - name: refunds-to-billing
    on: message.received
    when: message.text.matches("(?i)refund") && conversation.open_ticket_count == 0
    do:
      - open_ticket: { topic: refund }
      - assign: { team: billing, strategy: round_robin, only_online: true }
      - send_message: { text: "Hello {{contact.display_name}}, a colleague is on it." }
"#;
    let rules = rules(text);
    let [rule] = rules.as_slice() else { panic!("{rules:?}") };
    assert_eq!(rule.name, "refunds-to-billing");
    assert!(rule.enabled);
    assert!(matches!(rule.on, Trigger::MessageReceived));
    assert_eq!((rule.fires, rule.rate_limit), (Fires::Always, RateLimit::default()));
    let [open, assign, say] = rule.steps.as_slice() else { panic!("{:?}", rule.steps) };
    assert!(matches!(&open.action, Action::OpenTicket { topic, unless_open: true, .. } if topic == "refund"));
    let Action::Assign(assign) = &assign.action else { panic!("{assign:?}") };
    assert_eq!(assign.strategy, Strategy::OfTeam { team: "billing".into(), by: StrategyName::RoundRobin });
    assert!(assign.only_online);
    assert!(matches!(say.action, Action::SendMessage(_)));
    assert_eq!(say.on_refusal, OnRefusal::Stop);
    assert!(rule.condition_needs().words && rule.condition_needs().state && !rule.condition_needs().asks_view());
}

#[test]
fn a_rules_own_text_gives_the_same_rule_again() {
    let text = "# about refunds\nrules:\n  - name: a\n    on: manual\n    do:\n      # why not\n      - add_note: |\n          two\n            lines\n      - pause_bot\n  # about b\n  - { name: b, on: manual, do: [pause_bot] } # short\n";
    let rules = rules(text);
    assert_eq!(
        rules[0].yaml,
        "name: a\non: manual\ndo:\n  # why not\n  - add_note: |\n      two\n        lines\n  - pause_bot\n"
    );
    assert_eq!(rules[1].yaml, "{ name: b, on: manual, do: [pause_bot] }\n");
    for rule in &rules {
        let again = super::rules(&rule.yaml);
        assert_eq!((again.len(), &again[0].name, &again[0].yaml), (1, &rule.name, &rule.yaml));
    }
}

#[test]
fn a_rules_own_text_is_found_in_every_style() {
    let texts = [
        r#"{"rules": [{"name": "a", "on": "manual", "do": ["pause_bot"]}, {"name": "b", "on": {"customer.idle": {"for": "1h"}}, "do": [{"add_note": "x # y"}]}]}"#,
        "rules: [\n    {name: a, on: manual,\n  do: [pause_bot,\n unassign]}, # one\n  {name: b, on: manual, do: [pause_bot]}\n]\n",
        "-   name: a\n    on: manual\n    do:\n    - add_note: \"two\n\n        lines\"\n    - add_note: >-\n        folded\n        text\n\n\n-   name: b\n    on: manual\n    do: [pause_bot]",
        "rules:\r\n  - name: a\r\n    on: manual\r\n    do:\r\n      - add_note: |\r\n          x\r\n\r\n          y\r\n",
        "rules:\n  - do:\n      - add_note: |2\n          indented\n      - send_message: 'it''s'\n    on: manual\n    name: a\n...\n---\n- name: b\n  on: manual\n  do:\n  - add_note: |+\n      kept\n\n",
        "rules:\n    - name: a # ü\n      description: 'ünïcode'\n      on: manual\n      do: [ { add_note: 'ü {{contact.display_name}}' } ] # ü\n",
    ];
    for text in texts {
        for rule in rules(text) {
            let again = rules(&rule.yaml);
            assert_eq!((&again[0].name, &again[0].yaml), (&rule.name, &rule.yaml), "{text}");
            assert_eq!(format!("{:?}", again[0].steps), format!("{:?}", rule.steps), "{text}");
        }
    }
}
