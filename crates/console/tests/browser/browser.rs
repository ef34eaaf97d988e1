//! A real browser by way of its driver.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Stdio;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use service::Secret;

use crate::world::DEADLINE;

/// A driver of our own, which ends with us.
pub(crate) struct Driver {
    address: String,
    _child: Child,
}

impl Driver {
    /// `None` on a machine without chromium and its driver.
    #[allow(clippy::print_stderr, reason = "whoever reads the log should know")]
    pub(crate) async fn start() -> Option<Driver> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let spawned = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let Ok(child) = spawned else {
            eprintln!("SKIPPED: there is no chromedriver here, so no page was looked at in a browser");
            return None;
        };
        Some(Driver { address: format!("http://127.0.0.1:{port}"), _child: child })
    }

    pub(crate) async fn open(&self, page: SocketAddr, dark: bool, scripts: bool) -> Browser {
        // The sandbox does not work for root, which is who runs the tests in containers.
        let mut arguments = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1440,900",
        ];
        if dark {
            arguments.push("--blink-settings=preferredColorScheme=0");
        }
        let scripts = json!({ "profile.managed_default_content_settings.javascript": if scripts { 1 } else { 2 } });
        let options = json!({ "args": arguments, "prefs": scripts });
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        let connect = async || {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities.clone());
            builder.connect(&self.address).await.ok()
        };
        let client = testkit::eventually("a browser", DEADLINE, connect).await;
        Browser { client, page: format!("http://{page}") }
    }
}

/// One browser, with cookies of its own.
pub(crate) struct Browser {
    pub(crate) client: Client,
    page: String,
}

impl Browser {
    /// Shows a token.
    pub(crate) async fn sign_in(&self, token: &Secret) {
        self.go("/sign-in").await;
        self.types("input[name=token]", token.expose()).await;
        self.click("main form button").await;
    }

    pub(crate) async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.page)).await.unwrap();
    }

    /// Waits until something is in the page.
    pub(crate) async fn sees(&self, selector: &str) {
        testkit::eventually(selector, DEADLINE, async || {
            (!self.client.find_all(Locator::Css(selector)).await.ok()?.is_empty()).then_some(())
        })
        .await;
    }

    /// Waits until there are so many.
    pub(crate) async fn counts(&self, selector: &str, count: usize) {
        let what = format!("{count} of {selector}");
        testkit::eventually(&what, DEADLINE, async || {
            (self.client.find_all(Locator::Css(selector)).await.ok()?.len() == count).then_some(())
        })
        .await;
    }

    /// Waits until something in the page says so.
    pub(crate) async fn reads(&self, selector: &str, words: &str) {
        let what = format!("{words:?} in {selector}");
        testkit::eventually(&what, DEADLINE, async || {
            self.texts(selector).await.iter().any(|text| text.contains(words)).then_some(())
        })
        .await;
    }

    /// The texts of all that a selector finds, also of what is scrolled away.
    pub(crate) async fn texts(&self, selector: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for element in self.client.find_all(Locator::Css(selector)).await.unwrap_or_default() {
            if let Ok(Some(text)) = element.prop("textContent").await {
                texts.push(text);
            }
        }
        texts
    }

    pub(crate) async fn click(&self, selector: &str) {
        testkit::eventually(selector, DEADLINE, async || {
            self.client.find(Locator::Css(selector)).await.ok()?.click().await.ok()
        })
        .await;
    }

    pub(crate) async fn types(&self, selector: &str, text: &str) {
        testkit::eventually(selector, DEADLINE, async || {
            self.client.find(Locator::Css(selector)).await.ok()?.send_keys(text).await.ok()
        })
        .await;
    }

    /// Presses a key that goes to the page.
    pub(crate) async fn press(&self, key: &str) {
        let press = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], bubbles: true, cancelable: true }))";
        self.client.execute(press, vec![json!(key)]).await.unwrap();
    }

    /// What a script of the test says.
    pub(crate) async fn asks(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Waits until a script says true.
    pub(crate) async fn holds(&self, what: &str, script: &str) {
        testkit::eventually(what, DEADLINE, async || {
            (self.client.execute(script, Vec::new()).await.ok()? == json!(true)).then_some(())
        })
        .await;
    }

    /// Where it is, without the host.
    pub(crate) async fn path(&self) -> String {
        let url = self.client.current_url().await.unwrap().to_string();
        url.strip_prefix(&self.page).unwrap_or(&url).to_owned()
    }

    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }
}
