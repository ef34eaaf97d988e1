//! Schemas only grow: a field, value or method that was published keeps its name, number and type.
//!
//! `THREADMARK_BLESS=1 cargo test -p proto` publishes what is new. What went missing can't be blessed.

#![allow(clippy::unwrap_used)] // a test has nothing better to do

use std::collections::BTreeSet;
use std::path::PathBuf;

use prost::Message;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};

fn of_message(prefix: &str, message: &DescriptorProto, lines: &mut BTreeSet<String>) {
    let name = format!("{prefix}.{}", message.name());
    for field in &message.field {
        let oneof = field.oneof_index.map(|index| message.oneof_decl[usize::try_from(index).unwrap()].name());
        let kind =
            if field.type_name().is_empty() { format!("{:?}", field.r#type()) } else { field.type_name().into() };
        let line = format!("{name}.{} = {} {:?} {kind}", field.name(), field.number(), field.label());
        lines.insert(oneof.map_or(line.clone(), |oneof| format!("{line} in {oneof}")));
    }
    message.nested_type.iter().for_each(|nested| of_message(&name, nested, lines));
    message.enum_type.iter().for_each(|nested| of_enum(&name, nested, lines));
}

fn of_enum(prefix: &str, kind: &EnumDescriptorProto, lines: &mut BTreeSet<String>) {
    for value in &kind.value {
        lines.insert(format!("{prefix}.{}.{} = {}", kind.name(), value.name(), value.number()));
    }
}

fn current() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for file in FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET).unwrap().file {
        if file.package() != "threadmark.v1" {
            continue;
        }
        file.message_type.iter().for_each(|message| of_message("", message, &mut lines));
        file.enum_type.iter().for_each(|kind| of_enum("", kind, &mut lines));
        for service in &file.service {
            for method in &service.method {
                let stream = if method.server_streaming() { "stream " } else { "" };
                let line = format!("{}/{} ({})", service.name(), method.name(), method.input_type());
                lines.insert(format!("{line} -> {stream}{}", method.output_type()));
            }
        }
    }
    lines
}

#[test]
fn what_was_published_stays() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/schema.txt");
    let published: BTreeSet<String> =
        std::fs::read_to_string(&path).unwrap_or_default().lines().map(str::to_owned).collect();
    let current = current();
    let gone: Vec<_> = published.difference(&current).collect();
    assert!(gone.is_empty(), "published, and now changed or gone: {gone:#?}");
    if std::env::var_os("THREADMARK_BLESS").is_some() {
        let text: String = current.iter().map(|line| format!("{line}\n")).collect();
        return std::fs::write(path, text).unwrap();
    }
    let new: Vec<_> = current.difference(&published).collect();
    assert!(new.is_empty(), "new, publish it with THREADMARK_BLESS=1 cargo test -p proto: {new:#?}");
}
