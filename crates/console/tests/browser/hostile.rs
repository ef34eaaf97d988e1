//! Words of people who mean no good.

use serde_json::json;

use crate::world::World;

const WORDS: [&str; 14] = [
    "<script>window.hit = 1</script>",
    "<img src=x onerror=\"window.hit = 1\">",
    "\"><svg onload=window.hit=1>",
    "' autofocus onfocus='window.hit=1",
    "</li></ol><script>window.hit=1</script>",
    "javascript:window.hit=1",
    "<a href=\"javascript:window.hit=1\">click</a>",
    "<style>* { display: none }</style>",
    "&lt;b&gt; &amp;amp; &#x27;",
    "\u{202e}txt.exe\u{202c} \u{200f}\u{2066}",
    "line\r\nevent: entry\r\ndata: {}\r\n\r\n",
    "{{contact.display_name}} ${window.hit=1} <%= 1 %>",
    "<!-- --><![CDATA[ ]]><base href=//evil>",
    "\u{0}\u{1f}\u{feff}\u{1F469}\u{200D}\u{1F680} ليلى",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_text_is_shown_as_text() {
    let Some(world) = World::start().await else { return };
    let page = world.browser("ana").await;
    let mut sent = Vec::new();
    let mut chat = String::new();
    // Half of it before the page is opened, half while it is.
    for (at, words) in WORDS.iter().enumerate() {
        if at == WORDS.len() / 2 {
            page.go(&format!("/c/{chat}")).await;
            page.counts("#rows > li", at).await;
        }
        let message = proto::v1::ReceivedMessage { text: (*words).to_owned(), ..Default::default() };
        chat = world.receive("<b onclick=window.hit=1>Mallory", message).await.0;
        sent.push((*words).to_owned());
    }
    page.counts("#rows > li", WORDS.len()).await;
    world.open(&chat, "ana", "<script>window.hit=1</script>\"'").await;
    world.note(&chat, "ana", "<script>window.hit=1</script>").await;
    page.reads(".bubble.note .text", "<script>window.hit=1</script>").await;
    page.reads("#panel .card", "<script>window.hit=1</script>\"'").await;
    // As the view has them. Of NUL, which HTML can't hold, nothing is left, or a sign that something was there.
    let shown: Vec<String> = page.texts(".row.in .text").await;
    let known = world.chat(&chat).await;
    let plain = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n").replace(['\0', '\u{fffd}'], "");
    for (shown, known) in shown.iter().zip(&known) {
        assert_eq!(plain(shown), plain(known));
    }
    for path in ["/inbox?view=all", "/tickets?period=today", "/dashboard?by=topic&period=today", &format!("/c/{chat}")]
    {
        page.go(path).await;
        page.sees("#main").await;
        assert_eq!(page.asks("return window.hit ?? null").await, json!(null), "{path}");
        let foreign = "return document.querySelectorAll('main script, main style, main base, main img, [onclick], [onload], [onerror], [onfocus], a[href^=javascript]').length";
        assert_eq!(page.asks(foreign).await, json!(0), "{path}");
    }
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_for_another_site_nor_for_another_workspace() {
    let Some(world) = World::start().await else { return };
    let chat = world.story("Maya").await;
    let page = world.browser("ana").await;
    let cookie = page.client.get_named_cookie("threadmark").await.unwrap();
    assert_eq!(cookie.http_only(), Some(true));
    assert_eq!(cookie.same_site().map(|site| site.to_string()), Some("Strict".to_owned()));
    assert_eq!(page.asks("return document.cookie.includes('threadmark')").await, json!(false));
    // A page elsewhere, whose form is aimed at us.
    let form = format!(
        "data:text/html,<form method=post action=http://{}/c/{chat}/send><input name=text value=evil><button>go</button></form>",
        world.address
    );
    page.client.goto(&form).await.unwrap();
    page.click("button").await;
    page.reads("h1", "It must not be done").await;
    assert!(!world.chat(&chat).await.iter().any(|said| said == "evil"));
    // The same chat, asked for from another workspace.
    page.close().await;
    let page = world.rival().await;
    page.go(&format!("/c/{chat}")).await;
    page.reads("h1", "Not found").await;
    page.go("/inbox?view=all").await;
    page.counts("#chats li", 0).await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_runs_what_stands_in_it() {
    let Some(world) = World::start().await else { return };
    let chat = world.story("Maya").await;
    let page = world.browser("ana").await;
    let chat = format!("/c/{chat}");
    for path in ["/inbox", &chat, "/dashboard", "/tickets", "/rules", "/bot", "/me", "/sign-in", "/nowhere"] {
        page.go(path).await;
        page.sees("main#main").await;
        let policy = "return fetch(location.href).then((answer) => answer.headers.get('content-security-policy'))";
        let policy = page.asks(policy).await;
        let policy = policy.as_str().unwrap();
        for part in ["default-src 'none'", "script-src 'self'", "form-action 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        // Were a text ever not escaped, nothing would come of it.
        page.asks(INLINE).await;
        page.holds("the policy was broken and kept", "return window.kept >= 2").await;
        assert_eq!(page.asks("return window.hit ?? null").await, json!(null), "{path}");
        let inline = "return document.querySelectorAll('script:not([src]), style, [style], [onclick], [onload], [onerror]').length";
        assert_eq!(page.asks(inline).await, json!(1), "{path}: nothing but the test's own");
    }
    page.close().await;
}

/// What somebody would put in whose text was not escaped: a script, and an image whose failing runs one.
const INLINE: &str = "window.kept = 0; document.addEventListener('securitypolicyviolation', () => { window.kept += 1; }); \
    const script = document.createElement('script'); script.textContent = 'window.hit = 1'; document.body.append(script); \
    const box = document.createElement('p'); document.body.append(box); \
    box.innerHTML = '<img src=\"http://127.0.0.1:1/x\" onerror=\"window.hit = 1\">'; box.firstChild.remove();";
