use super::super::{Known, KnownTeam, parse};

fn known() -> Known {
    let team =
        |agents: &[&str], has_default| KnownTeam { agents: agents.iter().map(|a| (*a).into()).collect(), has_default };
    Known {
        agents: Some(["ann".into(), "ben".into()].into()),
        teams: Some([("billing".into(), team(&["ann"], false)), ("empty".into(), team(&[], false))].into()),
        rules: Some(["greet".into()].into()),
    }
}

/// Every mistake as `line:column: path: message`.
fn mistakes(text: &str) -> Vec<String> {
    match parse(text, &known()) {
        Ok(rules) => panic!("{text}\nis taken: {rules:?}"),
        Err(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
    }
}

/// A rule with one thing in place of the usual one.
fn rule(on: &str, when: &str, action: &str) -> String {
    format!("name: r\non: {on}\nwhen: {when}\ndo:\n  - {action}\n")
}

fn check(text: &str, expect: &[&str]) {
    assert_eq!(mistakes(text), expect, "{text}");
}

#[test]
fn broken_yaml_says_where() {
    let cases = [
        ("rules: [", "2:1: this is no YAML: "),
        ("rules:\n  - name: a\n   on: x\n", "3:4: this is no YAML: "),
        ("a: 'b\n", "this is no YAML: "),
        ("rules: &x []\n", "1:8: anchors are not taken: leave it out"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", "1:4: anchors are not taken: leave it out"),
        ("rules: *x\n", "this is no YAML: "),
        ("rules: !!set {}\n", "1:8: tags (!…) are not taken: leave it out"),
        ("hello", "1:1: a document holds `rules:`, a list of rules"),
        ("rules: 5", "1:8: rules: rules is a list; this is a text"),
        ("rules:\n- name: a\r  on: x\n", "2:1: a carriage return stands alone"),
        ("rule: []", "1:1: a document has no `rule`; did you mean `rules`?"),
    ];
    for (text, expect) in cases {
        let found = mistakes(text);
        assert!(found[0].contains(expect), "{text}: {found:?}");
    }
}

#[test]
fn yaml_bombs_are_refused_quickly() {
    let deep = "rules: ".to_owned() + &"[".repeat(100_000);
    let cases = [
        (deep, "recursion limit exceeded"),
        ("rules: ".to_owned() + &"[".repeat(100) + &"]".repeat(100), "is nested more than 32 deep"),
        ("- ".repeat(100_000), "is nested more than 32 deep"),
        ("rules: [".to_owned() + &"1,".repeat(300_000) + "]", "there are more than 200000 values"),
        (" ".repeat(1 << 21), "the text has more than 1048576 bytes"),
        (
            "rules:\n".to_owned() + &"- {name: a, on: manual, do: [pause_bot]}\n".repeat(2001),
            "there are more than 2000 rules",
        ),
    ];
    for (text, expect) in cases {
        let found = parse(&text, &Known::default()).unwrap_err();
        assert!(found.iter().any(|m| m.message.contains(expect)), "{:?}", found.first());
    }
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let text = r#"rules:
  - name: two words
    on: mesage.received
    wen: true
    do:
      - assign: { team: biling, strategy: round_robin }
  - name: b
    on: message.received
    when: message.txt == "x" && nonsense
    fires: sometimes
    rate_limit: { times: 0, per: 1y }
    do:
      - send_message: { text: "Hi {{contact.nick}}" }
      - add_tgg: vip
      - assign: { team: biling, strategy: round_robin }
      - wait: soon
  - name: b
    on: manual
    do: []
"#;
    check(
        text,
        &[
            "2:11: rules[0].name: a name has letters, digits, -, _ and . alone, for example refunds-to-billing",
            "3:9: rules[0].on: there is no trigger `mesage.received`; did you mean `message.received`?",
            "4:5: rules[0]: a rule has no `wen`; did you mean `when`?",
            "6:25: rules[0].do[0].assign.team: there is no team `biling`; did you mean `billing`?",
            "9:11: rules[1].when: there is no field `message.txt`; did you mean `text`?",
            "9:33: rules[1].when: there is no `nonsense`: conditions know event, message, contact, conversation, ticket, workspace, now",
            "10:12: rules[1].fires: fires is one of always, once_per_ticket, once_per_conversation",
            "11:26: rules[1].rate_limit: times is a number from 1 to 1000",
            "11:34: rules[1].rate_limit: \"1y\" is no length of time: write it like 30s, 10m, 1h30m, 24h or 7d",
            "13:37: rules[1].do[0].send_message.text: there is no field `contact.nick`; `contact` has id, display_name, user_id, username",
            "14:9: rules[1].do[1].add_tgg: there is no action `add_tgg`; did you mean `add_tag`?",
            "15:25: rules[1].do[2].assign.team: there is no team `biling`; did you mean `billing`?",
            "16:15: rules[1].do[3].wait: \"soon\" is no length of time: write it like 30s, 10m, 1h30m, 24h or 7d",
            "17:11: rules[2].name: `b` is the name of the rule in line 7 already: choose another",
            "19:9: rules[2].do: do is empty: a rule does something",
        ],
    );
}

#[test]
fn triggers_are_checked() {
    let cases: &[(&str, &str)] = &[
        ("message.recieved", "there is no trigger `message.recieved`; did you mean `message.received`?"),
        ("{ message.received: { x: 1 } }", "`message.received` takes no parameters"),
        ("{ message.received: , message.sent: }", "a rule has one trigger: write one rule for each"),
        ("customer.idle", "`customer.idle` needs parameters: write `customer.idle: { for: 10m }`"),
        ("{ customer.idle: { for: 0s } }", "for is 1s to 366d"),
        ("{ customer.idle: { for: 5m, by: agent } }", "customer.idle has no `by`: it has for"),
        ("{ agent.idle: { for: 5m, by: bot } }", "by is one of agent, anyone"),
        ("{ schedule: { cron: \"* * * *\" } }", "has 4 fields: cron has five"),
        ("{ schedule: { cron: \"* * * * * *\" } }", "has 6 fields: cron has five"),
        ("{ schedule: { cron: \"0 0 30 2 *\" } }", "never comes: no date fits it"),
        ("{ schedule: { cron: \"61 * * * *\" } }", "can't be read: value must be in range 0..=59; found 61"),
        ("{ schedule: { cron: \"0 9 * * *\", time_zone: Berlin } }", "\"Berlin\" is no time zone"),
        ("{ external.order shipped: }", "an external event has a name of 1 to 64 letters"),
        (
            "{ external.order: { contact: \"{{event.data.phone}}\" } }",
            "an external event is matched by `conversation`, or by `channel` and `contact`",
        ),
        (
            "{ external.order: { conversation: \"{{contact.id}}\" } }",
            "`contact.id` belongs to a conversation, and external.order concerns none",
        ),
        ("[manual]", "a trigger is a name such as message.received; this is a list"),
    ];
    for (on, expect) in cases {
        let found = mistakes(&format!("name: r\non: {on}\ndo:\n  - call_webhook: https://example.com\n"));
        assert!(found.len() == 1 && found[0].contains(expect), "{on}: {found:?}");
    }
}

#[test]
fn actions_are_checked() {
    let cases: &[(&str, &str)] = &[
        ("open_ticket: { topic: \"{{contact.id}}\" }", "6:27: do[0].open_ticket.topic: a topic stands in the clear"),
        ("add_tag: \"{{contact.id}}\"", "a tag stands in the clear, so it takes no fields"),
        ("add_tag", "`add_tag` needs `tag`"),
        ("close_ticket: this", "message.received concerns no ticket: say last or all"),
        ("close_ticket: newest", "which is one of this, last, all"),
        ("assign: {}", "assign needs `agent`, `team`, or `strategy: sticky`"),
        ("assign: { agent: bob }", "there is no agent `bob`"),
        ("assign: { agent: ben, team: billing }", "team `billing` has no agent `ben`"),
        ("assign: { agent: ann, strategy: sticky }", "assign names an agent or a strategy, not both"),
        ("assign: { team: billing, strategy: default }", "team `billing` has no default assignee"),
        ("assign: { team: empty, strategy: least_open }", "team `empty` has no agents"),
        ("assign: { team: billing, only_online: true }", "only_online, capacity and fallback choose an agent"),
        ("assign: { strategy: round_robin }", "the strategy round_robin looks in a team: name it with `team`"),
        (
            "assign: { team: billing, strategy: sticky, fallback: [team_queue, least_open] }",
            "nothing comes after team_queue and unassigned",
        ),
        ("assign: { strategy: sticky, fallback: team_queue }", "needs a team: name it with `team`"),
        (
            "assign: { team: billing, strategy: round-robin }",
            "strategy is one of default, round_robin, least_open, sticky; did you mean `round_robin`?",
        ),
        ("assign: { team: billing, strategy: sticky, capacity: none }", "capacity is a number from 1 to 10000"),
        ("unassign: ann", "`unassign` takes no parameters"),
        ("send_message: {}", "send_message needs `text` or `template`"),
        ("send_message: { text: a, template: { name: x, language: en } }", "a template stands alone"),
        ("send_message: { text: a, buttons: [a, b, c, d] }", "a message has one to three buttons"),
        (
            "send_message: { text: a, buttons: [\"a title that is much too long\"] }",
            "the title of a button has at most 20 characters",
        ),
        ("send_message: { text: a, buttons: [a, a] }", "the id `a` stands twice"),
        ("send_message: { text: a, footer: b }", "header and footer stand around buttons"),
        ("send_message: { template: { name: x } }", "template needs `language`"),
        ("send_message: \"Hi {{contact.nam}}\"", "6:25: do[0].send_message: there is no field `contact.nam`"),
        ("add_note: [x]", "a note is a text; this is a list"),
        ("call_webhook: ftp://example.com", "url is an address such as https://example.com/hooks/orders"),
        ("call_webhook: \"https://{{contact.id}}.example.com\"", "url takes no fields"),
        ("call_webhook: https://user:pass@example.com/", "without user, password and fragment"),
        ("call_webhook: { url: https://example.com, timeout: 5m }", "timeout is 1s to 30s"),
        ("call_webhook: { url: https://example.com, headers: { Host: x } }", "`Host` is set by the call itself"),
        (
            "call_webhook: { url: https://example.com, headers: { \"a b\": x } }",
            "the name of a header has letters, digits and - alone",
        ),
        ("publish: { data: {} }", "publish needs `name`"),
        ("publish: { name: a.b }", "an external event has a name of 1 to 64 letters"),
        ("wait: 400d", "a wait is 1s to 366d"),
        ("run: gret", "there is no rule `gret`; did you mean `greet`?"),
        ("{ add_tag: a, add_note: b }", "each item of `do` is one action: start `add_note` with a dash of its own"),
        ("{ add_tag: a, on_refusal: go }", "on_refusal is one of stop, continue"),
        ("{ on_refusal: stop }", "names no action"),
        ("wait: 5m", "nothing follows this wait"),
    ];
    for (action, expect) in cases {
        let found = mistakes(&rule("message.received", "\"true\"\nenabled: true", action));
        assert!(found.len() == 1 && found[0].contains(expect), "{action}: {found:?}");
    }
}

#[test]
fn only_a_trigger_that_concerns_a_conversation_acts_on_one() {
    let text = "name: r\non: agent.online\nwhen: '\"vip\" in conversation.tags'\ndo:\n  - assign: { agent: ann }\n  - publish: { name: came, data: { who: \"{{event.agent}}\" } }\n";
    check(
        text,
        &[
            "3:17: when: `conversation.tags` belongs to a conversation, and agent.online concerns none",
            "5:5: do[0].assign: `assign` acts on a conversation, and agent.online concerns none",
        ],
    );
}

#[test]
fn what_counts_in_a_conversation_needs_one() {
    let text = "name: r\non: agent.online\nfires: once_per_ticket\nrate_limit: { times: 1, per: 1h }\ndo:\n  - publish: { name: came }\n";
    check(
        text,
        &[
            "3:8: fires: `fires` counts in a conversation, and agent.online concerns none: leave it out",
            "4:13: rate_limit: `rate_limit` counts in a conversation, and agent.online concerns none: leave it out",
        ],
    );
}

#[test]
fn too_many_actions_are_refused() {
    let text = "name: r\non: manual\ndo:\n".to_owned() + &"  - pause_bot\n".repeat(21);
    check(&text, &["24:5: do: a rule has at most 20 actions: go on in another with `run`"]);
}

#[test]
fn places_within_every_kind_of_text_are_found() {
    let cases = [
        ("when: true && nope", "1:15"),
        ("when: 'true && nope'", "1:16"),
        ("when: '\"it''s\" == \"\" && nope'", "1:25"),
        ("when: \"\\\"é\\\" == message.text && nope\"", "1:33"),
        ("when: |\n  true &&\n  nope", "3:3"),
        ("when: >-\n  true &&\n    true &&\n  nope", "4:3"),
        ("when: true &&\n  nope", "2:3"),
    ];
    for (when, place) in cases {
        let found = mistakes(&format!("{when}\nname: r\non: message.received\ndo: [pause_bot]\n"));
        assert!(found[0].starts_with(&format!("{place}: when: there is no `nope`")), "{when}: {found:?}");
    }
}

#[test]
fn mistakes_are_told_as_far_as_they_fit() {
    let text = "name: a\non: manual\ndo:\n".to_owned() + &"  - nope\n".repeat(20);
    let all = parse(&text, &known()).unwrap_err();
    assert_eq!(all.len(), 20);
    assert_eq!(super::super::within(all.clone(), 1 << 20), all);
    let few = super::super::within(all.clone(), 1000);
    assert!(
        few.len() < 20 && few.last().unwrap().message.ends_with(&format!("; {} more mistakes follow", 20 - few.len()))
    );
    assert_eq!(super::super::within(all, 1).len(), 1);
}

/// Whatever becomes of a text on its way here: it is taken or refused, with places that exist.
#[test]
fn mangled_rules_are_taken_or_refused() {
    let base = include_str!("../../../../../docs/rules.md");
    let rules: Vec<&str> = base.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let odd: Vec<char> = ": -#&*!|>'\"%@`{}[],?\n\t\u{e9}\u{feff}\0".chars().collect();
    fastrand::seed(5);
    for _ in 0..testkit::count("mangled-rules", 400, 20_000) {
        let mut text = rules[fastrand::usize(..rules.len())].to_owned();
        for _ in 0..fastrand::usize(1..5) {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let at = places[fastrand::usize(..places.len())];
            match fastrand::u8(0..4) {
                0 => drop(text.remove(at)),
                1 => text.insert(at, fastrand::choice(&odd).copied().unwrap()),
                2 => text.truncate(at),
                _ => {
                    let other = rules[fastrand::usize(..rules.len())];
                    text.insert_str(at, other.lines().nth(fastrand::usize(..4)).unwrap_or_default());
                }
            }
            if text.is_empty() {
                break;
            }
        }
        let Err(mistakes) = parse(&text, &Known::default()) else { continue };
        let lines = text.lines().count() + 1;
        for mistake in mistakes {
            assert!((1..=lines).contains(&mistake.line) && mistake.column > 0, "{text}\n{mistake}");
            assert!(!mistake.message.is_empty());
        }
    }
}
