//! A Chromium without a screen, led over its DevTools protocol: real keys, a real mouse, and what the page knows.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// A browser with one page. Its profile is gone when it is.
pub(crate) struct Chromium {
    child: Child,
    profile: PathBuf,
    tools: WebSocketStream<TcpStream>,
    calls: u64,
    session: Option<String>,
    /// What went wrong in the page's script.
    pub(crate) wrongs: Vec<String>,
}

impl Chromium {
    /// Starts one that is installed. `None` if none is.
    pub(crate) async fn start() -> Option<Self> {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let profile = std::env::temp_dir().join(format!("shooter-browser-{}-{number}", std::process::id()));
        let started = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(|program| {
            Command::new(program)
                .args(FLAGS)
                .arg(format!("--user-data-dir={}", profile.display()))
                .arg("about:blank")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .ok()
        });
        let mut child = started?;
        let mut lines = BufReader::new(child.stderr.take()?).lines();
        let address = timeout(PATIENCE, async {
            loop {
                let line = lines.next_line().await.unwrap().expect("Chromium ended");
                if let Some((_, address)) = line.split_once("DevTools listening on ") {
                    return address.to_owned();
                }
            }
        });
        let address = address.await.expect("Chromium says where it listens");
        // Whatever it complains of later must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let host = address.trim_start_matches("ws://").split('/').next().unwrap_or_default();
        let stream = TcpStream::connect(host).await.unwrap();
        let (tools, _) = client_async(&address, stream).await.unwrap();
        let mut browser = Self { child, profile, tools, calls: 0, session: None, wrongs: Vec::new() };
        let targets = browser.call("Target.getTargets", json!({})).await;
        let pages = targets["targetInfos"].as_array().unwrap();
        let page = pages.iter().find(|target| target["type"] == "page").unwrap();
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", attach).await;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        browser.call("Runtime.enable", json!({})).await;
        browser.call("Page.enable", json!({})).await;
        Some(browser)
    }

    /// Goes to a page, in a window of that many px.
    pub(crate) async fn open(&mut self, url: &str, width: u32, height: u32) {
        self.open_on(url, json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}))
            .await;
    }

    /// Goes to a page on a phone that is held across.
    pub(crate) async fn open_on_a_phone(&mut self, url: &str) {
        self.call("Emulation.setTouchEmulationEnabled", json!({"enabled": true, "maxTouchPoints": 5})).await;
        self.open_on(url, json!({"width": 844, "height": 390, "deviceScaleFactor": 2, "mobile": true})).await;
    }

    async fn open_on(&mut self, url: &str, device: Value) {
        self.call("Emulation.setDeviceMetricsOverride", device).await;
        self.call("Page.navigate", json!({"url": url})).await;
    }

    /// What an expression of the page's script is worth.
    pub(crate) async fn eval(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", params).await;
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Draws frames until that is so.
    pub(crate) async fn until(&mut self, expression: &str) {
        let next = format!(
            "new Promise(done => requestAnimationFrame(() => {{ let so = false; try {{ so = Boolean({expression}); }} catch {{}} done(so); }}))"
        );
        let all = async { while self.eval(&next).await != true {} };
        timeout(PATIENCE, all).await.unwrap_or_else(|_| panic!("never so: {expression}"));
    }

    /// Presses a key, or lets it go.
    pub(crate) async fn key(&mut self, code: &str, down: bool) {
        let kind = if down { "keyDown" } else { "keyUp" };
        self.call("Input.dispatchKeyEvent", json!({"type": kind, "code": code})).await;
    }

    /// Types into what has the focus.
    pub(crate) async fn text(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// `mousePressed`, `mouseMoved` or `mouseReleased`, at a place of the window in px.
    pub(crate) async fn mouse(&mut self, kind: &str, x: f64, y: f64) {
        let button = if kind == "mouseMoved" { "none" } else { "left" };
        let params = json!({"type": kind, "x": x, "y": y, "button": button, "clickCount": 1});
        self.call("Input.dispatchMouseEvent", params).await;
    }

    /// Clicks in the middle of an element.
    pub(crate) async fn click(&mut self, selector: &str) {
        let (x, y) = self.middle(selector).await;
        self.mouse("mouseMoved", x, y).await;
        self.mouse("mousePressed", x, y).await;
        self.mouse("mouseReleased", x, y).await;
    }

    async fn middle(&mut self, selector: &str) -> (f64, f64) {
        let place = format!(
            "(box => [box.x + box.width / 2, box.y + box.height / 2])(document.querySelector('{selector}').getBoundingClientRect())"
        );
        let place = self.eval(&place).await;
        (place[0].as_f64().unwrap(), place[1].as_f64().unwrap())
    }

    /// Thumbs on the screen, in px; none: all are lifted.
    pub(crate) async fn touch(&mut self, kind: &str, points: &[(f64, f64)]) {
        let points: Vec<_> =
            points.iter().enumerate().map(|(id, (x, y))| json!({"x": x, "y": y, "id": id})).collect();
        self.call("Input.dispatchTouchEvent", json!({"type": kind, "touchPoints": points})).await;
    }

    /// Touches the middle of an element.
    pub(crate) async fn tap(&mut self, selector: &str) {
        let (x, y) = self.middle(selector).await;
        self.touch("touchStart", &[(x, y)]).await;
        self.touch("touchEnd", &[]).await;
    }

    /// What the window shows, as WebP: of what holds such a picture the smallest.
    pub(crate) async fn screenshot(&mut self) -> Vec<u8> {
        let answer = self.call("Page.captureScreenshot", json!({"format": "webp", "quality": 90})).await;
        base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().unwrap()).unwrap()
    }

    /// Ends it.
    pub(crate) async fn close(mut self) {
        let _ = self.child.kill().await;
        // Its other processes may still write there for a moment.
        let _ = std::fs::remove_dir_all(&self.profile);
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let mut call = json!({"id": self.calls, "method": method, "params": params});
        if let Some(session) = &self.session {
            call["sessionId"] = json!(session);
        }
        self.tools.send(Message::text(call.to_string())).await.unwrap();
        let answer = async {
            loop {
                let message = self.tools.next().await.expect("Chromium ended").unwrap();
                let Ok(text) = message.to_text() else { continue };
                let Ok(answer) = serde_json::from_str::<Value>(text) else { continue };
                if answer["method"] == "Runtime.exceptionThrown" {
                    self.wrongs.push(answer["params"]["exceptionDetails"].to_string());
                }
                if answer["id"] == self.calls {
                    return answer;
                }
            }
        };
        let answer = timeout(PATIENCE, answer).await.unwrap_or_else(|_| panic!("no answer to {method}"));
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }
}

static STARTED: AtomicU32 = AtomicU32::new(0);

/// How long anything may take on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(90);

const FLAGS: [&str; 12] = [
    "--headless",
    "--remote-debugging-port=0",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--mute-audio",
];
