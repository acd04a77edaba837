//! The client's side of the upgrade from HTTP.

use std::time::Duration;

use bytes::BytesMut;
use http::{HeaderMap, Response, StatusCode, header};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::timeout;
use tungstenite::handshake::client::{Response as Answer, generate_key};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse;

use super::upgrade::{Unread, read_head, write};
use super::{WebSocket, WebSocketStream, has_token};
use crate::runtime::excerpt::excerpt;
use crate::session::{CloseReason, WebSocketFault};

/// Why a client has no WebSocket.
pub(crate) enum NoWebSocket {
    /// The connection ended, or what came is not what it should be.
    Reason(CloseReason),
    /// The server answered otherwise.
    Answer { status: u16, words: String },
}

impl WebSocket {
    /// Asks a server for a WebSocket.
    pub(crate) async fn request<S>(&self, mut io: S, host: &str) -> Result<WebSocketStream<S>, NoWebSocket>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let key = generate_key();
        let path = self.path.as_deref().unwrap_or("/");
        let host = self.host.as_deref().unwrap_or(host);
        let mut request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        );
        if let Some(protocol) = &self.protocol {
            request += &format!("Sec-WebSocket-Protocol: {protocol}\r\n");
        }
        request += "\r\n";
        write(&mut io, request.as_bytes()).await?;
        let mut bytes = BytesMut::new();
        let mut answer = read_answer(&mut io, &mut bytes).await?;
        // RFC 9110 §15.2: "a client MUST be able to parse one or more 1xx responses received prior to a final response".
        for _ in 0..INTERIM {
            if !answer.status().is_informational() || answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                break;
            }
            answer = read_answer(&mut io, &mut bytes).await?;
        }
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            let status = answer.status().as_u16();
            return Err(NoWebSocket::Answer { status, words: words(&mut io, answer.headers(), bytes).await });
        }
        self.check_answer(&answer, &key)?;
        Ok(WebSocketStream::client(io, bytes.freeze(), self.max_message, self.empty_frames))
    }

    /// RFC 6455 §4.1: what the client must look at.
    fn check_answer<B>(&self, answer: &Response<B>, key: &str) -> Result<(), WebSocketFault> {
        let headers = answer.headers();
        let upgraded = has_token(headers, header::UPGRADE, "websocket")
            && has_token(headers, header::CONNECTION, "upgrade")
            && headers
                .get(header::SEC_WEBSOCKET_ACCEPT)
                .is_some_and(|accept| accept.as_bytes() == derive_accept_key(key.as_bytes()).as_bytes());
        if !upgraded {
            return Err(WebSocketFault::NotUpgrade);
        }
        let spoken = headers.get(header::SEC_WEBSOCKET_PROTOCOL).map(|value| value.as_bytes());
        if spoken != self.protocol.as_deref().map(str::as_bytes) {
            return Err(WebSocketFault::Protocol);
        }
        // "an extension that was not present in the client's handshake": none was.
        if headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
            return Err(WebSocketFault::Broken);
        }
        Ok(())
    }
}

/// Reads the head of one answer. What came behind it stays in `bytes`.
async fn read_answer(io: &mut (impl AsyncRead + Unpin), bytes: &mut BytesMut) -> Result<Answer, CloseReason> {
    let len = read_head(io, bytes).await.map_err(|unread| match unread {
        Unread::Gone(reason) => reason,
        Unread::TooLong | Unread::NotHttp => WebSocketFault::NotUpgrade.into(),
    })?;
    let head = bytes.split_to(len);
    match Answer::try_parse(&head) {
        Ok(Some((_, answer))) => Ok(answer),
        _ => Err(WebSocketFault::NotUpgrade.into()),
    }
}

/// The first words of an answer's body, if it is text. Those that do not come within a second are not waited for.
async fn words(io: &mut (impl AsyncRead + Unpin), headers: &HeaderMap, mut body: BytesMut) -> String {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_text = value(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/"));
    if !is_text || headers.contains_key(header::TRANSFER_ENCODING) {
        return String::new();
    }
    let len = value(header::CONTENT_LENGTH).and_then(|len| len.parse().ok()).unwrap_or(MAX_WORDS);
    let most = MAX_WORDS.min(len);
    let reading =
        async { while body.len() < most && io.read_buf(&mut body).await.is_ok_and(|read| read > 0) {} };
    let _ = timeout(Duration::from_secs(1), reading).await;
    body.truncate(most);
    excerpt(&body, LETTERS)
}

impl From<CloseReason> for NoWebSocket {
    fn from(reason: CloseReason) -> Self {
        Self::Reason(reason)
    }
}

impl From<WebSocketFault> for NoWebSocket {
    fn from(fault: WebSocketFault) -> Self {
        Self::Reason(fault.into())
    }
}

/// So many answers may come before the one that counts.
const INTERIM: usize = 8;
/// So many bytes of a body are read, and so many letters of them shown.
const MAX_WORDS: usize = 512;
const LETTERS: usize = 100;
