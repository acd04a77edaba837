//! The page in a real browser: Chromium, where it is installed.

use std::net::SocketAddr;
use std::time::Duration;

use netcore::{Client, Running};
use shooter::http::Http;
use shooter::{Event, Game, Rules, doors, page};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::chromium::Chromium;

struct Arena {
    running: Running,
    site: JoinHandle<()>,
    raw: SocketAddr,
    page: String,
}

impl Arena {
    async fn with(bots: u16) -> Self {
        Self::at("127.0.0.1:0", bots).await
    }

    async fn at(address: &str, bots: u16) -> Self {
        let rules = Rules::default();
        let (door, incoming) = doors::websocket();
        let running = doors::server([doors::raw("127.0.0.1:0"), door], &rules);
        let running = running.logic(Game::new(rules, bots, 3)).await.unwrap();
        let http = Http::bind(address).await.unwrap();
        let page = format!("http://{}/", http.addr());
        let site = http.serve(page::page(&rules).unwrap(), incoming);
        let raw = running.addrs()[0].1;
        Self { running, site, raw, page }
    }

    async fn end(self) {
        self.site.abort();
        self.running.shutdown().await;
    }
}

/// Somebody at the binary door, who hears what the page did.
async fn until(witness: &mut Client<Event, Event>, wanted: impl Fn(&Event) -> bool) -> Event {
    let heard = async {
        loop {
            let event = witness.recv().await.unwrap().expect("not the end");
            if wanted(&event) {
                return event;
            }
        }
    };
    timeout(Duration::from_secs(60), heard).await.expect("the witness hears it")
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_plays_in_a_browser_moves_and_kills_a_bot() {
    let Some(mut browser) = Chromium::start().await else {
        eprintln!("skipped: the page in a browser, for want of Chromium");
        return;
    };
    let arena = Arena::with(6).await;
    let mut witness = Client::<Event, Event>::connect(arena.raw).await.unwrap();
    browser.open(&arena.page, 960, 720).await;

    // Who only looks on sees the bots play.
    browser.until("players.size >= 6 && [...players.values()].every(it => it.name)").await;
    browser.eval("globalThis.shown = canvas.toDataURL()").await;
    browser.until("canvas.toDataURL() !== shown").await;
    let colors =
        "new Set(new Uint32Array(paint.getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size";
    assert!(browser.eval(colors).await.as_u64().unwrap() > 200);

    browser.click("#name").await;
    browser.text("Zoë of the many names").await;
    browser.click("form button").await;
    browser.until("me && me.alive && document.querySelector('#start.hidden')").await;
    let id = i32::try_from(browser.eval("me.id").await.as_i64().unwrap()).unwrap();
    let named = until(&mut witness, |event| matches!(event, Event::Name { id: it, .. } if *it == id)).await;
    // Sixteen bytes, and no letter in two.
    assert_eq!(named, Event::Name { id, name: "Zoë of the many".into() });

    let from = browser.eval("me.x").await.as_f64().unwrap();
    let (key, way) = if from < 400.0 { ("KeyD", 1.0) } else { ("ArrowLeft", -1.0) };
    browser.key(key, true).await;
    browser.until(&format!("(me.x - {from}) * {way} > 60 || !me.alive")).await;
    browser.key(key, false).await;
    let far = |x: f32| (f64::from(x) - from) * way > 30.0;
    until(&mut witness, |event| match event {
        Event::Pos { id: it, x, .. } => *it == id && far(*x),
        Event::Kill { defender, .. } => *defender == id,
        _ => false,
    })
    .await;

    // It leads whom it aims at, as a person learns to.
    browser.mouse("mousePressed", 480.0, 360.0).await;
    let target = "(() => { if (!me?.alive) return null; \
        const near = [...players.values()].filter(it => it !== me && it.alive) \
          .map(it => ({ it, far: Math.hypot(it.x - me.x, it.y - me.y) })).sort((a, b) => a.far - b.far)[0]; \
        if (!near) return null; \
        const last = near.it.path.at(-1), lead = near.far / 600; \
        const box = canvas.getBoundingClientRect(), size = box.width / RULES.width; \
        return [box.x + (last.x + last.vx * lead) * size, box.y + (last.y + last.vy * lead) * size]; })()";
    let hunt = async {
        while browser.eval("me ? me.kills : 0").await == 0 {
            let aim = browser.eval(target).await;
            if let (Some(x), Some(y)) = (aim[0].as_f64(), aim[1].as_f64()) {
                browser.mouse("mouseMoved", x, y).await;
            }
            browser.until("true").await;
        }
    };
    timeout(Duration::from_secs(120), hunt).await.expect("it kills a bot");
    until(&mut witness, |event| matches!(event, Event::Kill { attacker, .. } if *attacker == id)).await;
    browser.until("ping !== null && document.querySelector('#board tr.me')").await;

    let asked = std::env::var_os("SHOOTER_SCREENSHOT");
    if asked.is_some() {
        browser.until("me?.alive && me.y > 200 && bullets.length > 4 && [...items.values()].some(it => seconds() - it.born > 0.4)").await;
    }
    let picture = browser.screenshot().await;
    assert!(picture.get(8..12) == Some(b"WEBP") && picture.len() > 10_000);
    if let Some(path) = asked {
        std::fs::write(path, &picture).unwrap();
    }

    // The server ends: the page says so, and tries again.
    browser.mouse("mouseReleased", 480.0, 360.0).await;
    let address = arena.page.trim_start_matches("http://").trim_end_matches('/').to_owned();
    arena.end().await;
    browser.until("!document.querySelector('#lost.hidden') && !me").await;
    // It is back: the player is, too, with another number.
    let arena = Arena::at(&address, 2).await;
    browser
        .until("document.querySelector('#lost.hidden') && me && me.alive && me.name && players.size > 2")
        .await;
    assert_ne!(browser.eval("me.id").await.as_i64(), Some(id.into()));
    arena.end().await;
    assert_eq!(browser.wrongs, [""; 0]);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_phone_one_thumb_moves_and_the_other_aims_and_fires() {
    let Some(mut browser) = Chromium::start().await else {
        eprintln!("skipped: the page on a phone, for want of Chromium");
        return;
    };
    let arena = Arena::with(0).await;
    let mut witness = Client::<Event, Event>::connect(arena.raw).await.unwrap();
    browser.open_on_a_phone(&arena.page).await;
    browser.until("socket.readyState === WebSocket.OPEN").await;
    browser.tap("form button").await;
    browser.until("me && me.alive").await;
    let id = i32::try_from(browser.eval("me.id").await.as_i64().unwrap()).unwrap();

    let right = browser.eval("me.x < 400 ? 1 : -1").await.as_f64().unwrap();
    let (left_thumb, right_thumb) = ((150.0, 280.0), (700.0, 280.0));
    browser.touch("touchStart", &[left_thumb]).await;
    browser.touch("touchMove", &[(150.0 + 40.0 * right, 280.0)]).await;
    let moves = |event: &Event| matches!(event, Event::Pos { id: it, vx, .. } if *it == id && f64::from(*vx) * right > 100.0);
    until(&mut witness, moves).await;
    browser.touch("touchStart", &[(150.0 + 40.0 * right, 280.0), right_thumb]).await;
    browser.touch("touchMove", &[(150.0 + 40.0 * right, 280.0), (700.0, 240.0)]).await;
    let upwards = |event: &Event| matches!(event, Event::Fire { id: it, vx, vy, .. } if *it == id && *vy < -500.0 && vx.abs() < 100.0);
    until(&mut witness, upwards).await;
    if let Some(path) = std::env::var_os("SHOOTER_PHONE_SCREENSHOT") {
        std::fs::write(path, browser.screenshot().await).unwrap();
    }
    browser.touch("touchEnd", &[]).await;
    browser.until("!sticks.move && !sticks.aim && !document.querySelector('.stick')").await;
    assert_eq!(browser.wrongs, [""; 0]);
    browser.close().await;
    arena.end().await;
}
