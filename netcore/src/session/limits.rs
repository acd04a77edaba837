//! What one session may cost.

use std::time::Duration;

use super::{Heartbeat, Rate};

/// The bounds of one session: how long, how fast, how much. Each has a default that suits a game on the open internet.
///
/// ```
/// use std::time::Duration;
/// use netcore::{Limits, Over, Rate};
///
/// let limits = Limits::new()
///     .login(Duration::from_secs(60))
///     .packets(Rate::per_second(100).over(Over::Drop))
///     .queue(64 * 1024);
/// ```
///
/// | setting | default | bounds |
/// |---|---|---|
/// | [`first_packet`](Self::first_packet) | 60 s; off on text doors and clients | connecting → the first whole packet |
/// | [`login`](Self::login) | off | connecting → the game's `admit` |
/// | [`admission`](Self::admission) | 64 KiB, 256 packets | what may come before `admit`, where `login` is on |
/// | [`unfinished`](Self::unfinished) | 10 s; off on text doors | a packet's first byte → its last |
/// | [`idle`](Self::idle) | off; with a heartbeat 45 s, or three beats if that is longer | silence from the peer |
/// | [`heartbeat`](Self::heartbeat) | off | |
/// | [`packets`](Self::packets), [`bytes`](Self::bytes), [`tiny`](Self::tiny) | off | a second |
/// | [`queue`](Self::queue) | 256 KiB | what waits for the peer |
/// | [`stall`](Self::stall) | 5 s | while something waits: no byte went out |
/// | [`inbox`](Self::inbox), [`inbox_bytes`](Self::inbox_bytes) | 1,024 packets, 256 KiB | what waits for the game |
/// | [`backpressure`](Self::backpressure) | off | |
/// | [`read_chunk`](Self::read_chunk) | 64 KiB | one read |
/// | [`flush`](Self::flush) | 10 s | after our close: sending what is queued |
/// | [`linger`](Self::linger) | 1 s | after our close: discarding input, for the last answer to arrive |
///
/// Limits within which no session could do what it is for, a [`queue`](Self::queue) of 0 say, are refused when the server
/// starts or the client connects ([`LimitsError`](crate::LimitsError)).
#[derive(Clone, Debug)]
pub struct Limits {
    pub(crate) first_packet: Option<Duration>,
    pub(crate) login: Option<Duration>,
    pub(crate) admission: (u32, u32),
    pub(crate) unfinished: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) heartbeat: Option<Heartbeat>,
    pub(crate) packets: Option<Rate>,
    pub(crate) bytes: Option<Rate>,
    pub(crate) tiny: Option<(u16, Rate)>,
    pub(crate) queue: usize,
    pub(crate) stall: Duration,
    pub(crate) inbox: usize,
    pub(crate) inbox_bytes: usize,
    pub(crate) backpressure: bool,
    pub(crate) read_chunk: usize,
    pub(crate) flush: Duration,
    pub(crate) linger: Duration,
    // Whether these two were set: doors for people who type, and clients, have defaults of their own.
    set_first_packet: bool,
    set_unfinished: bool,
}

impl Limits {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first_packet: Some(Duration::from_secs(60)),
            login: None,
            admission: (64 * 1024, 256),
            unfinished: Some(Duration::from_secs(10)),
            idle: None,
            heartbeat: None,
            packets: None,
            bytes: None,
            tiny: None,
            queue: 256 * 1024,
            stall: Duration::from_secs(5),
            inbox: 1024,
            inbox_bytes: 256 * 1024,
            backpressure: false,
            read_chunk: 64 * 1024,
            flush: Duration::from_secs(10),
            linger: Duration::from_secs(1),
            set_first_packet: false,
            set_unfinished: false,
        }
    }

    /// How long a peer may take to send its first whole packet; `None` for ever. Where people type, it is best off.
    #[must_use]
    pub fn first_packet(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.first_packet = time.into();
        self.set_first_packet = true;
        self
    }

    /// How long after connecting the game must have admitted the session; `None`: it is admitted by itself.
    ///
    /// Then the session closes. Where the game is busy with the log-in it has a [`linger`](Self::linger) to hear of that and to
    /// say something; behind it, or behind what it has said, comes the door's [close notice](crate::Door::close_notice), and
    /// what the game says later does not go out. A peer that has closed its side meanwhile, or was closed, is not kept for
    /// longer either. As all clocks of a peer this one stands still while it is not read from, because it has sent more than
    /// the game has room for: a look into a log-in that may hang needs a time of its own.
    #[must_use]
    pub fn login(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.login = time.into();
        self
    }

    /// The most bytes and packets that a session may send before it is admitted: also what it sends while the game looks into
    /// its log-in. What is read together with the last bytes within the bound is still handled before the session closes.
    #[must_use]
    pub const fn admission(mut self, bytes: u32, packets: u32) -> Self {
        self.admission = (bytes, packets);
        self
    }

    /// How long a packet may take from its first byte to its last; `None` for ever. It bounds what a half-sent packet
    /// costs: 65,535 bytes in 10 s need 6.4 KB/s. Under TLS a packet's first byte is known once its record is whole: half a
    /// record, 16 KiB at most, has [`idle`](Self::idle) alone.
    #[must_use]
    pub fn unfinished(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.unfinished = time.into();
        self.set_unfinished = true;
        self
    }

    /// How long a peer may be silent, without a byte of a packet: a WebSocket's pings alone are silence. Off where there is no heartbeat to break the silence, unless it is set; dead
    /// connections are then found by TCP keep-alive.
    #[must_use]
    pub fn idle(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.idle = time.into();
        self
    }

    /// Sends a packet after a silence of the peer, which answers it, so that a dead peer is found. Its client must have the
    /// [`Heartbeat`] on, too.
    #[must_use]
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.heartbeat = Some(heartbeat);
        self
    }

    /// Packets a second.
    #[must_use]
    pub fn packets(mut self, rate: impl Into<Option<Rate>>) -> Self {
        self.packets = rate.into();
        self
    }

    /// Bytes a second, headers included. A packet passes whole or not at all: one with more bytes than the rate's
    /// [burst](Rate::burst) never does, and small ones behind it are not dropped for it.
    #[must_use]
    pub fn bytes(mut self, rate: impl Into<Option<Rate>>) -> Self {
        self.bytes = rate.into();
        self
    }

    /// Packets of fewer than `under` bytes a second, header (or line end) included. Handling a packet costs much the
    /// same whatever its size, so a rate of bytes alone does not bound the work.
    #[must_use]
    pub const fn tiny(mut self, under: u16, rate: Rate) -> Self {
        self.tiny = Some((under, rate));
        self
    }

    /// The most bytes that wait for the peer. Above it, what to drop is decided by [`Slow`](crate::Slow).
    #[must_use]
    pub const fn queue(mut self, bytes: usize) -> Self {
        self.queue = bytes;
        self
    }

    /// How long bytes may wait without one of them going out.
    #[must_use]
    pub const fn stall(mut self, time: Duration) -> Self {
        self.stall = time;
        self
    }

    /// The most packets that wait for the game. Above it the socket is not read, and the session's clocks stand still.
    #[must_use]
    pub const fn inbox(mut self, packets: usize) -> Self {
        self.inbox = if packets == 0 { 1 } else { packets };
        self
    }

    /// The most bytes of packets that wait for the game, as they were on the wire; otherwise as [`inbox`](Self::inbox).
    /// Few packets may be large ones.
    #[must_use]
    pub const fn inbox_bytes(mut self, bytes: usize) -> Self {
        self.inbox_bytes = if bytes == 0 { 1 } else { bytes };
        self
    }

    /// Whether a peer that does not read is not read from either, while more than half of its [`queue`](Self::queue) is
    /// taken. Its own clocks stand still then, that of [`stall`](Self::stall) runs on.
    ///
    /// For a [`Logic`](crate::Logic) that answers each request: a peer that sends far ahead waits for its answers, where
    /// else it would be closed for a full queue. What has been read is answered all the same, so half of the queue must
    /// have room for the answers to two times `inbox_bytes`, [`read_chunk`](Self::read_chunk) and one packet. Not where
    /// peers hear much that they did not ask for: they could not speak while they lag. With a task a session,
    /// [`send_wait`](crate::Connection::send_wait) does the same without this.
    #[must_use]
    pub const fn backpressure(mut self, on: bool) -> Self {
        self.backpressure = on;
        self
    }

    /// The most bytes that one read takes: 512 at least, 1 MiB at most. Read buffers are the threads', not the sessions';
    /// but a packet's `Bytes` keep alive what came in the same read, in memory at most four times as large; in up to 32 KiB
    /// more, where the packet itself came in pieces.
    #[must_use]
    pub const fn read_chunk(mut self, bytes: usize) -> Self {
        self.read_chunk = match bytes {
            0..512 => 512,
            512..=MOST_READ => bytes,
            _ => MOST_READ,
        };
        self
    }

    /// How long what is queued may take to go out after we closed: a peer that takes a byte now and then would else keep its
    /// place for hours. What has not gone out then is thrown away, and the close keeps its reason
    /// ([`closes_cut`](crate::Snapshot::closes_cut)).
    #[must_use]
    pub const fn flush(mut self, time: Duration) -> Self {
        self.flush = time;
        self
    }

    /// How long input is discarded after we closed, so that no reset destroys the last answer.
    #[must_use]
    pub const fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }

    /// For clients: a server may be silent at first, unless it was set, and does not log in.
    pub(crate) const fn of_clients(mut self) -> Self {
        self.login = None;
        self.silent_at_first()
    }

    const fn silent_at_first(mut self) -> Self {
        if !self.set_first_packet {
            self.first_packet = None;
        }
        self
    }

    /// For people who type, as far as they were not set.
    pub(crate) const fn of_people(mut self) -> Self {
        if !self.set_unfinished {
            self.unfinished = None;
        }
        self.silent_at_first()
    }

    pub(crate) fn idle_time(&self) -> Option<Duration> {
        let beaten = |heartbeat: &Heartbeat| heartbeat.every.saturating_mul(3).max(Duration::from_secs(45));
        self.idle.or(self.heartbeat.as_ref().map(beaten))
    }
}

const MOST_READ: usize = 1024 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
