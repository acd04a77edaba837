//! Who says what to whom. No byte is read that is not the hello's own: behind it the session begins.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::messages::{
    DIFFERENT, Gather, HELLO, MAX_PACKET, Prints, SCHEMAS, Schemas, WELCOME, put_front, put_prints,
    put_schemas, read_header, read_prints, read_welcome, schemas,
};
use super::mismatch::{Mismatch, Side};
use super::{Hello, HelloError};
use crate::session::HelloFault;
use crate::{Header, PacketId};

/// The server's side: hears the client's hello and answers. Has no deadline of its own, and is not cancel-safe: dropped, the
/// stream is of no use any more.
///
/// # Errors
/// When the two do not speak of the same packets, or what came is no hello. The client was told then, if it can be.
pub(crate) async fn server<S>(stream: &mut S, hello: &Hello) -> Result<(), HelloError>
where
    S: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    let mut packet = Packet::new();
    let (id, body) = packet.read(stream, &[hello.id(HELLO)]).await?;
    let mut answer = Vec::new();
    let theirs = match read_prints(id, body) {
        Ok(prints) => prints,
        Err(fault) => {
            if let HelloFault::Protocol(_) = fault {
                put_front(&mut answer, hello.id(DIFFERENT));
                write(stream, &answer).await?;
            }
            return Err(fault.into());
        }
    };
    let ours = hello.prints;
    if ours.fit(theirs) {
        put_front(&mut answer, hello.id(WELCOME));
        return write(stream, &answer).await;
    }
    put_prints(&mut answer, hello.id(DIFFERENT), ours);
    put_schemas(&mut answer, hello.id(SCHEMAS), &different(hello, theirs));
    write(stream, &answer).await?;
    let said = gather(stream, hello).await?;
    Err(Mismatch::new(Side::Server, hello, theirs, said).into())
}

/// The client's side: says hello and hears the answer. Otherwise as [`server`].
///
/// # Errors
/// As [`server`].
pub(crate) async fn client<S>(stream: &mut S, hello: &Hello) -> Result<(), HelloError>
where
    S: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    let mut out = Vec::new();
    put_prints(&mut out, hello.id(HELLO), hello.prints);
    write(stream, &out).await?;
    let mut packet = Packet::new();
    let (id, body) = packet.read(stream, &[hello.id(WELCOME), hello.id(DIFFERENT)]).await?;
    if id == hello.id(WELCOME) {
        return Ok(read_welcome(id, body)?);
    }
    let theirs = read_prints(id, body)?;
    let said = gather(stream, hello).await?;
    // Whether the server still hears it changes nothing here.
    out.clear();
    put_schemas(&mut out, hello.id(SCHEMAS), &different(hello, theirs));
    let _ = write(stream, &out).await;
    Err(Mismatch::new(Side::Client, hello, theirs, said).into())
}

/// Our schemas, as far as the other side's are others.
fn different(hello: &Hello, theirs: Prints) -> Vec<u8> {
    let ours = hello.prints;
    let sends = (ours.sends != theirs.receives).then_some(hello.sends);
    let receives = (ours.receives != theirs.sends).then_some(hello.receives);
    schemas(sends, receives)
}

/// The other side's schemas; none where it closes the connection instead. That they differ is known, and only where is not.
async fn gather<S>(stream: &mut S, hello: &Hello) -> Result<Schemas, HelloError>
where
    S: AsyncRead + Unpin + ?Sized,
{
    let (mut packet, mut gather) = (Packet::new(), Gather::default());
    loop {
        let (id, part) = match packet.read(stream, &[hello.id(SCHEMAS)]).await {
            Ok(part) => part,
            Err(HelloError::Closed | HelloError::Io(_)) => return Ok(Schemas::default()),
            Err(error) => return Err(error),
        };
        if let Some(schemas) = gather.add(id, part)? {
            return Ok(schemas);
        }
    }
}

async fn write<S>(stream: &mut S, bytes: &[u8]) -> Result<(), HelloError>
where
    S: AsyncWrite + Unpin + ?Sized,
{
    stream.write_all(bytes).await?;
    Ok(stream.flush().await?)
}

/// Room for one packet of the hello.
struct Packet([u8; MAX_PACKET]);

impl Packet {
    const fn new() -> Self {
        Self([0; MAX_PACKET])
    }

    /// Reads one packet, whose id must be one of those: its header, then what that says.
    async fn read<S>(&mut self, stream: &mut S, ids: &[PacketId]) -> Result<(PacketId, &[u8]), HelloError>
    where
        S: AsyncRead + Unpin + ?Sized,
    {
        let mut head = [0; Header::LEN];
        stream.read_exact(&mut head).await?;
        let header = read_header(head, ids)?;
        let body = self.0.get_mut(..header.body_len()).unwrap_or_default();
        stream.read_exact(body).await?;
        Ok((header.id, body))
    }
}
