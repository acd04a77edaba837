//! What a client says when time is over on its way to a session, and when it gets no WebSocket.

use std::time::Duration;

use netcore::{Client, ClientTls, Door, Hello, Server, WebSocket, memory};
use tokio::io::AsyncWriteExt;

use crate::certificates::Certificate;
use crate::common::{Ask, Hear, session, within};

#[tokio::test(start_paused = true)]
async fn a_time_that_is_over_says_what_it_was_over_for() {
    let tls = || ClientTls::danger_accept_any_certificate().server_name("localhost").unwrap();
    let options = || Client::<Hear, Ask>::options().connect_timeout(Duration::from_secs(3));
    for (options, words) in [
        (
            options().tls(tls()),
            "no TLS handshake within 3s (`connect_timeout`): has that door TLS (`Door::tls`)?",
        ),
        (
            options().websocket(WebSocket::new()),
            "no answer to the WebSocket upgrade within 3s (`connect_timeout`): is that door one of WebSocket (`Door::websocket`)?",
        ),
        (
            options().hello(Hello::new::<Hear, Ask>()),
            "no answer to the hello within 3s (`connect_timeout`): has that door one (`Door::hello`)?",
        ),
    ] {
        let (near, _far) = memory::pair(64 * 1024);
        let error = options.connect_over(near).await.unwrap_err();
        assert_eq!(error.to_string(), format!("connected, but {words}"));
    }
    // One in the middle of its handshakes: the time is that of all of them.
    let certificate = Certificate::new();
    let (near, far) = memory::pair(64 * 1024);
    let options =
        options().tls(certificate.client().server_name("localhost").unwrap()).websocket(WebSocket::new());
    let server = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        certificate.rustls_server().accept(far).await.unwrap()
    };
    let begun = tokio::time::Instant::now();
    let (client, _stream) = tokio::join!(options.connect_over(near), server);
    assert!(client.unwrap_err().to_string().contains("no answer to the WebSocket upgrade within 3s"));
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
}

#[tokio::test]
async fn what_a_web_server_answers_instead_of_a_websocket_is_said() {
    let door = Door::tcp("127.0.0.1:0").websocket(WebSocket::new().path("/game"));
    let running = Server::new().door(door).serve(session).await.unwrap();
    let options = Client::<Hear, Ask>::options().websocket(WebSocket::new());
    assert_eq!(
        options.connect(running.addr()).await.unwrap_err().to_string(),
        "no WebSocket with the server: it answered 404: no WebSocket at that path (`WebSocket::path`)"
    );
}

#[tokio::test(start_paused = true)]
async fn of_such_an_answer_no_more_is_said_than_fits_a_line() {
    let long = format!(
        "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n{}",
        "<p>oh\r\n\t".repeat(10_000)
    );
    let cut = format!(": {}…", "<p>oh ".repeat(16) + "<p>o");
    for (answer, words) in [
        ("HTTP/1.1 301 Moved\r\nLocation: https://other/\r\nContent-Length: 0\r\n\r\n", "301"),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nno\x1b[1and",
            "403: no [1",
        ),
        (
            "HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 503 Busy\r\n\r\n",
            "503",
        ),
        (&"HTTP/1.1 100 Go on\r\n\r\n".repeat(1000), "100"),
        ("HTTP/1.1 500 Oh\r\nContent-Type: application/octet-stream\r\n\r\nbytes", "500"),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n\0\r\n\x07", "200"),
        (&long, &format!("502{cut}")),
    ] {
        assert_eq!(answered(answer).await, format!("no WebSocket with the server: it answered {words}"));
    }
    let garbage = answered("\x05\0\x01\0\0").await;
    assert_eq!(garbage, "no WebSocket with the server: what came is no WebSocket upgrade");
}

/// What a client says of a server that answers its request so, and holds the connection open.
async fn answered(answer: &str) -> String {
    let (near, mut far) = memory::pair(1024 * 1024);
    far.write_all(answer.as_bytes()).await.unwrap();
    let options = Client::<Hear, Ask>::options().websocket(WebSocket::new());
    within(options.connect_over(near)).await.unwrap_err().to_string()
}
