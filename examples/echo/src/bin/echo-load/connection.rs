//! One connection: sends and receives at once, and compares.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use netcore::{CodecError, FrameCodec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::{timeout, timeout_at};

use crate::flags::Flags;
use crate::flight::Flight;
use crate::pace::Pace;
use crate::packets::{Packets, describe};
use crate::report::Tally;

/// What one connection needs to know.
pub(crate) struct Connection {
    pub(crate) number: u32,
    pub(crate) flags: Arc<Flags>,
    pub(crate) packets: Packets,
    pub(crate) start: Instant,
    pub(crate) pace: Option<Pace>,
    pub(crate) tally: Arc<Tally>,
}

/// A sentence.
type Failure = String;

impl Connection {
    /// Sends and receives everything, then expects the server to close after it.
    pub(crate) async fn run(self, mut stream: TcpStream) -> Result<(), Failure> {
        let outcome = self.exchange(&mut stream).await;
        match self.flags.connections {
            1 => outcome,
            _ => outcome.map_err(|sentence| format!("connection {}: {sentence}", self.number)),
        }
    }

    async fn exchange(&self, stream: &mut TcpStream) -> Result<(), Failure> {
        let (mut reader, mut writer) = stream.split();
        let flight = Flight::new(self.flags.window());
        // At once: a sender that waits for its answers to be read would wait for ever when the window is large.
        tokio::try_join!(self.send(&flight, &mut writer), self.receive(&flight, &mut reader))?;
        let ended = async {
            writer.shutdown().await?;
            reader.read(&mut [0]).await
        };
        match timeout(self.flags.timeout(), ended).await {
            Ok(Ok(0)) => Ok(()),
            Ok(Ok(_)) => Err(SURPLUS.into()),
            Ok(Err(error)) => Err(format!("the connection broke after the last answer: {error}")),
            Err(_) => Err(format!(
                "the server did not close within {} ms of the end of the stream",
                self.flags.timeout_ms
            )),
        }
    }

    async fn send(&self, flight: &Flight, writer: &mut WriteHalf<'_>) -> Result<(), Failure> {
        let codec = FrameCodec::new();
        let share = self.flags.share(self.number);
        let end = self.flags.duration.map(|time| self.start + time);
        let mut output = BytesMut::new();
        for index in 0.. {
            let last = share == Some(index);
            // What can be sent now goes out together, and before anything is waited for.
            let waits = !flight.has_room() || self.pace.as_ref().is_some_and(|pace| !pace.is_due());
            if last || waits || output.len() >= WRITE_CHUNK {
                let written = writer.write_all(&output).await;
                written.map_err(|error| format!("the connection broke at packet {index}: {error}"))?;
                output.clear();
            }
            if last {
                break;
            }
            let due = match &self.pace {
                Some(pace) => Some(pace.wait(index).await),
                None => None,
            };
            flight.wait_for_room().await;
            // The clock of a packet that is not sent by the clock starts only here.
            let at = due.unwrap_or_else(Instant::now);
            if end.is_some_and(|end| at >= end) {
                let written = writer.write_all(&output).await;
                written.map_err(|error| format!("the connection broke at packet {index}: {error}"))?;
                break;
            }
            flight.departs(at);
            codec
                .encode_frame(&self.packets.packet(index), &mut output)
                .map_err(|error| error.to_string())?;
        }
        flight.ends();
        Ok(())
    }

    async fn receive(&self, flight: &Flight, reader: &mut ReadHalf<'_>) -> Result<(), Failure> {
        let mut codec = FrameCodec::new();
        let mut input = BytesMut::new();
        let (mut index, mut heard, mut over) = (0, Instant::now(), false);
        let mut latencies = Vec::new();
        while !over || flight.first().is_some() {
            input.reserve(READ_CHUNK);
            let broke =
                |error: CodecError| format!("the connection broke, waiting for packet {index}: {error}");
            let read = tokio::select! {
                biased;
                read = timeout_at(self.deadline(flight, heard), reader.read_buf(&mut input)) => read,
                () = flight.ended(), if !over => {
                    over = true;
                    continue;
                }
            };
            let now = Instant::now();
            let Ok(read) = read else {
                if self.deadline(flight, heard) <= now.into() {
                    return Err(format!("no answer to packet {index} within {} ms", self.flags.timeout_ms));
                }
                continue;
            };
            if read.map_err(|error| broke(error.into()))? == 0 {
                codec.finish(&input).map_err(|error| broke(error.into()))?;
                return Err(format!("the server closed the connection before it answered packet {index}"));
            }
            heard = now;
            for answer in codec.batch(&mut input) {
                let answer =
                    answer.map_err(|error| format!("after packet {index} the answers go wrong: {error}"))?;
                let Some(sent) = flight.arrives() else {
                    return Err(format!("{SURPLUS}: {}", describe(&answer)));
                };
                let packet = self.packets.packet(index);
                if answer != packet {
                    let (came, went) = (describe(&answer), describe(&packet));
                    return Err(format!("packet {index} came back wrong: sent {went}, received {came}"));
                }
                // Sent before it was due it was not: it is late or in time.
                latencies.push(now.saturating_duration_since(sent));
                index += 1;
            }
            flight.landed(latencies.len());
            self.tally.add(&mut latencies, now - self.start);
        }
        if input.is_empty() { Ok(()) } else { Err(SURPLUS.into()) }
    }

    /// Until when the next answer must have come. While none is due, it moves on.
    fn deadline(&self, flight: &Flight, heard: Instant) -> tokio::time::Instant {
        let since = flight.first().map_or_else(Instant::now, |first| first.max(heard));
        (since + self.flags.timeout().max(Duration::from_millis(1))).into()
    }
}

const SURPLUS: &str = "the server sent more than it was sent";
/// The least room for one read.
const READ_CHUNK: usize = 16 * 1024;
/// A burst of packets is written once it has this many bytes.
const WRITE_CHUNK: usize = 64 * 1024;
