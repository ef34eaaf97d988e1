//! Stand-ins for the images that the containers are made from, for machines that reach no registry: of Debian's
//! packages, the nats-server of the tests and, if asked, this machine's Rust. The Dockerfile and the compose files are
//! the same with them; `deploy/stand-ins.env` names them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::step::{cargo_at_root, note, run, target, workspace_root};
use crate::{debian, tools};

/// The release of Debian that the official images are made from.
const SUITE: &str = "bookworm";
const MIRROR: &str = "http://deb.debian.org/debian";
const DEBIAN: &str = "threadmark-stand-in/debian:bookworm";
const RUNTIME: &str = "threadmark-stand-in/runtime:bookworm";
const RUST: &str = "threadmark-stand-in/rust:bookworm";
/// What the image of the gateway, and that of nats, bring besides the system itself.
const PACKAGES: &str = "ca-certificates,busybox-static,nginx-light";
/// What compiling takes besides Rust.
const COMPILER: &str = "ca-certificates,gcc,g++,libc6-dev,make,git";
/// What a program of ours is linked to.
const LIBRARIES: [&str; 6] =
    ["libc.so.6", "libm.so.6", "libgcc_s.so.1", "libresolv.so.2", "libnss_dns.so.2", "ld-linux-x86-64.so.2"];
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";
/// The user of distroless images that are called `nonroot`.
const PASSWD: &str = "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n";
/// The programs that an image holds.
const PROGRAMS: [&str; 7] = ["ingest", "projection", "automation-engine", "bot", "delivery", "console", "threadmark"];
/// The packages that they come from.
const CRATES: [&str; 7] = ["ingest", "projection", "automation-engine", "bot", "delivery", "threadmark-console", "cli"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Take the programs that are in this directory instead of building them
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
    /// Make a stand-in for the image of Rust too, so that the Dockerfile can compile (takes 3 GB)
    #[arg(long)]
    rust: bool,
    /// Make images anew that are there
    #[arg(long)]
    fresh: bool,
}

impl Arguments {
    /// What is missing, with the programs that are in a directory.
    pub(crate) fn of(programs: PathBuf) -> Arguments {
        Arguments { programs: Some(programs), rust: false, fresh: false }
    }
}

/// Makes the images that are missing, and puts the programs where the Dockerfile looks for them.
///
/// # Errors
/// If Docker does not answer, or a tool is missing; the error says what to do.
pub(crate) fn make(arguments: &Arguments) -> anyhow::Result<()> {
    if !docker_answers() {
        bail!("docker does not answer: install Docker Engine and start it (`docker info` says more)");
    }
    let nats_server = tools::nats_server()?;
    let nats = format!("threadmark-stand-in/nats:{}", testkit::NATS_SERVER_VERSION);
    let missing = |image: &str| arguments.fresh || !has(image);
    let any_missing = [DEBIAN, RUNTIME, &nats].into_iter().any(missing);
    if any_missing || (arguments.rust && missing(RUST)) {
        debian::ensure(&["debootstrap"], &["debootstrap"])?;
    }
    if any_missing {
        let debian = bootstrap(PACKAGES)?;
        import(debian.path(), DEBIAN)?;
        import(runtime(debian.path())?.path(), RUNTIME)?;
        import(nats_node(debian.path(), &nats_server)?.path(), &nats)?;
    }
    if arguments.rust && missing(RUST) {
        import(rust()?.path(), RUST)?;
    }
    let programs = match &arguments.programs {
        Some(programs) => programs.clone(),
        None => build()?,
    };
    prebuild(&programs)?;
    note("images: done. `docker compose --env-file deploy/stand-ins.env up --build -d` starts the containers");
    Ok(())
}

/// Whether there is an engine to talk to.
pub(crate) fn docker_answers() -> bool {
    let mut docker = Command::new("docker");
    docker.args(["info"]).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn has(image: &str) -> bool {
    let mut docker = Command::new("docker");
    docker.args(["image", "inspect", image]).stdout(Stdio::null()).stderr(Stdio::null());
    docker.status().is_ok_and(|status| status.success())
}

fn temporary() -> anyhow::Result<tempfile::TempDir> {
    let dir = target().join("images");
    fs::create_dir_all(&dir)?;
    let made = tempfile::Builder::new().prefix("root-").tempdir_in(dir)?;
    // A root that only its owner may enter is of no use to others in the container.
    fs::set_permissions(made.path(), fs::Permissions::from_mode(0o755))?;
    Ok(made)
}

/// A small Debian with some packages.
fn bootstrap(packages: &str) -> anyhow::Result<tempfile::TempDir> {
    let root = temporary()?;
    let mut command = Command::new("debootstrap");
    command.args(["--variant=minbase", &format!("--include={packages}"), SUITE]).arg(root.path()).arg(MIRROR);
    run("images", command.stdout(Stdio::null())).context("debootstrap has to be run as root")?;
    // Whoever this machine trusts, its containers trust.
    let trusted = Path::new("/").join(CERTIFICATES);
    if trusted.is_file() {
        fs::copy(trusted, root.path().join(CERTIFICATES))?;
    }
    Ok(root)
}

/// No more than our programs need: libraries, certificates, a user.
fn runtime(debian: &Path) -> anyhow::Result<tempfile::TempDir> {
    let root = temporary()?;
    let (from, to) = (debian.join("lib/x86_64-linux-gnu"), root.path().join("lib/x86_64-linux-gnu"));
    fs::create_dir_all(&to)?;
    for library in LIBRARIES {
        fs::copy(from.join(library), to.join(library)).with_context(|| format!("there is no {library}"))?;
    }
    fs::create_dir_all(root.path().join("lib64"))?;
    symlink("../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", root.path().join("lib64/ld-linux-x86-64.so.2"))?;
    fs::create_dir_all(root.path().join("etc/ssl/certs"))?;
    fs::copy(debian.join(CERTIFICATES), root.path().join(CERTIFICATES))?;
    fs::write(root.path().join("etc/passwd"), PASSWD)?;
    fs::write(root.path().join("etc/group"), "root:x:0:\nnonroot:x:65532:\n")?;
    fs::write(root.path().join("etc/nsswitch.conf"), "hosts: files dns\n")?;
    Ok(root)
}

/// The server, and what its health check calls.
fn nats_node(debian: &Path, nats_server: &Path) -> anyhow::Result<tempfile::TempDir> {
    let root = temporary()?;
    let programs = root.path().join("bin");
    fs::create_dir_all(&programs)?;
    fs::create_dir_all(root.path().join("data"))?;
    fs::copy(nats_server, programs.join("nats-server"))?;
    fs::copy(debian.join("bin/busybox"), programs.join("busybox"))?;
    symlink("busybox", programs.join("wget"))?;
    Ok(root)
}

/// A Debian that compiles, with the Rust that runs this.
fn rust() -> anyhow::Result<tempfile::TempDir> {
    let root = bootstrap(COMPILER)?;
    let sysroot = sysroot()?;
    let home = root.path().join("usr/local/rust");
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(&sysroot).arg(&home);
    run("images", &mut copy)?;
    for unneeded in ["share", "lib/rustlib/src"] {
        let unneeded = home.join(unneeded);
        if unneeded.exists() {
            fs::remove_dir_all(unneeded)?;
        }
    }
    for program in ["cargo", "rustc"] {
        symlink(format!("/usr/local/rust/bin/{program}"), root.path().join("usr/local/bin").join(program))?;
    }
    Ok(root)
}

fn sysroot() -> anyhow::Result<PathBuf> {
    let asked = Command::new("rustc").args(["--print", "sysroot"]).output().context("rustc does not run")?;
    Ok(PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim()))
}

fn import(root: &Path, image: &str) -> anyhow::Result<()> {
    let mut tar = Command::new("tar")
        .arg("-C")
        .arg(root)
        .args(["--numeric-owner", "-c", "."])
        .stdout(Stdio::piped())
        .spawn()
        .context("tar does not run")?;
    let mut docker = Command::new("docker");
    // Programs that cargo installs are to be found.
    let environment = "ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin CARGO_INSTALL_ROOT=/usr/local";
    docker.args(["import", "--change", environment, "-"]);
    docker.arg(image).stdin(Stdio::from(tar.stdout.take().context("tar has no output")?));
    run("images", &mut docker)?;
    if !tar.wait()?.success() {
        bail!("tar could not read all of {}", root.display());
    }
    Ok(())
}

fn build() -> anyhow::Result<PathBuf> {
    let mut cargo = cargo_at_root();
    cargo.args(["build", "--release"]);
    for package in CRATES {
        cargo.args(["--package", package]);
    }
    run("build", &mut cargo)?;
    Ok(target().join("release"))
}

/// Puts the programs, without what only a debugger reads, where the Dockerfile looks for them.
fn prebuild(programs: &Path) -> anyhow::Result<()> {
    let place = workspace_root().join("deploy/prebuilt");
    fs::create_dir_all(&place)?;
    for program in PROGRAMS {
        let mut strip = Command::new("strip");
        strip.arg("-o").arg(place.join(program)).arg(programs.join(program));
        run("images", &mut strip).with_context(|| format!("there is no {program} in {}", programs.display()))?;
    }
    Ok(())
}
