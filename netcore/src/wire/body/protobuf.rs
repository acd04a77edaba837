//! Protobuf bodies, by `prost`.

use bytes::BytesMut;
use prost::Message;

use super::{BodyError, Format, Reader};

/// Protobuf: any prost message is a body. A variant that carries one is a tuple variant.
///
/// `bytes` fields of type [`Bytes`](bytes::Bytes) share the read buffer; text and `Vec<u8>` are copied. prost itself
/// bounds the depth, at 100, and takes no length that the body cannot hold.
///
/// Behind the feature `protobuf-build`, `build::protobuf` compiles `.proto` files without `protoc` in a build script and
/// derives [`Describe`](crate::Describe) for their messages.
///
/// ```
/// use netcore::{Describe, Frame, Packet, Protobuf};
///
/// #[derive(Clone, PartialEq, prost::Message, Describe)]
/// struct Chat {
///     #[prost(uint64, tag = "1")]
///     user: u64,
///     #[prost(string, tag = "2")]
///     text: String,
/// }
///
/// #[derive(Packet, Debug, PartialEq)]
/// #[packet(format = Protobuf)]
/// enum FromServer {
///     #[packet(id = 733)]
///     Chat(Chat),
/// }
///
/// let packet = FromServer::Chat(Chat { user: 7, text: "hi".into() });
/// let frame = Frame::from_packet(&packet)?;
/// assert_eq!(&frame.body[..], b"\x08\x07\x12\x02hi");
/// assert_eq!(FromServer::from_frame(&frame)?, packet);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// An empty message in a list is two bytes of the body, and `size_of` that message in memory. Where a peer that is not trusted
/// sends lists, give the packet a `max`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Protobuf;

impl<T: Message + Default> Format<T> for Protobuf {
    const NAME: &'static str = "protobuf";

    #[inline]
    fn encode(value: &T, dst: &mut BytesMut) -> Result<(), BodyError> {
        value.encode(dst).map_err(BodyError::format)
    }

    #[inline]
    fn decode(body: &mut Reader<'_>) -> Result<T, BodyError> {
        // Not `T::decode`, whose `Result` would be one move more of a message that is small and new.
        let mut message = T::default();
        let merged = if body.is_shared() {
            let bytes = body.take_rest();
            message.merge(body.to_bytes(bytes))
        } else {
            message.merge(body.take_rest())
        };
        match merged {
            Ok(()) => Ok(message),
            Err(error) => Err(BodyError::format(error)),
        }
    }
}
