//! What the compiler does not check about this repository.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::{Table, Value};

/// A source file has one subject; beyond this it surely has two.
const MAX_LINES: usize = 700;

/// Directories of the machines that somebody happened to work on. Split, so that this file may pass, too.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// Work that is left undone belongs into an issue.
const LEFT_UNDONE: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

#[test]
fn source_files_are_short() {
    let too_long = texts().into_iter().filter(|(path, _)| {
        let in_src = path.starts_with("crates") && path.components().any(|part| part.as_os_str() == "src");
        in_src && path.extension().is_some_and(|extension| extension == "rs")
    });
    let too_long = too_long.map(|(path, text)| (path, text.lines().count())).filter(|(_, lines)| *lines > MAX_LINES);
    none(too_long.map(|(path, lines)| format!("{}: {lines} lines, at most {MAX_LINES}", path.display())));
}

#[test]
fn nothing_names_a_machine() {
    none(mentions(&MACHINE_PATHS));
}

#[test]
fn nothing_is_left_undone() {
    none(mentions(&LEFT_UNDONE));
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let without = manifests().into_iter().filter(|(_, manifest)| {
        manifest.get("lints").and_then(|lints| lints.get("workspace")) != Some(&Value::Boolean(true))
    });
    none(without.map(|(path, _)| format!("{}: add `[lints] workspace = true`", path.display())));
}

#[test]
fn every_dependency_of_a_crate_comes_from_the_workspace() {
    let own = manifests().into_iter().flat_map(|(path, manifest)| {
        let own = dependencies(&manifest).into_iter().filter(|(_, from)| from.get("workspace").is_none());
        own.map(|(name, _)| format!("{}: {name} has a version of its own", path.display())).collect::<Vec<_>>()
    });
    none(own);
}

#[test]
fn every_dependency_of_the_workspace_is_used() {
    let used: BTreeSet<_> = manifests()
        .iter()
        .flat_map(|(_, manifest)| dependencies(manifest).into_iter().map(|(name, _)| name).collect::<Vec<_>>())
        .collect();
    let root = manifest(&root().join("Cargo.toml"));
    let declared = root["workspace"]["dependencies"].as_table().unwrap();
    none(declared.keys().filter(|name| !used.contains(*name)).map(|name| format!("Cargo.toml: nobody uses {name}")));
}

/// Fails with a list of what was found.
fn none(found: impl Iterator<Item = String>) {
    let found: Vec<_> = found.collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

fn mentions(words: &[&str]) -> impl Iterator<Item = String> {
    texts().into_iter().flat_map(move |(path, text)| {
        let lines = text.lines().enumerate();
        let found = lines.filter_map(|(index, line)| {
            let word = words.iter().find(|word| line.contains(**word))?;
            Some(format!("{}:{}: {word}", path.display(), index + 1))
        });
        found.collect::<Vec<_>>()
    })
}

/// Every text file that is, or is about to be, in the repository, by its path from the root.
fn texts() -> Vec<(PathBuf, String)> {
    let mut git = Command::new("git");
    git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root());
    let listed = git.output().unwrap();
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let paths = listed.split_terminator('\0').map(PathBuf::from);
    // A file may be deleted but not yet committed, and not every file is text.
    let texts: Vec<_> =
        paths.filter_map(|path| Some((path.clone(), fs::read_to_string(root().join(path)).ok()?))).collect();
    assert!(texts.iter().any(|(path, _)| path == Path::new("xtask/tests/tidy.rs")), "the files of another repository");
    texts
}

/// The manifests of all members of the workspace.
fn manifests() -> Vec<(PathBuf, Table)> {
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let members = crates.chain([root().join("xtask")]).map(|member| member.join("Cargo.toml"));
    let manifests: Vec<_> = members.filter(|path| path.is_file()).map(|path| (path.clone(), manifest(&path))).collect();
    assert!(manifests.len() > 1);
    manifests
}

fn manifest(path: &Path) -> Table {
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// Name and source of each dependency, of whatever kind, on whatever platform.
fn dependencies(manifest: &Table) -> Vec<(String, Value)> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([manifest]);
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let listed = tables.flat_map(|table| kinds.map(|kind| table.get(kind).and_then(Value::as_table)));
    listed.flatten().flatten().map(|(name, from)| (name.clone(), from.clone())).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}
