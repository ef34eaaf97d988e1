use std::time::Duration;

use serde_json::{Value, json};
use service::Secret;

use super::super::{accepted, codes};
use super::examples::examples;
use crate::channel::graph::{Caller, Reply, Timeouts, refused};
use crate::channel::{Advice, Failure};

fn failure(status: u16, body: &str) -> Failure {
    let timeouts = Timeouts { connect: Duration::from_secs(1), answer: Duration::from_secs(1) };
    let caller = Caller::new(&Secret::new("s3cret"), timeouts).unwrap();
    let reply = Reply { status, retry_after: None, body: body.as_bytes().to_vec() };
    refused(&caller, &reply, codes::meaning)
}

fn advice(status: u16, code: i64) -> Advice {
    failure(status, &json!({ "error": { "code": code, "message": "whatever" } }).to_string()).advice
}

#[test]
fn every_code_of_the_lists() {
    use Advice::{Retry, Reword, SlowNumber, SlowPair, StopChannel, Unreachable};
    let lists: [(Advice, &[i64]); 6] = [
        (SlowNumber, &[4, 80_007, 130_429, 131_048, 133_016, 613]),
        (SlowPair, &[131_056]),
        (Retry, &[1, 2, 131_000, 131_016, 131_053]),
        (Reword, &[131_047, 132_000, 132_001, 132_012, 132_015, 132_016, 131_051, 131_008, 131_009]),
        (Unreachable, &[131_026, 131_049, 131_050, 130_472]),
        (StopChannel, &[0, 3, 10, 190, 200, 230, 299, 368, 131_031, 131_042]),
    ];
    for (expected, codes) in lists {
        for code in codes {
            // Whatever the status: it does not follow the code.
            for status in [400, 403, 500] {
                assert_eq!(advice(status, *code), expected, "{code} with {status}");
            }
        }
    }
}

#[test]
fn what_has_no_code_that_is_known_is_told_by_its_status() {
    let cases = [
        (429, "", Advice::SlowNumber),
        (403, "<html>", Advice::Retry),
        (500, "Bad Gateway", Advice::Retry),
        (503, "{}", Advice::Retry),
        (504, "Gateway Timeout", Advice::Unknown),
        (401, "", Advice::StopChannel),
        (302, "", Advice::StopChannel),
        (404, "not found", Advice::StopChannel),
        (400, r#"{"error":{"code":999999,"message":"new"}}"#, Advice::Reword),
        (400, r#"{"error":{"code":999999,"is_transient":true}}"#, Advice::Retry),
        (503, r#"{"error":{"code":999999}}"#, Advice::Retry),
        (429, r#"{"error":{"code":999999}}"#, Advice::SlowNumber),
    ];
    for (status, body, expected) in cases {
        assert_eq!(failure(status, body).advice, expected, "{status} {body}");
    }
}

#[test]
fn a_failure_has_the_channels_words_and_what_to_do_but_not_the_token() {
    let body = r#"{"error":{"code":132001,"message":"(#132001) no s3cret","error_data":{"details":"template (x)"}}}"#;
    let failure = failure(404, body);
    assert_eq!((failure.code, failure.title.as_str()), (132_001, "(#132001) no (hidden)"));
    assert_eq!(failure.details, "template (x). There is no such template in this language, or it is not approved.");
}

#[test]
fn the_documented_answers() {
    let expected = |name: &str| match name {
        "error 131056" => Advice::SlowPair,
        "error 130429" | "error 613" => Advice::SlowNumber,
        "error 368" | "error 0" => Advice::StopChannel,
        "error 131053" | "not JSON body" | "bad gateway" => Advice::Retry,
        other => panic!("nobody said what {other} asks for"),
    };
    let (mut errors, mut successes) = (0, 0);
    let answers = examples("response");
    for answer in &answers {
        let (name, status) = (answer["name"].as_str().unwrap(), answer["status"].as_str().unwrap());
        let body = answer.get("body").map(Value::to_string);
        let body = body.unwrap_or_else(|| answer["raw"].as_str().unwrap().to_owned());
        let status = status.parse().unwrap();
        if status != 200 {
            let failure = failure(status, &body);
            assert_eq!(failure.advice, expected(name), "{name}");
            assert_eq!(failure.code, i32::try_from(answer["body"]["error"]["code"].as_i64().unwrap_or(0)).unwrap());
            errors += 1;
        } else if let Some(id) = answer["body"]["messages"][0]["id"].as_str() {
            let reply = Reply { status, retry_after: None, body: body.into_bytes() };
            assert_eq!(accepted(&reply).unwrap().channel_message_id, id, "{name}");
            successes += 1;
        }
    }
    assert!(answers.is_empty() || (errors == 8 && successes >= 40), "{errors}, {successes}");
}
