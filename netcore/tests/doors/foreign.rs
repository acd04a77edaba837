//! Clients that nobody here wrote: Python's `ssl` and `websockets`, `openssl s_client`, a browser. What is not installed
//! is skipped, with a word.

use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::common::within;

/// Whether a program runs, which ends by itself.
async fn runs(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    let command = command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let runs = matches!(command.status().await, Ok(status) if status.success());
    if !runs {
        println!("skipped: `{program} {}` does not run here", args.join(" "));
    }
    runs
}

/// A Python that has a module: the one in the path, or the system's.
async fn python_with(module: &str) -> Option<&'static str> {
    for python in ["python3", "/usr/bin/python3"] {
        if runs(python, &["-c", &format!("import {module}")]).await {
            return Some(python);
        }
    }
    None
}

/// Runs a script in Python; what it prints.
async fn run_script(python: &str, script: &str, args: &[&str]) -> String {
    let output = within(Command::new(python).arg("-c").arg(script).args(args).kill_on_drop(true).output());
    said_by(output.await.unwrap())
}

fn said_by(output: Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[cfg(feature = "tls")]
mod tls {
    use std::process::Stdio;

    use netcore::{Door, Running, Server, Tls};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::process::Command;

    use super::{python_with, run_script, runs};
    use crate::certificates::{Certificate, Folder};
    use crate::common::{Ask, Hear, bye, packet, said, say, session, until, within};

    async fn serve(last_words: bool) -> (Running, Folder) {
        let (certificate, folder) = (Certificate::new(), Folder::new());
        let cert = folder.write("cert.pem", &certificate.pem());
        let tls = Tls::from_files(cert, folder.write("key.pem", &certificate.key_pem())).unwrap();
        let door = Door::<Ask, Hear>::tcp("127.0.0.1:0").tls(tls);
        let door = if last_words { door.close_notice(bye) } else { door };
        (Server::new().door(door).serve(session).await.unwrap(), folder)
    }

    #[tokio::test]
    async fn pythons_ssl_speaks_both_versions_of_tls() {
        let Some(python) = python_with("ssl").await else { return };
        let (running, folder) = serve(false).await;
        let port = running.addr().port().to_string();
        let cert = folder.0.join("cert.pem");
        for (n, version) in (1..).zip(["TLSv1_2", "TLSv1_3"]) {
            let spoken = run_script(python, PYTHON, &[&port, cert.to_str().unwrap(), version]).await;
            assert_eq!(spoken, format!("{} 10000 packets, then the end", version.replace('_', ".")));
            until(&running, "closed", |stats| stats.closed_for("peer_closed") == n).await;
        }
    }

    const PYTHON: &str = r#"
import socket, ssl, struct, sys, threading
port, cert, version = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context(cafile=cert)
context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
stream = context.wrap_socket(socket.create_connection(('127.0.0.1', port)), server_hostname='localhost')
stream.settimeout(20)
want = b''.join(struct.pack('<HHBI', 9, 101, 0, n) for n in range(10000))
got, n = b'', 0
while len(got) < len(want):
    stream.sendall(b''.join(struct.pack('<HHBI', 9, 1, 0, i) for i in range(n, n + 500)))
    n += 500
    while len(got) < n * 9:
        got += stream.recv(65536)
assert got == want
below = stream.unwrap()    # says close_notify, and waits for the server's
print(stream.version() if stream.version() else version.replace('_', '.'), len(got) // 9, 'packets, then the end')
"#;

    #[tokio::test]
    async fn openssl_s_client_speaks_with_the_door() {
        if !runs("openssl", &["version"]).await {
            return;
        }
        let (running, folder) = serve(true).await;
        let mut child = Command::new("openssl")
            .args(["s_client", "-quiet", "-verify_return_error", "-servername", "localhost", "-CAfile"])
            .arg(folder.0.join("cert.pem"))
            .arg("-connect")
            .arg(running.addr().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = child.stdout.take().unwrap();
        let asks: Vec<u8> = (0..1000).flat_map(say).collect();
        input.write_all(&asks).await.unwrap();
        let mut heard = vec![0; 9000];
        within(output.read_exact(&mut heard)).await.unwrap();
        assert!(heard == (0..1000).flat_map(said).collect::<Vec<_>>());
        // The server's end is the client's.
        let (_, last) = tokio::join!(running.shutdown(), async {
            let mut last = Vec::new();
            within(output.read_to_end(&mut last)).await.unwrap();
            last
        });
        assert_eq!(last, packet(103, &60_u16.to_le_bytes()));
        within(child.wait()).await.unwrap();
    }
}

#[cfg(feature = "websocket")]
mod websocket {
    use std::process::Stdio;

    use netcore::{Running, WebSocket};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::process::Command;

    use super::{python_with, run_script, runs};
    use crate::common::{until, within};
    use crate::websocket::serve;

    #[tokio::test]
    async fn pythons_websockets_speaks_with_the_door() {
        let Some(python) = python_with("websockets").await else { return };
        let running = serve(WebSocket::new().path("/game").protocol("netcore")).await;
        let address = format!("ws://{}/game", running.addr());
        let said = run_script(python, PYTHON, &[&address]).await;
        assert_eq!(
            said,
            "10000 packets; pong; closed 1000; text 4019 a WebSocket text message, where only binary ones are taken"
        );
        let stats = until(&running, "closed", |stats| stats.closed == 2).await;
        assert_eq!((stats.closed_for("peer_closed"), stats.closed_for("websocket")), (1, 1), "{stats:?}");
    }

    #[cfg(feature = "tls")]
    #[tokio::test]
    async fn pythons_websockets_speaks_with_the_door_over_tls() {
        use crate::certificates::{Certificate, Folder};
        use crate::common::{bye, session};

        let Some(python) = python_with("websockets").await else { return };
        let (certificate, folder) = (Certificate::new(), Folder::new());
        let cert = folder.write("cert.pem", &certificate.pem());
        let websocket = WebSocket::new().protocol("netcore");
        let door = netcore::Door::tcp("127.0.0.1:0").tls(certificate.server()).websocket(websocket);
        let running = netcore::Server::new().door(door.close_notice(bye)).serve(session).await.unwrap();
        let address = format!("wss://localhost:{}/", running.addr().port());
        let said = run_script(python, PYTHON, &[&address, cert.to_str().unwrap()]).await;
        assert!(said.starts_with("10000 packets; pong; closed 1000; text 4019 "), "{said}");
    }

    const PYTHON: &str = r#"
import asyncio, os, ssl, struct, sys
import websockets
from websockets.exceptions import ConnectionClosed
os.environ['NO_PROXY'] = '*'
def dial():
    context = ssl.create_default_context(cafile=sys.argv[2]) if len(sys.argv) > 2 else None
    return websockets.connect(sys.argv[1], subprotocols=['netcore'], ssl=context, compression='deflate')
def packet(id, n):
    return struct.pack('<HHBI', 9, id, 0, n)
async def main():
    socket = await dial()
    assert socket.subprotocol == 'netcore'
    got, n = b'', 0
    while n < 10000:
        whole = b''.join(packet(1, i) for i in range(n, n + 1000))
        await socket.send(whole[:3000])
        # One message in four frames.
        await socket.send([whole[3000:3001], b'', whole[3001:6000], whole[6000:]])
        n += 1000
        while len(got) < n * 9:
            got += await socket.recv()
    assert got == b''.join(packet(101, i) for i in range(10000))
    print(len(got) // 9, 'packets', end='; ')
    await (await socket.ping(b'there?'))
    print('pong', end='; ')
    await socket.close()
    print('closed', socket.close_code, end='; ')
    socket = await dial()
    await socket.send('text')
    try:
        while True:
            await socket.recv()
    except ConnectionClosed as closed:
        print('text', closed.rcvd.code, closed.rcvd.reason)
asyncio.run(asyncio.wait_for(main(), 60))
"#;

    #[tokio::test]
    async fn a_browser_speaks_with_the_door() {
        let mut browser = None;
        for program in ["chromium", "chromium-browser", "google-chrome"] {
            if browser.is_none() && runs(program, &["--version"]).await {
                browser = Some(program);
            }
        }
        let Some(browser) = browser else { return };
        let running = serve(WebSocket::new().path("/game")).await;
        let page = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = page.local_addr().unwrap();
        let profile = std::env::temp_dir().join(format!("netcore-doors-browser-{}", std::process::id()));
        let mut child = Command::new(browser)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("http://{address}/"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said =
            tokio::time::timeout(std::time::Duration::from_secs(120), serve_page(page, &running)).await;
        let _ = child.kill().await;
        // Its other processes may still write there for a moment.
        let _ = std::fs::remove_dir_all(&profile);
        assert_eq!(
            said.expect("the page never says what it heard"),
            "1000 packets; text 4019 clean; closed 3210 clean"
        );
        let stats = until(&running, "closed", |stats| stats.closed == 2).await;
        assert_eq!((stats.closed_for("peer_closed"), stats.closed_for("websocket")), (1, 1), "{stats:?}");
    }

    /// Serves the page until it tells what it heard.
    async fn serve_page(listener: TcpListener, running: &Running) -> String {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => request.push(byte),
                    Err(_) => break,
                }
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let body = if path == "/" {
                PAGE.replace("ADDRESS", &running.addr().to_string())
            } else {
                String::new()
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = within(stream.write_all((head + &body).as_bytes())).await;
            if let Some(said) = path.strip_prefix("/said?") {
                return said.replace("%20", " ");
            }
        }
    }

    const FLAGS: [&str; 9] = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
    ];

    const PAGE: &str = r#"<!doctype html><title>doors</title><script>
const packet = (id, n) => {
  const view = new DataView(new ArrayBuffer(9));
  view.setUint16(0, 9, true); view.setUint16(2, id, true); view.setUint32(5, n, true);
  return new Uint8Array(view.buffer);
};
const dial = () => new Promise((opened) => {
  const socket = new WebSocket('ws://ADDRESS/game');
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => opened(socket);
  socket.onerror = () => said.push('error');
});
const closed = (socket) => new Promise((done) => socket.onclose = (event) =>
  done(`${event.code} ${event.wasClean ? 'clean' : 'broken'}`));
const said = [];
(async () => {
  const socket = await dial();
  let got = 0;
  const all = new Promise((done) => socket.onmessage = (event) => {
    const bytes = new Uint8Array(event.data);
    for (const byte of bytes) {
      if (byte !== packet(101, Math.floor(got / 9))[got % 9]) done('wrong');
      got += 1;
    }
    if (got === 9000) done(`${got / 9} packets`);
  });
  for (let n = 0; n < 1000; n += 1) socket.send(packet(1, n));
  said.push(await all);
  const other = await dial();
  other.send('text');
  said.push('text ' + await closed(other));
  socket.close(3210, 'enough');
  said.push('closed ' + await closed(socket));
  fetch('/said?' + encodeURI(said.join('; ')));
})();
</script>"#;
}
