//! Compiles `proto/threadmark/v1` without a system protoc.

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root.join("threadmark/v1"))? {
        files.push(entry?.path());
    }
    files.sort();
    println!("cargo::rerun-if-changed={}", root.display());
    let set = protox::compile(&files, [&root])?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("threadmark.bin"), set.encode_to_vec())?;
    tonic_prost_build::configure().bytes(".threadmark.v1").compile_fds(set)?;
    Ok(())
}
