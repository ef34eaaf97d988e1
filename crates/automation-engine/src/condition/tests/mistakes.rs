use super::super::{Condition, Scope, Scopes};
use super::scopes;

/// Every problem as `offset: message`.
fn check(source: &str, expect: &[&str]) {
    let problems = match Condition::compile(source, &scopes()) {
        Ok(condition) => panic!("{source} is taken: {condition:?}"),
        Err(problems) => problems,
    };
    let found: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.offset, p.message)).collect();
    assert_eq!(found, expect, "{source}");
}

#[test]
fn mistakes_say_where_and_what_would_be_right() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["0: is empty: leave it out, or write an expression"]),
        ("message.text ==", &["15: ends too early: something is missing here"]),
        ("message.txt == \"a\"", &["0: there is no field `message.txt`; did you mean `text`?"]),
        ("true && mesage.text == \"a\"", &["8: there is no `mesage.text`; did you mean `message.text`?"]),
        (
            "nonsense == 1",
            &[
                "0: there is no `nonsense`: conditions know event, message, contact, conversation, ticket, workspace, now",
            ],
        ),
        (
            "conversation.assignee == \"ann\"",
            &[
                "0: `conversation.assignee` is not a value: name one of conversation.assignee.agent, conversation.assignee.team",
            ],
        ),
        (
            "conversation.open_ticket_number == 0",
            &["0: there is no field `conversation.open_ticket_number`; did you mean `open_ticket_count`?"],
        ),
        ("true && (1 && ) && nope", &["14: ')' is not expected here"]),
        ("true && ", &["8: ends too early: something is missing here"]),
        ("message.text", &["0: a condition has to be bool, and this is string"]),
        ("message.text == 1", &["0: string and int are never equal: compare what is of one type"]),
        ("message.text == null", &["0: string is never null: ask with has() whether a field is there"]),
        ("message.text > 1", &["0: string and int can't be compared with < or >"]),
        ("conversation.tags > 1", &["0: list(string) and int can't be compared with < or >"]),
        ("ticket.age > 5", &["0: duration and int can't be compared with < or >"]),
        (
            "now - ticket.age > duration('1 hour')",
            &["19: \"1 hour\" is no duration: write it like \"24h\" or \"1h30m\""],
        ),
        ("now > timestamp('yesterday')", &["6: \"yesterday\" is no timestamp: write it like \"2026-12-24T18:00:00Z\""]),
        (
            "now.getHours('Berlin') > 8",
            &["0: \"Berlin\" is no time zone: write an IANA name such as \"Europe/Berlin\""],
        ),
        (
            "message.text.length() > 3",
            &[
                "0: there is no function `length`: conditions know size, contains, startsWith, endsWith, lowerAscii, upperAscii, trim, string, int, double, timestamp, duration, getFullYear, getMonth, getDayOfMonth, getDate, getDayOfWeek, getDayOfYear, getHours, getMinutes, getSeconds, getMilliseconds, matches, has, all, exists, exists_one, map, filter, dyn",
            ],
        ),
        ("message.text.startswith('x')", &["0: there is no function `startswith`; did you mean `startsWith`?"]),
        ("message.text.contains(1)", &["0: `contains` is called like this: string.contains(string)"]),
        ("size(now) == 1", &["0: `size` is called like this: size(string or list)"]),
        ("message.text.matches('(')", &["21: this pattern can't be read: unclosed group"]),
        (
            "message.text.matches(message.type)",
            &["21: the pattern of matches() has to be written out, so that it is checked now"],
        ),
        ("'vip' in message.text", &["9: `in` needs a list: for a part of a string use contains()"]),
        ("1 in conversation.tags", &["0: int can't be in list(string)"]),
        ("conversation.tags + 1 == []", &["0: list(string) + int means nothing"]),
        ("!message.text", &["1: the operand of ! has to be bool, and this is string"]),
        (
            "message.text && 1",
            &["0: a condition has to be bool, and this is string", "16: a condition has to be bool, and this is int"],
        ),
        (
            "a.b || c(1)",
            &[
                "0: there is no `a.b`: conditions know event, message, contact, conversation, ticket, workspace, now",
                "7: there is no function `c`: conditions know size, contains, startsWith, endsWith, lowerAscii, upperAscii, trim, string, int, double, timestamp, duration, getFullYear, getMonth, getDayOfMonth, getDate, getDayOfWeek, getDayOfYear, getHours, getMinutes, getSeconds, getMilliseconds, matches, has, all, exists, exists_one, map, filter, dyn",
            ],
        ),
        ("{'a': 1}.a == 1", &["0: maps and messages can't be made in a condition"]),
        ("1u == 1", &["0: there are no unsigned numbers here: write 1"]),
        ("b'x' == 'x'", &["0: there are no bytes here: write a string"]),
        ("[1, 'a'] == []", &["4: this list holds int, and this is string"]),
        ("message.type.foo == 1", &["0: string has no field `foo`"]),
        ("conversation.tags.exists(now, now == 'x')", &["0: `now` names a part of the context: choose another name"]),
        ("event.tag == 'x'", &["0: `event.tag` is there for tag.added and tag.removed, not for message.received"]),
        ("true ? 1 : 'a'", &["11: both sides of : have to be of one type, and these are int and string"]),
    ];
    for (source, expect) in cases {
        check(source, expect);
    }
}

#[test]
fn fields_of_a_conversation_need_a_trigger_that_concerns_one() {
    let scopes = Scopes::new("agent.online", &[Scope::Agent]);
    let problems = Condition::compile("event.agent == 'ann' && 'vip' in conversation.tags", &scopes).unwrap_err();
    assert_eq!(problems[0].message, "`conversation.tags` belongs to a conversation, and agent.online concerns none");
    assert_eq!((problems.len(), problems[0].offset), (1, 33));
}

/// Each of these would be a way to make a server work, recurse or allocate without end.
#[test]
fn huge_expressions_and_regex_bombs_are_refused() {
    let many = |item: &str, count: usize| item.repeat(count);
    let cases = [
        (many("true && ", 600) + "true", "is longer than 4096 bytes"),
        (many("(", 13) + "true" + &many(")", 13), "brackets are nested more than 12 deep"),
        (many("[", 2000) + &many("]", 2000), "brackets are nested more than 12 deep"),
        (many("!", 4000) + "true", ""),
        (many("1+", 2000) + "1 > 0", "more than 400 operators"),
        (many("1+", 390) + "1 > 0", "nested more than 64 deep"),
        ("event.data".to_owned() + &many(".a", 1500), "more than 400 operators"),
        (many("true ? true : ", 280) + "true", ""),
        ("message.text.matches('(a{1000}){1000}')".to_owned(), "takes more than"),
        ("message.text.matches('(?:x*){500}{500}{500}')".to_owned(), "takes more than"),
        ("message.text.matches('\\\\w{5000}')".to_owned(), "takes more than"),
        (format!("message.text.matches('{}a{}')", many("(", 40), many(")", 40)), "nest"),
    ];
    for (source, expect) in cases {
        // As much stack as a worker has.
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        let compiled = thread.spawn(move || Condition::compile(&source, &scopes()).map_err(|p| (source, p)));
        match compiled.unwrap().join().unwrap() {
            Ok(_) => assert_eq!(expect, ""),
            Err((source, problems)) => {
                let start: String = source.chars().take(60).collect();
                assert!(problems[0].message.contains(expect), "{start}…: {problems:?}");
            }
        }
    }
}

#[test]
fn whatever_is_typed_is_taken_or_refused() {
    fastrand::seed(11);
    let base = r#"message.text.matches("(?i)a|b") && has(ticket.id) ? [1, 2].exists(x, x > -1) : !('vip' in conversation.tags) || ticket.age > duration("1h")"#;
    let pool = b"()[]{}.,?:!&|=<>+-*/%'\"\\rb0x1u_ae \n`@#\xc3";
    for _ in 0..testkit::count("mangled-conditions", 500, 20_000) {
        let mut bytes = base.as_bytes().to_vec();
        for _ in 0..fastrand::usize(1..6) {
            let at = fastrand::usize(..bytes.len().max(1)).min(bytes.len() - 1);
            match fastrand::u8(0..3) {
                0 if bytes.len() > 1 => {
                    bytes.remove(at);
                }
                1 => bytes.insert(at, pool[fastrand::usize(..pool.len())]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let source = String::from_utf8_lossy(&bytes).into_owned();
        if let Err(problems) = Condition::compile(&source, &scopes()) {
            assert!(!problems.is_empty(), "{source}");
            assert!(problems.iter().all(|problem| problem.offset <= source.len()), "{source}: {problems:?}");
        }
    }
}
