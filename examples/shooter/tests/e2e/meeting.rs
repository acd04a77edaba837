//! Players from all doors in one arena, and one who does not read.

use std::net::SocketAddr;
use std::time::Duration;

use netcore::{Client, WebSocket};
use shooter::http::Http;
use shooter::{Event, Game, Rules, doors, page};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::{World, ticks};

async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), work).await.expect("in time")
}

/// Receives until that comes.
async fn until(client: &mut Client<Event, Event>, wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = within(client.recv()).await.unwrap().expect("not the end");
        if wanted(&event) {
            return event;
        }
    }
}

fn spawn(id: i32, x: f32) -> Event {
    Event::Spawn { id, x, y: 300.0, hp: 100.0 }
}

#[tokio::test]
async fn lines_packets_and_a_websocket_meet_in_one_arena() {
    let rules = Rules { items: false, ..Rules::default() };
    let (door, incoming) = doors::websocket();
    let doors = [doors::text("127.0.0.1:0"), doors::raw("127.0.0.1:0"), door];
    let running = doors::server(doors, &rules).logic(Game::new(rules, 0, 1)).await.unwrap();
    let http = Http::bind("127.0.0.1:0").await.unwrap();
    let at = http.addr();
    let site = http.serve(page::page(&rules).unwrap(), incoming);
    let (text, raw) = (running.addrs()[0].1, running.addrs()[1].1);

    let mut lines = BufReader::new(TcpStream::connect(text).await.unwrap());
    let mut binary = Client::<Event, Event>::connect(raw).await.unwrap();
    let websocket = Client::<Event, Event>::options().websocket(WebSocket::new().path("/game"));
    let mut browser = websocket.connect(at).await.unwrap();

    lines.write_all(b"SPAWN 1 100 300 100\n").await.unwrap();
    assert_eq!(until(&mut binary, |event| matches!(event, Event::Spawn { .. })).await, spawn(1, 100.0));
    binary.send(&spawn(2, 300.0)).unwrap();
    assert_eq!(
        until(&mut browser, |event| matches!(event, Event::Spawn { id: 2, .. })).await,
        spawn(2, 300.0)
    );
    browser.send(&spawn(3, 500.0)).unwrap();
    browser.send(&Event::Name { id: 3, name: "  ann\nbob and many others ".into() }).unwrap_err();
    browser.send(&Event::Name { id: 3, name: "  ann\nand bob".into() }).unwrap();
    let named = until(&mut binary, |event| matches!(event, Event::Name { .. })).await;
    assert_eq!(named, Event::Name { id: 3, name: "annand bob".into() });
    browser.send(&Event::Ping { sent: 1.5 }).unwrap();
    until(&mut browser, |event| *event == Event::Pong { sent: 1.5 }).await;

    let fire = Event::Fire { id: 3, bullet: 9, x: 470.0, y: 300.0, vx: -600.0, vy: 0.0, r: 3.0, dmg: 25.0 };
    browser.send(&fire).unwrap();
    let hit = Event::Hit { attacker: 3, defender: 2, bullet: 9, hp: 75.0 };
    for client in [&mut binary, &mut browser] {
        assert_eq!(until(client, |event| matches!(event, Event::Hit { .. })).await, hit);
    }
    drop(browser);
    let mut heard = Vec::new();
    while heard.last().is_none_or(|line| line != "KILL 3 3") {
        let mut line = String::new();
        within(lines.read_line(&mut line)).await.unwrap();
        heard.push(line.trim_end().to_owned());
    }
    assert_eq!(
        heard,
        [
            "SPAWN 2 300 300 100",
            "SPAWN 3 500 300 100",
            "FIRE 3 9 470 300 -600 0 3 25",
            "HIT 3 2 9 75",
            "KILL 3 3"
        ]
    );
    until(&mut binary, |event| *event == Event::Left { id: 3 }).await;
    site.abort();
    running.shutdown().await;
}

#[tokio::test]
async fn the_page_is_served_and_what_is_not_there_is_said() {
    let rules = Rules::default();
    let (door, incoming) = doors::websocket();
    let running = doors::server([door], &rules).logic(Game::new(rules, 0, 1)).await.unwrap();
    let http = Http::bind("127.0.0.1:0").await.unwrap();
    let at = http.addr();
    let site = http.serve(page::page(&rules).unwrap(), incoming);
    let found = fetch(at, "GET / HTTP/1.1").await;
    assert!(found.starts_with("HTTP/1.1 200 OK\r\n") && found.ends_with("</html>\n"), "{found}");
    assert!(found.contains("content-type: text/html; charset=utf-8\r\n"));
    for (request, status) in [
        ("GET /other HTTP/1.1", "404 Not Found"),
        ("POST / HTTP/1.1", "405 Method Not Allowed"),
        ("GET /game HTTP/1.1", "426 Upgrade Required"),
        ("nonsense", "400 Bad Request"),
    ] {
        let answer = fetch(at, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}: {answer}");
    }
    site.abort();
    running.shutdown().await;
}

#[tokio::test]
async fn one_address_cannot_take_all_the_room_of_the_page() {
    let rules = Rules::default();
    let (_door, incoming) = doors::websocket();
    let http = Http::bind("127.0.0.1:0").await.unwrap();
    let at = http.addr();
    let site = http.serve(page::page(&rules).unwrap(), incoming);
    let mut idle = Vec::new();
    for _ in 0..64 {
        idle.push(TcpStream::connect(at).await.unwrap());
    }
    let mut more = TcpStream::connect(at).await.unwrap();
    assert!(matches!(within(more.read(&mut [0; 1])).await, Ok(0) | Err(_)));
    drop(idle);
    // Room again, as soon as it is noticed that they have gone.
    while !fetch_or_nothing(at).await.starts_with("HTTP/1.1 200 OK") {}
    site.abort();
}

async fn fetch_or_nothing(at: SocketAddr) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let mut answer = String::new();
    let asked = stream.write_all(b"GET / HTTP/1.1\r\nHost: arena\r\nConnection: close\r\n\r\n").await;
    if asked.is_ok() {
        let _ = within(stream.read_to_string(&mut answer)).await;
    }
    answer
}

async fn fetch(at: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let head = format!("{request}\r\nHost: arena\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test(start_paused = true)]
async fn who_reads_slowly_hears_the_latest_positions_and_every_hit() {
    let world = World::new(0).await;
    let mut one = world.client().await;
    one.send(&spawn(1, 100.0)).unwrap();
    let mut two = world.client().await;
    two.send(&spawn(2, 400.0)).unwrap();
    ticks(2).await;
    let mut slow = world.person().await;
    // Nobody reads for four seconds, in which more is said than the transport takes.
    for step in 0..240_i32 {
        for (client, id) in [(&mut one, 1), (&mut two, 2)] {
            let x = if id == 1 { 100.0 } else { 400.0 } + step as f32 / 1000.0;
            let pos = Event::Pos { id, x, y: 300.0, vx: 0.0, vy: 0.0, aim_x: 0.123_456_7, aim_y: 765.432_1 };
            client.send(&pos).unwrap();
        }
        if step % 60 == 1 {
            let fire = Event::Fire {
                id: 1,
                bullet: step,
                x: 130.0,
                y: 300.0,
                vx: 600.0,
                vy: 0.0,
                r: 3.0,
                dmg: 24.0,
            };
            one.send(&fire).unwrap();
        }
        ticks(1).await;
    }
    ticks(60).await;
    let heard = slow.heard().await;
    let hits: Vec<_> = heard.iter().filter(|line| line.starts_with("HIT ")).collect();
    assert_eq!(hits, ["HIT 1 2 1 76", "HIT 1 2 61 52", "HIT 1 2 121 28", "HIT 1 2 181 4"]);
    let last = heard.iter().rfind(|line| line.starts_with("POS 2 "));
    assert_eq!(last.unwrap(), "POS 2 400.239 300 0 0 0.1234567 765.4321");
}
