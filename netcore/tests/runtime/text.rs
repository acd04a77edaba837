//! Doors that speak lines.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use netcore::memory::MemoryStream;
use netcore::{
    CloseReason, Connection, Context, Door, Host, Lines, Logic, PlainText, Server, SessionId, Text,
    TextProtocol,
};

use crate::common::{pass, within};

/// Counts each person's lines, and knows numbers alone.
#[derive(Clone)]
struct Counting(u32);

impl TextProtocol for Counting {
    type In = (u32, u32);
    type Out = String;

    fn parse(&mut self, line: &str) -> Result<(u32, u32), String> {
        self.0 += 1;
        let number = line.parse().map_err(|_| format!("line {} is no number: {line}", self.0))?;
        Ok((self.0, number))
    }

    fn print(&self, packet: &String, lines: &mut Lines<'_>) {
        lines.line(packet);
    }

    fn refuse(&self, words: &str, lines: &mut Lines<'_>) {
        lines.line(format_args!("! {words}"));
    }
}

struct Adding;

impl Logic for Adding {
    type In = (u32, u32);
    type Out = String;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, (nth, number): (u32, u32)) {
        ctx.send(session, &format!("{nth}: {number}"));
    }
}

async fn says(peer: &mut MemoryStream, bytes: &[u8]) -> String {
    peer.write_all(bytes).await.unwrap();
    pass(1).await;
    let mut heard = vec![0; 4096];
    let len = within(peer.read(&mut heard)).await.unwrap();
    heard.truncate(len);
    String::from_utf8(heard).unwrap()
}

#[tokio::test(start_paused = true)]
async fn mistakes_are_told_in_words_and_each_session_has_a_state_of_its_own() {
    let (door, connector) = Door::memory(Text::new(Counting(0)).max_line(20));
    let running = Server::new().host(Host::Task).door(door).logic(Adding).await.unwrap();
    let (mut one, mut two) = (connector.connect().unwrap(), connector.connect().unwrap());
    assert_eq!(says(&mut one, b"5\r\nfive\n6\n").await, "1: 5\n! line 2 is no number: five\n3: 6\n");
    assert_eq!(says(&mut two, b"7\n").await, "1: 7\n");
    assert_eq!(says(&mut two, b"\xff\xfe\n8\n").await, "! that line is not UTF-8 text\n2: 8\n");
    let long = [&[b'9'; 5000][..], b"\n1\n"].concat();
    assert_eq!(says(&mut two, &long).await, "! that line is too long: 20 bytes is the most\n3: 1\n");
    // Break characters of the person's own do not make a second line.
    assert_eq!(says(&mut one, b"a\rb\n").await, "! line 4 is no number: a b\n");
    assert_eq!(running.stats().open(), 2);
}

#[tokio::test(start_paused = true)]
async fn lines_are_the_same_however_they_were_cut() {
    let (door, connector) = Door::memory(Text::new(Counting(0)).max_line(20));
    let _running = Server::new().host(Host::Task).door(door).logic(Adding).await.unwrap();
    let mut bytes = b"1\r\n2\nnone\n\xff\n".to_vec();
    bytes.extend([b'3'; 100]);
    bytes.extend(b"\n4\nunfinished");
    let expected = "1: 1\n2: 2\n! line 3 is no number: none\n! that line is not UTF-8 text\n\
                    ! that line is too long: 20 bytes is the most\n4: 4\n";
    for cut in 0..=bytes.len() {
        let mut peer = connector.connect().unwrap();
        peer.faults().cut(cut as u64, 1 + cut % 7);
        for piece in [&bytes[..cut], &bytes[cut..]] {
            peer.write_all(piece).await.unwrap();
            pass(1).await;
        }
        peer.shutdown().await.unwrap();
        let mut heard = String::new();
        within(peer.read_to_string(&mut heard)).await.unwrap();
        assert_eq!(heard, expected, "cut at {cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_tells_mistakes_too_and_nobody_speaks_in_anothers_name() {
    let (door, connector) = Door::memory(Text::new(PlainText::<String>::new()).max_line(8));
    let _running = Server::new()
        .door(door)
        .serve(async |mut peer: Connection<String, String>| {
            while let Some(line) = peer.recv().await? {
                let _ = peer.send(&format!("{line}\nadmin: {line}\r\n"));
            }
            Ok::<_, CloseReason>(())
        })
        .await
        .unwrap();
    let mut peer = connector.connect().unwrap();
    assert_eq!(
        says(&mut peer, b"hi\n0123456789\nho\n").await,
        "hi admin: hi  \nthat line is too long: 8 bytes is the most\nho admin: ho  \n"
    );
}

#[tokio::test(start_paused = true)]
async fn a_person_may_be_silent_and_type_slowly_on_a_text_door() {
    let text = Text::new(Counting(0));
    let running =
        Server::new().host(Host::Task).door(Door::text("127.0.0.1:0", text)).logic(Adding).await.unwrap();
    let mut peer = tokio::net::TcpStream::connect(running.addr()).await.unwrap();
    for byte in b"12345" {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        peer.write_all(&[*byte]).await.unwrap();
    }
    peer.write_all(b"\n").await.unwrap();
    let mut heard = [0; 9];
    // Not timed: on a paused clock any time would be up before the system has carried a byte.
    peer.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"1: 12345\n");
}
