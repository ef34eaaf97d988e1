//! TLS between everybody: the bus, the services, who calls them.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use testkit::NatsServer;

use crate::deployment::{DEADLINE, Settings};
use crate::programs::{Program, free_port, run};

/// An authority, and certificates of it.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: PathBuf,
}

impl Authority {
    fn new(dir: &Path) -> Authority {
        fs::create_dir_all(dir).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(dir.join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, dir: dir.to_owned() }
    }

    fn file(&self, name: &str) -> String {
        self.dir.join(name).to_str().unwrap().to_owned()
    }

    /// Makes `<name>.pem` and `<name>.key`, for this machine.
    fn certify(&self, name: &str) {
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        fs::write(self.file(&format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(self.file(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn services_know_each_other_and_the_bus_by_their_certificates() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, others) = (Authority::new(&dir.path().join("ours")), Authority::new(&dir.path().join("others")));
    ["nats", "service", "client"].iter().for_each(|name| ours.certify(name));
    others.certify("client");
    let tls = format!(
        "tls {{ cert_file: {:?}, key_file: {:?}, ca_file: {:?}, verify: true }}\n",
        ours.file("nats.pem"),
        ours.file("nats.key"),
        ours.file("ca.pem")
    );
    let nats = NatsServer::builder().config(&tls).start().await;
    let (view, commands, engine) = (free_port(), free_port(), free_port());
    let start = |name: &str, port: u16| {
        let settings = Settings::new(&nats.url(), &dir.path().join(name), "sled").listening(port, free_port());
        let text = format!(
            "{}[automation]\nticket_service = \"https://127.0.0.1:{view}\"\n\
             [tls]\ncert = {:?}\nkey = {:?}\nca = {:?}\nmutual = true\n[[workspaces]]\nname = \"acme\"\n",
            settings.text().replace("[nats]\n", "[nats]\ntls = true\n"),
            ours.file("service.pem"),
            ours.file("service.key"),
            ours.file("ca.pem")
        );
        let config = dir.path().join(format!("{name}.toml"));
        fs::write(&config, text).unwrap();
        Program::start(name, &["--config", config.to_str().unwrap()], dir.path())
    };
    let _programs = [start("projection", view), start("ingest", commands), start("automation-engine", engine)];
    let ask = |authority: &str, who: Option<&Authority>, port: u16, arguments: &[&str]| {
        let server = format!("https://127.0.0.1:{port}");
        let mut all = [arguments, &["--workspace", "acme", "--server", &server, "--ca", authority]].concat();
        let shown = who.map(|who| (who.file("client.pem"), who.file("client.key")));
        if let Some((cert, key)) = &shown {
            all.extend(["--cert", cert, "--key", key]);
        }
        run("threadmark", &all)
    };
    let well = async |port: u16| {
        testkit::eventually("a service behind TLS", DEADLINE, async || {
            ask(&ours.file("ca.pem"), Some(&ours), port, &["health"]).status.success().then_some(())
        })
        .await;
    };
    well(view).await;
    well(commands).await;
    well(engine).await;
    // A rule that asks the view for history makes the engine call it.
    let rules = dir.path().join("rules.yaml");
    let rule = "rules:\n  - name: first\n    on: message.received\n    when: conversation.ticket_count == 0\n    do:\n      \
                - open_ticket: { topic: first }\n";
    fs::write(&rules, rule).unwrap();
    let done = ask(&ours.file("ca.pem"), Some(&ours), engine, &["rules", "apply", "--file", rules.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let received = ["receive", "Hello", "--channel", "web:1", "--contact", "ada", "--name", "Ada"];
    let done = ask(&ours.file("ca.pem"), Some(&ours), commands, &received);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    testkit::eventually("the ticket that the rule opened", DEADLINE, async || {
        let said = ask(&ours.file("ca.pem"), Some(&ours), view, &["tickets"]);
        String::from_utf8_lossy(&said.stdout).contains("first").then_some(())
    })
    .await;
    // Whoever shows none, or one of another authority, is not let in; a server of another authority is not believed.
    for (authority, who) in [(&ours, None), (&ours, Some(&others)), (&others, Some(&ours))] {
        let done = ask(&authority.file("ca.pem"), who, view, &["tickets"]);
        assert!(!done.status.success());
    }
    let plain = run("threadmark", &["tickets", "--server", &format!("http://127.0.0.1:{view}")]);
    assert!(!plain.status.success(), "nothing is answered in the clear");
    let unbelieved = ask(&others.file("ca.pem"), Some(&ours), view, &["tickets"]);
    let said = String::from_utf8_lossy(&unbelieved.stderr).into_owned();
    assert!(said.contains("ertificate") && said.contains("--ca"), "{said}");
}
