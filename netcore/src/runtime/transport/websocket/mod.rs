//! WebSocket: a door that browsers can reach, and a client for it.

#[cfg(feature = "testing")]
mod check;
mod frames;
mod messages;
mod request;
mod stream;
mod upgrade;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use tokio::io::{AsyncRead, AsyncWrite};
use tungstenite::error::{Error, ProtocolError};
use tungstenite::handshake::server::create_response_with_body;

#[cfg(feature = "testing")]
pub(crate) use self::check::{Pieces, frames_in_pieces};
pub(crate) use self::request::NoWebSocket;
pub(crate) use self::stream::WebSocketStream;
pub(crate) use self::upgrade::NoUpgrade;
use crate::session::{CloseReason, Rate, WebSocketFault};

/// How WebSocket is spoken on a [`Door`](crate::Door::websocket) or by a [client](crate::ClientOptions::websocket).
///
/// ```
/// use netcore::{Door, Frame, WebSocket};
///
/// let door: Door<Frame, Frame> = Door::tcp("127.0.0.1:8080")
///     .websocket(WebSocket::new().path("/game").origins(["https://game.example"]));
/// ```
///
/// Packets go in binary messages, of which a message may hold one, several or a part of one: they are parts of one
/// stream, and each write of a session becomes one message. In a page:
///
/// ```js
/// const socket = new WebSocket('wss://game.example/game');
/// socket.binaryType = 'arraybuffer';
/// socket.send(new Uint8Array([0x05, 0x00, 0x01, 0x00, 0x00]));   // packet 1 without a body
/// socket.onclose = (event) => console.log(event.code, event.reason);
/// ```
///
/// A text message closes, as does what the table bounds. The close frame has 4000 and the reason's
/// [code](crate::CloseReason::code) as its code (4999 for a game's own from 1,000 on) and the reason in words, of which 123
/// bytes have room; also where a [hello](crate::Door::hello) fails. After the peer's close frame nothing more is sent to it:
/// a WebSocket has no half that stays open. Pings are answered, and say nothing to the session: a bot whose library keeps
/// the line alive by them is closed as [`idle`](crate::Limits::idle) where that is set, or a heartbeat is. What is no
/// upgrade is answered in HTTP and in words.
///
/// | setting | default | bounds |
/// |---|---|---|
/// | [`path`](Self::path) | any; a client asks for `/` | |
/// | [`origins`](Self::origins) | any | |
/// | [`protocol`](Self::protocol) | none | |
/// | [`max_message`](Self::max_message) | 1 MiB | a message, which is never held whole |
/// | [`empty_frames`](Self::empty_frames) | 20 a second, 100 at once | pings and other frames without data |
///
/// The request, or the answer to it, may have 8 KiB. Extensions (compression) are not offered.
#[derive(Clone, Debug)]
pub struct WebSocket {
    path: Option<String>,
    origins: Option<Vec<String>>,
    protocol: Option<String>,
    host: Option<String>,
    max_message: u64,
    empty_frames: Option<Rate>,
    upgraded: bool,
}

impl WebSocket {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            path: None,
            origins: None,
            protocol: None,
            host: None,
            max_message: 1024 * 1024,
            empty_frames: Some(Rate::per_second(20).burst(100)),
            upgraded: false,
        }
    }

    /// The path that a request must have, without a query, or that a client asks for.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Pages of which origins may connect (`https://game.example`), where a browser says which. Whoever is not a browser
    /// says nothing or what it likes, so that this is no log-in: it keeps other people's pages from using a visitor's
    /// cookies or network.
    #[must_use]
    pub fn origins<I>(mut self, origins: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.origins = Some(origins.into_iter().map(Into::into).collect());
        self
    }

    /// The `Sec-WebSocket-Protocol` that is spoken: a client that does not offer it is refused.
    #[must_use]
    pub fn protocol(mut self, protocol: impl Into<String>) -> Self {
        self.protocol = Some(protocol.into());
        self
    }

    /// The `Host` that a client asks for, where several share an address. Unless set, its TLS server name, or else the
    /// address that it was told to connect to.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// The longest message that may come, in bytes, all its frames together. netcore's own sides send messages of up to
    /// 64 KiB, in which they join packets.
    #[must_use]
    pub fn max_message(mut self, bytes: u64) -> Self {
        self.max_message = bytes;
        self
    }

    /// How many frames without data may come: pings, pongs, empty messages. Each ping wants an answer, and the session's
    /// own rates do not see them. What the rate says of those over it does not matter: they close. `None`: any number.
    #[must_use]
    pub fn empty_frames(mut self, rate: impl Into<Option<Rate>>) -> Self {
        self.empty_frames = rate.into();
        self
    }

    /// The upgrade was done by somebody else: an HTTP server that has [answered](Self::answer) the request hands in the
    /// streams, at a [`Door::incoming`](crate::Door::incoming).
    #[must_use]
    pub fn upgraded(mut self) -> Self {
        self.upgraded = true;
        self
    }

    /// The answer to a request, for HTTP servers that do the upgrade themselves: with the status 101 the stream below is
    /// a WebSocket from then on, any other says why it is not.
    ///
    /// ```
    /// use netcore::WebSocket;
    ///
    /// let request = http::Request::get("/game")
    ///     .header("Connection", "Upgrade")
    ///     .header("Upgrade", "websocket")
    ///     .header("Sec-WebSocket-Version", "13")
    ///     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    ///     .body(())
    ///     .unwrap();
    /// let answer = WebSocket::new().path("/game").answer(&request);
    /// assert_eq!(answer.status(), 101);
    /// assert_eq!(answer.headers()["Sec-WebSocket-Accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    /// assert_eq!(WebSocket::new().path("/other").answer(&request).status(), 404);
    /// ```
    #[must_use]
    pub fn answer<B>(&self, request: &Request<B>) -> Response<String> {
        self.judge(request).unwrap_or_else(|fault| refusal(fault, None))
    }

    fn judge<B>(&self, request: &Request<B>) -> Result<Response<String>, WebSocketFault> {
        let mut asked = Request::new(());
        (*asked.method_mut(), *asked.version_mut()) = (request.method().clone(), request.version());
        *asked.headers_mut() = request.headers().clone();
        if has_token(request.headers(), header::CONNECTION, "upgrade") {
            // RFC 9110 §5.3: a list may come in several lines, of which tungstenite looks at the first.
            asked.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        }
        let mut answer = create_response_with_body(&asked, String::new).map_err(|error| match error {
            Error::Protocol(ProtocolError::InvalidSecWebSocketKey) => WebSocketFault::Broken,
            _ => WebSocketFault::NotUpgrade,
        })?;
        if self.path.as_ref().is_some_and(|path| path != request.uri().path()) {
            return Err(WebSocketFault::Path);
        }
        let headers = request.headers();
        if let (Some(allowed), Some(origin)) = (&self.origins, headers.get(header::ORIGIN)) {
            let origin = origin.to_str().unwrap_or_default();
            if !allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
                return Err(WebSocketFault::Origin);
            }
        }
        if let Some(protocol) = &self.protocol {
            let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
            let mut offers =
                offers.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
            let value =
                HeaderValue::from_str(protocol).ok().filter(|_| offers.any(|offer| offer.trim() == protocol));
            let value = value.ok_or(WebSocketFault::Protocol)?;
            answer.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, value);
        }
        Ok(answer)
    }

    fn server_stream<S: AsyncRead + AsyncWrite + Unpin>(&self, io: S, early: Bytes) -> WebSocketStream<S> {
        WebSocketStream::server(io, early, self.max_message, self.empty_frames)
    }
}

impl Default for WebSocket {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a list in a header, in however many lines, has that word.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}

/// The answer to a request that is refused, in words.
fn refusal(fault: WebSocketFault, status: Option<StatusCode>) -> Response<String> {
    let status = status.unwrap_or(match fault {
        WebSocketFault::NotUpgrade => StatusCode::UPGRADE_REQUIRED,
        WebSocketFault::Path => StatusCode::NOT_FOUND,
        WebSocketFault::Origin => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    });
    let words = match status {
        StatusCode::UPGRADE_REQUIRED => "this is a WebSocket: connect to it with ws:// or wss://".to_owned(),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "the request is too long".to_owned(),
        _ => fault.to_string(),
    };
    let mut answer = in_words(status, words);
    let headers = answer.headers_mut();
    if status == StatusCode::UPGRADE_REQUIRED {
        // RFC 9110 §15.5.22: "The server MUST send an Upgrade header field in a 426 response".
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        // RFC 6455 §4.2.2: where the version is not understood, the answer says which ones are.
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade, close"));
    }
    answer
}

/// The last answer of a connection.
fn in_words(status: StatusCode, words: String) -> Response<String> {
    let len = words.len() + 1;
    let mut answer = Response::new(words + "\n");
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// A reason as a close code: 4000 and its number. The game's own codes of 1,000 and more have no place there.
fn close_code(reason: CloseReason) -> u16 {
    match reason.code() {
        code @ 0..=999 => 4000 + code,
        _ => 4999,
    }
}
