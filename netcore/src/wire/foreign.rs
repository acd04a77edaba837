//! Peers that speak another protocol, for who reads why a connection was closed.

/// What begins with the two bytes that were taken for a packet's size. Only said of a packet that did not come about: a size
/// that is good may be any number.
pub(super) fn begins(size: usize) -> &'static str {
    match u16::try_from(size).unwrap_or_default().to_le_bytes().as_slice() {
        b"GE" | b"HE" | b"PO" | b"PU" | b"PA" | b"DE" | b"OP" | b"CO" => ": an HTTP request begins so",
        // A handshake record, and the version's first byte.
        [0x16, 0x03] => ": a TLS hello begins so",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use crate::FrameCodec;

    /// What is said of bytes that begin so.
    fn said(bytes: &[u8]) -> String {
        let (mut codec, mut bytes) = (FrameCodec::new().max_in(512), BytesMut::from(bytes));
        let error = codec.decode_frame(&mut bytes).err().or_else(|| codec.finish(&bytes).err());
        error.unwrap().to_string()
    }

    #[test]
    fn what_begins_as_another_protocol_is_said_to() {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"] {
            let words = said(format!("{method} / HTTP/1.1\r\n\r\n").as_bytes());
            let end = "is over the limit of 512 bytes (`max_in`): an HTTP request begins so";
            assert!(words.starts_with("packet size ") && words.ends_with(end), "{words}");
        }
        let hello = b"\x16\x03\x01\x02\x00\x01";
        assert_eq!(
            said(hello),
            "packet size 790 is over the limit of 512 bytes (`max_in`): a TLS hello begins so"
        );
        let mut codec = FrameCodec::new();
        assert!(matches!(codec.decode_frame(&mut BytesMut::from(&hello[..])), Ok(None)));
        assert_eq!(
            codec.finish(hello).unwrap_err().to_string(),
            "the stream ended inside a packet: 6 of 790 bytes had come: a TLS hello begins so"
        );
    }

    #[test]
    fn of_all_else_nothing_is_said() {
        assert_eq!(said(b"\xff\x03\0\0\0"), "packet size 1023 is over the limit of 512 bytes (`max_in`)");
        assert_eq!(said(b"G"), "the stream ended inside a packet: 1 of 5 bytes had come");
        assert_eq!(said(b"\x03\0\0\0\0"), "packet size 3 is less than the 5 bytes of the header");
    }
}
