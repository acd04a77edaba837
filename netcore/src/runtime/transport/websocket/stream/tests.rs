use tokio::io::AsyncWriteExt;

use crate::WebSocket;

#[tokio::test]
async fn nothing_of_the_request_is_kept() {
    let (mut near, far) = crate::memory::pair(64 * 1024);
    let request = format!(
        "GET / HTTP/1.1\r\nHost: here\r\nCookie: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "x".repeat(5000)
    );
    near.write_all(request.as_bytes()).await.unwrap();
    let stream = WebSocket::new().accept(far).await.ok().unwrap();
    assert_eq!(stream.early.try_into_mut().map_or(0, |early| early.capacity()), 0);
}
