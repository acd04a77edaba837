//! What a client says when it gets no TLS: the cause, and what to do.

use std::process::{Command, Stdio};

use netcore::{Client, ClientTls, Door, Running, Server, Tls};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::certificates::{Certificate, Folder};
use crate::common::{Ask, Hear, session, within};

async fn serve(door: Door<Ask, Hear>) -> Running {
    Server::new().door(door).serve(session).await.unwrap()
}

async fn tls_error(running: &Running, tls: ClientTls) -> String {
    let address = format!("localhost:{}", running.addr().port());
    let error = within(Client::<Hear, Ask>::options().tls(tls).connect(address)).await.unwrap_err();
    error.to_string()
}

#[tokio::test]
async fn why_a_certificate_is_not_taken_is_said() {
    let certificate = Certificate::of(&["game.example", "192.0.2.7"]);
    let running = serve(Door::tcp("127.0.0.1:0").tls(certificate.server())).await;
    assert_eq!(
        tls_error(&running, certificate.client()).await,
        "no TLS with the server: its certificate is for game.example or 192.0.2.7, not for localhost: connect to it \
         by such a name, or set `ClientTls::server_name`"
    );
    assert_eq!(
        tls_error(&running, Certificate::of_somebody("somebody").client()).await,
        "no TLS with the server: none of the given roots vouches for its certificate (`ClientTls::with_roots_file`)"
    );
    assert_eq!(
        tls_error(&running, Certificate::new().client()).await,
        "no TLS with the server: the given root of that name has not signed its certificate, which may have been made \
         anew (`ClientTls::with_roots_file`)"
    );

    let authority = Certificate::of_authority();
    let running = serve(Door::tcp("127.0.0.1:0").tls(authority.server())).await;
    assert_eq!(
        tls_error(&running, authority.client()).await,
        "no TLS with the server: its certificate is that of an authority (CA), not of a server: make one as `Tls` shows"
    );

    let old = Certificate::of_year(1999);
    let running = serve(Door::tcp("127.0.0.1:0").tls(old.server())).await;
    assert_eq!(
        tls_error(&running, old.client()).await,
        "no TLS with the server: its certificate has expired: renew it, or set this machine's clock"
    );
}

#[tokio::test]
async fn a_certificate_of_many_odd_names_is_not_printed_whole() {
    let names: Vec<_> = (0..500).map(|n| format!("name-{n}.example")).collect();
    let certificate = Certificate::of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let running = serve(Door::tcp("127.0.0.1:0").tls(certificate.server())).await;
    let error = tls_error(&running, certificate.client()).await;
    assert!(error.contains("is for name-0.example or name-1.example or ") && error.len() < 400, "{error}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_said_to_be_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for (answer, words) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            "what it answered is no TLS: has that door TLS (`Door::tls`)?",
        ),
        (b"", "it closed the connection: has that door TLS (`Door::tls`)?"),
    ] {
        let answering = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
            stream
        };
        let tls = ClientTls::danger_accept_any_certificate();
        let connecting = Client::<Hear, Ask>::options().tls(tls).connect(address);
        let (client, _stream) = within(async { tokio::join!(connecting, answering) }).await;
        assert_eq!(client.unwrap_err().to_string(), format!("no TLS with the server: {words}"));
    }
}

/// As the documentation of [`Tls`] has it.
const MAKE: &str = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout key.pem -out cert.pem -subj /CN=localhost \
                    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE";

#[tokio::test]
async fn the_certificate_that_the_manual_makes_is_taken() {
    let manual = include_str!("../../src/runtime/transport/tls.rs");
    let manual: String = manual.lines().filter_map(|line| line.strip_prefix("/// ")).collect();
    assert!(manual.replace("\\    ", "").contains(MAKE), "the manual has another command");
    let folder = Folder::new();
    let mut words = MAKE.split(' ');
    let mut command = Command::new(words.next().unwrap());
    command
        .args(words)
        .current_dir(&folder.0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(status) = command.status() else { return };
    assert!(status.success());
    let (cert, key) = (folder.0.join("cert.pem"), folder.0.join("key.pem"));
    let running = serve(Door::tcp("127.0.0.1:0").tls(Tls::from_files(&cert, key).unwrap())).await;
    for host in ["localhost", "127.0.0.1"] {
        let options = Client::<Hear, Ask>::options().tls(ClientTls::with_roots_file(&cert).unwrap());
        options.connect(format!("{host}:{}", running.addr().port())).await.unwrap();
    }
}
