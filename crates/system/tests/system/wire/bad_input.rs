//! Every mistake, over the wire, in every method.

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Kind, MethodDescriptor, ReflectMessage, Value};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::raw::{call, call_within, methods};
use super::rows::{Bad, Row, all};
use super::{World, bases};
use crate::deployment::DEADLINE;

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_refused_by_the_name_of_its_field_and_nothing_is_stored() {
    let world = World::start().await;
    let known = world.chat().await;
    let channel = world.deployment.clients().channel;
    let requests: Vec<(MethodDescriptor, DynamicMessage)> = requests(&known);
    let before = world.recorded().await;
    let rows = all();
    let mut wrong = Vec::new();
    for row in &rows {
        let (method, request) = requests.iter().find(|(method, _)| method.name() == row.method).expect(row.method);
        let mut request = request.clone();
        set(&mut request, row.field, &row.bad);
        let answer = call(&channel, method, request.encode_to_vec().into()).await;
        if let Err(why) = refused_as_told(row, answer) {
            wrong.push(format!("{} with {} = {:.60?}: {why}", row.method, row.field, row.bad));
        }
    }
    assert!(wrong.is_empty(), "{} of {} mistakes:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert_eq!(world.recorded().await, before, "a mistake was stored");
    world.deployment.stop().await;
}

/// Without the mistake each request is fine: so it is the mistake that was refused above.
#[tokio::test(flavor = "multi_thread")]
async fn every_method_takes_the_request_that_the_mistakes_are_made_in() {
    let world = World::start().await;
    let known = world.chat().await;
    let channel = world.deployment.clients().channel;
    let all: BTreeSet<String> = methods().iter().map(|method| method.name().to_owned()).collect();
    let requests = requests(&known);
    let tried: BTreeSet<String> = requests.iter().map(|(method, _)| method.name().to_owned()).collect();
    assert_eq!(tried, all, "a method that is not tried");
    for (method, request) in requests {
        let answer = call(&channel, &method, request.encode_to_vec().into()).await;
        assert!(answer.as_ref().is_ok_and(Option::is_some), "{}: {answer:?}", method.name());
    }
    world.deployment.stop().await;
}

/// No generated code would send it, but anybody can.
#[tokio::test(flavor = "multi_thread")]
async fn text_that_is_not_utf_8_is_refused_by_the_name_of_its_field() {
    let world = World::start().await;
    let known = world.chat().await;
    let channel = world.deployment.clients().channel;
    let before = world.recorded().await;
    let mut wrong = Vec::new();
    for (method, request) in requests(&known) {
        for (path, tags) in texts(&request.descriptor(), 0) {
            let bytes = [request.encode_to_vec(), not_utf8(&tags)].concat();
            let answer = call(&channel, &method, Bytes::from(bytes)).await;
            let told = answer.as_ref().err().map(|status| (status.code(), fields(status)));
            if told != Some((Code::InvalidArgument, vec![path.clone()])) {
                wrong.push(format!("{} with {path}: {answer:?}", method.name()));
            }
        }
        let cut = Bytes::from_static(&[0x0a, 0x7f, 0x00]);
        let answer = call(&channel, &method, cut).await;
        let code = answer.as_ref().err().map(Status::code);
        if method.input().fields().len() > 0 && code != Some(Code::InvalidArgument) {
            wrong.push(format!("{} with a request that is cut off: {answer:?}", method.name()));
        }
    }
    assert!(wrong.is_empty(), "{} mistakes:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(world.recorded().await, before, "a mistake was stored");
    world.deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_never_comes_is_waited_for_10_seconds() {
    let world = World::start().await;
    let known = world.chat().await;
    let channel = world.deployment.clients().channel;
    let asked = requests(&known)
        .into_iter()
        .filter(|(_, request)| request.descriptor().get_field_by_name("min_revision").is_some());
    let waiting = asked.map(|(method, mut request)| {
        let channel = channel.clone();
        set(&mut request, "min_revision", &Bad::Int(1_000_000_000));
        async move {
            let bytes = request.encode_to_vec().into();
            (method.clone(), call_within(&channel, &method, bytes, DEADLINE).await)
        }
    });
    for (method, answer) in futures::future::join_all(waiting).await {
        let status = answer.expect_err(method.name());
        assert_eq!(status.code(), Code::DeadlineExceeded, "{}: {status}", method.name());
        let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
        assert_eq!(reason.as_deref(), Some("VIEW_BEHIND"), "{}", method.name());
    }
    world.deployment.stop().await;
}

fn requests(known: &bases::Known) -> Vec<(MethodDescriptor, DynamicMessage)> {
    let methods = methods();
    let request = |(name, json): (&str, serde_json::Value)| {
        let method = methods.iter().find(|method| method.name() == name).expect(name).clone();
        let request = DynamicMessage::deserialize(method.input(), json).unwrap();
        (method, request)
    };
    bases::requests(known).into_iter().map(request).collect()
}

fn refused_as_told(row: &Row, answer: Result<Option<DynamicMessage>, Status>) -> Result<(), String> {
    let status = match answer {
        Ok(answer) => return Err(format!("answered {answer:?}")),
        Err(status) => status,
    };
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default();
    let named = if row.code == Code::InvalidArgument { fields(&status) } else { vec![reason] };
    // One mistake may lead to others, but it is told first.
    if status.code() != row.code || named.first().map(String::as_str) != Some(row.named) {
        return Err(format!("{:?} {named:?}, not {:?} {:?}: {}", status.code(), row.code, row.named, status.message()));
    }
    Ok(())
}

/// The fields that an answer names.
fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
    violations.iter().map(|violation| violation.field.clone()).collect()
}

fn set(message: &mut DynamicMessage, path: &str, bad: &Bad) {
    let Some((first, rest)) = path.split_once('.') else { return set_field(message, path, bad) };
    let field = message.descriptor().get_field_by_name(first).expect(first);
    let Value::Message(inner) = message.get_field_mut(&field) else { panic!("{first} holds no message") };
    set(inner, rest, bad);
}

fn set_field(message: &mut DynamicMessage, name: &str, bad: &Bad) {
    let field = message.descriptor().get_field_by_name(name).unwrap_or_else(|| panic!("no field {name}"));
    let message_of = || match field.kind() {
        Kind::Message(descriptor) => DynamicMessage::new(descriptor),
        other => panic!("{name} is a {other:?}"),
    };
    let value = match bad {
        Bad::Text(text) => Value::String(text.clone()),
        Bad::Int(int) if field.kind() == Kind::Int32 => Value::I32(i32::try_from(*int).unwrap()),
        Bad::Int(int) => Value::I64(*int),
        Bad::Enum(number) => Value::EnumNumber(*number),
        Bad::Enums(numbers) => Value::List(numbers.iter().map(|number| Value::EnumNumber(*number)).collect()),
        Bad::Float(float) => Value::F64(*float),
        Bad::Time(seconds, nanos) => {
            let mut time = message_of();
            time.set_field_by_name("seconds", Value::I64(*seconds));
            time.set_field_by_name("nanos", Value::I32(*nanos));
            Value::Message(time)
        }
        Bad::Message(json) => {
            Value::Message(DynamicMessage::deserialize(message_of().descriptor(), json.clone()).unwrap())
        }
        Bad::Missing => return message.clear_field(&field),
    };
    message.set_field(&field, value);
}

/// Every text in a request, two messages deep: its path, and the numbers of the fields that lead to it. Alternatives of
/// a `oneof` go by its name.
fn texts(message: &prost_reflect::MessageDescriptor, depth: usize) -> Vec<(String, Vec<u32>)> {
    let mut all = Vec::new();
    for field in message.fields().filter(|field| !field.is_list()) {
        // A field that is `optional` is a `oneof` of its own on the wire, but not to people.
        let choice = field.containing_oneof().filter(|choice| choice.fields().len() > 1);
        let path = choice.map_or_else(|| field.name().to_owned(), |choice| choice.name().to_owned());
        match field.kind() {
            Kind::String => all.push((path, vec![field.number()])),
            Kind::Message(inner) if depth < 2 && inner.package_name() == "threadmark.v1" => {
                let inside = texts(&inner, depth + 1).into_iter();
                let number = field.number();
                all.extend(inside.map(|(rest, tags)| (format!("{path}.{rest}"), [vec![number], tags].concat())));
            }
            _ => {}
        }
    }
    all
}

/// Fields of one number each, around two bytes that are no text.
fn not_utf8(tags: &[u32]) -> Vec<u8> {
    tags.iter().rev().fold(vec![0xff, 0xfe], |inside, tag| {
        let mut field = Vec::new();
        prost::encoding::encode_varint(u64::from(tag << 3 | 2), &mut field);
        prost::encoding::encode_varint(inside.len() as u64, &mut field);
        field.extend(inside);
        field
    })
}
