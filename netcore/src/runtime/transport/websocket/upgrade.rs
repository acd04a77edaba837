//! The server's side of the upgrade from HTTP, and what both sides of it read and write.

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, header};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tungstenite::error::{Error, ProtocolError};
use tungstenite::handshake::machine::TryParse;
use tungstenite::handshake::server::write_response;

use super::{WebSocket, WebSocketStream, in_words, refusal};
use crate::runtime::transport::reason;
use crate::session::{CloseReason, WebSocketFault};

/// An upgrade that did not come about: why, and what remains to be said to the peer.
pub(crate) struct NoUpgrade<S> {
    pub(crate) reason: CloseReason,
    pub(crate) words: Option<(S, BytesMut)>,
}

impl WebSocket {
    /// Takes a client's request and answers it.
    pub(crate) async fn accept<S>(&self, mut io: S) -> Result<WebSocketStream<S>, NoUpgrade<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if self.upgraded {
            return Ok(self.server_stream(io, Bytes::new()));
        }
        let mut bytes = BytesMut::new();
        let len = match read_head(&mut io, &mut bytes).await {
            Ok(len) => len,
            Err(Unread::Gone(reason)) => return Err(NoUpgrade { reason, words: None }),
            Err(Unread::TooLong) => {
                let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
                return Err(refuse(io, WebSocketFault::NotUpgrade, Some(status)));
            }
            Err(Unread::NotHttp) => {
                return Err(refuse(io, WebSocketFault::NotUpgrade, Some(StatusCode::BAD_REQUEST)));
            }
        };
        let head = bytes.split_to(len);
        let request = match Request::try_parse(&head) {
            Ok(Some((_, request))) => request,
            // HTTP all the same.
            Err(Error::Protocol(ProtocolError::WrongHttpMethod | ProtocolError::WrongHttpVersion)) => {
                return Err(refuse(io, WebSocketFault::NotUpgrade, None));
            }
            _ => return Err(refuse(io, WebSocketFault::NotUpgrade, Some(StatusCode::BAD_REQUEST))),
        };
        // RFC 9112 §3.2: "A server MUST respond with a 400" to a request without it, or with several.
        if request.headers().get_all(header::HOST).iter().count() != 1 {
            return Err(refuse(io, WebSocketFault::NotUpgrade, Some(StatusCode::BAD_REQUEST)));
        }
        let answer = match self.judge(&request) {
            Ok(answer) => answer,
            Err(fault) => return Err(refuse(io, fault, None)),
        };
        if let Err(error) = write(&mut io, &response_bytes(&answer)).await {
            return Err(NoUpgrade { reason: error, words: None });
        }
        Ok(self.server_stream(io, bytes.freeze()))
    }

    /// The answer to a request that is not even read, for which there is no room. `None`: HTTP is not spoken here.
    pub(crate) fn no_room(&self, reason: CloseReason) -> Option<BytesMut> {
        let answer = in_words(StatusCode::SERVICE_UNAVAILABLE, reason.to_string());
        (!self.upgraded).then(|| BytesMut::from(&*response_bytes(&answer)))
    }
}

fn refuse<S>(io: S, fault: WebSocketFault, status: Option<StatusCode>) -> NoUpgrade<S> {
    let words = response_bytes(&refusal(fault, status));
    NoUpgrade { reason: fault.into(), words: Some((io, BytesMut::from(&*words))) }
}

fn response_bytes(answer: &Response<String>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Its headers are ours, and a vector takes everything.
    let _ = write_response(&mut bytes, answer);
    bytes.extend_from_slice(answer.body().as_bytes());
    bytes
}

pub(super) async fn write(io: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), CloseReason> {
    io.write_all(bytes).await.map_err(|error| reason(&error))?;
    io.flush().await.map_err(|error| reason(&error))
}

/// Why there is no head of a request.
pub(super) enum Unread {
    Gone(CloseReason),
    TooLong,
    NotHttp,
}

/// Reads until the head of a request or an answer is whole; how long it is. It may be there already, and what came behind it
/// stays there, too.
pub(super) async fn read_head(
    io: &mut (impl AsyncRead + Unpin),
    bytes: &mut BytesMut,
) -> Result<usize, Unread> {
    let mut seen = 0;
    loop {
        // A packet's header, a TLS hello: known at once, where else nothing would be said until the deadline.
        if !bytes.iter().take(4).all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            return Err(Unread::NotHttp);
        }
        let from = usize::saturating_sub(seen, END.len() - 1);
        let end = bytes.get(from..).unwrap_or_default().windows(END.len()).position(|window| window == END);
        match end {
            Some(end) => return Ok(from + end + END.len()),
            None if bytes.len() >= MAX_REQUEST => return Err(Unread::TooLong),
            None => {}
        }
        seen = bytes.len();
        // Memory follows what came.
        bytes.reserve(512);
        match io.read_buf(bytes).await {
            Ok(0) => return Err(Unread::Gone(CloseReason::PeerClosed)),
            Ok(_) => {}
            Err(error) => return Err(Unread::Gone(reason(&error))),
        }
    }
}

const END: &[u8] = b"\r\n\r\n";
const MAX_REQUEST: usize = 8 * 1024;
