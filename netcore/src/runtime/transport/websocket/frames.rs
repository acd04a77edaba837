//! WebSocket frames out of a stream of bytes, and the heads of those that go out: RFC 6455 §5.

use crate::session::WebSocketFault;

/// Takes frames off a stream, however it is cut, and leaves their payload: what a message holds is a part of one stream,
/// so that neither a frame nor a message need ever be whole in memory.
///
/// ```text
///  +0  1  last frame of its message (0x80), three bits that must be 0, what it is (low half)
///  +1  1  masked (0x80), length: 0 to 125; 126: in the next two bytes; 127: in the next eight, big-endian
///  +2  0, 2 or 8
///      0 or 4  mask, if it is masked
///      the payload, each byte XORed with the mask's next
/// ```
#[derive(Debug)]
pub(crate) struct Frames {
    // Whose frames these are: a client masks, a server does not.
    from_client: bool,
    max_message: u64,
    // The head that is not whole.
    head: [u8; MAX_HEAD],
    head_len: usize,
    // The frame under way: what of its payload has not come, its mask from there on.
    left: u64,
    mask: [u8; 4],
    kind: Kind,
    is_last: bool,
    is_empty: bool,
    // The data message under way, if one was begun and not ended: how long it is so far.
    message: Option<u64>,
    control: Control,
    // Nothing is passed on any more, frames are only followed to find the one that closes.
    deaf: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Data,
    Close,
    Ping,
    Pong,
}

/// A control frame's payload: "a payload length of 125 bytes or less" (§5.5).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Control {
    bytes: [u8; MAX_CONTROL],
    len: usize,
}

/// What came besides data.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The last ping. "An endpoint MAY elect to send a Pong frame for only the most recently processed Ping" (§5.5.3).
    pub(crate) ping: Option<Control>,
    /// The peer closes, with that code if it says one. Nothing behind it was looked at.
    pub(crate) close: Option<Option<u16>>,
    /// Frames that carried no data.
    pub(crate) empty: u32,
}

impl Frames {
    pub(crate) fn new(from_client: bool, max_message: u64) -> Self {
        Self {
            from_client,
            max_message,
            head: [0; MAX_HEAD],
            head_len: 0,
            left: 0,
            mask: [0; 4],
            kind: Kind::Data,
            is_last: true,
            is_empty: true,
            message: None,
            control: Control::EMPTY,
            deaf: false,
        }
    }

    /// Passes nothing on any more.
    pub(crate) fn ignore(&mut self) {
        self.deaf = true;
    }

    /// Whether a frame has begun and not ended.
    pub(crate) fn is_partial(&self) -> bool {
        self.head_len > 0 || self.left > 0
    }

    /// Takes what came, in place: leaves the payload of data frames at the front of `bytes`, and says how long it is.
    ///
    /// # Errors
    /// When the peer did what it must not. The payload before that is there all the same; after
    /// [`Broken`](WebSocketFault::Broken) the stream means nothing any more, after the others [`ignore`](Self::ignore)
    /// lets it be followed.
    pub(crate) fn decode(
        &mut self,
        bytes: &mut [u8],
        found: &mut Found,
    ) -> (usize, Result<(), WebSocketFault>) {
        let (mut from, mut to) = (0, 0);
        let mut fault = Ok(());
        while from < bytes.len() && found.close.is_none() {
            if self.left > 0 {
                let len = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - from);
                let payload = bytes.get_mut(from..from + len).unwrap_or_default();
                if self.from_client {
                    unmask(payload, &mut self.mask);
                }
                if self.kind != Kind::Data {
                    self.control.append(payload);
                } else if !self.deaf {
                    bytes.copy_within(from..from + len, to);
                    to += len;
                }
                from += len;
                self.left -= len as u64;
            } else {
                from += self.take_head(bytes.get(from..).unwrap_or_default());
                let Some(need) = head_size(self.head.get(..self.head_len).unwrap_or_default()) else {
                    continue;
                };
                if self.head_len < need {
                    continue;
                }
                let begun = self.begin();
                self.head_len = 0;
                match begun {
                    Err(WebSocketFault::Broken) => return (to, fault.and(Err(WebSocketFault::Broken))),
                    Err(error) if !self.deaf => {
                        self.deaf = true;
                        fault = fault.and(Err(error));
                    }
                    _ => {}
                }
            }
            if self.left == 0 && self.head_len == 0 {
                let ended = self.end(found);
                if ended.is_err() {
                    return (to, fault.and(ended));
                }
            }
        }
        (to, fault)
    }

    /// Adds to the head what is its own of the bytes; how many.
    fn take_head(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        for byte in bytes {
            let head = self.head.get(..self.head_len).unwrap_or_default();
            if head_size(head).is_some_and(|size| size <= self.head_len) {
                break;
            }
            let Some(place) = self.head.get_mut(self.head_len) else { break };
            *place = *byte;
            self.head_len += 1;
            taken += 1;
        }
        taken
    }

    /// A frame begins, whose head is whole. A fault other than [`Broken`](WebSocketFault::Broken) leaves it begun.
    fn begin(&mut self) -> Result<(), WebSocketFault> {
        let [first, second, rest @ ..] = self.head;
        let (len, mask) = match (second & 0x7f, rest) {
            (126, [a, b, mask @ ..]) => (u64::from(u16::from_be_bytes([a, b])), first_four(&mask)),
            (127, [a, b, c, d, e, f, g, h, mask @ ..]) => {
                (u64::from_be_bytes([a, b, c, d, e, f, g, h]), mask)
            }
            (len, mask) => (len.into(), first_four(&mask)),
        };
        // §5.2: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values."
        let reserved = first & 0x70 != 0;
        // §5.1: "The server MUST close the connection upon receiving a frame that is not masked", and the client one that is.
        let masked = second & 0x80 != 0;
        // §5.2: "the most significant bit MUST be 0".
        if reserved || masked != self.from_client || len > u64::MAX / 2 {
            return Err(WebSocketFault::Broken);
        }
        self.is_last = first & 0x80 != 0;
        (self.left, self.mask, self.is_empty) = (len, mask, len == 0);
        self.kind = match first & 0x0f {
            0..=2 => Kind::Data,
            8 => Kind::Close,
            9 => Kind::Ping,
            10 => Kind::Pong,
            // §5.2: "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_."
            _ => return Err(WebSocketFault::Broken),
        };
        if self.kind != Kind::Data {
            self.control = Control::EMPTY;
            // §5.5: "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
            let fits = len <= MAX_CONTROL as u64 && self.is_last;
            return if fits { Ok(()) } else { Err(WebSocketFault::Broken) };
        }
        // §5.4: a message is a frame that says what it is, then continuations; messages are not mixed.
        let so_far = match (first & 0x0f, self.message) {
            (0, Some(so_far)) => so_far,
            (1 | 2, None) => 0,
            _ => return Err(WebSocketFault::Broken),
        };
        let message = so_far.saturating_add(len);
        self.message = Some(message);
        if first & 0x0f == 1 {
            return Err(WebSocketFault::Text);
        }
        if message > self.max_message {
            return Err(WebSocketFault::TooLarge(self.max_message));
        }
        Ok(())
    }

    /// The frame under way has come to its end.
    fn end(&mut self, found: &mut Found) -> Result<(), WebSocketFault> {
        match self.kind {
            Kind::Data => {
                found.empty += u32::from(self.is_empty);
                if self.is_last {
                    self.message = None;
                }
            }
            Kind::Ping => {
                found.empty += 1;
                found.ping = Some(self.control);
            }
            Kind::Pong => found.empty += 1,
            Kind::Close => found.close = Some(close_code(self.control.bytes())?),
        }
        Ok(())
    }
}

impl Control {
    const EMPTY: Self = Self { bytes: [0; MAX_CONTROL], len: 0 };

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn append(&mut self, payload: &[u8]) {
        for byte in payload {
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = *byte;
                self.len += 1;
            }
        }
    }
}

/// How long the head is that begins like this, once that can be known.
fn head_size(head: &[u8]) -> Option<usize> {
    let [_, second, ..] = head else { return None };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let len = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    Some(2 + len + mask)
}

fn first_four(bytes: &[u8]) -> [u8; 4] {
    bytes.first_chunk().copied().unwrap_or_default()
}

/// What a close frame says. §5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned
/// integer", then text; §7.4.1 keeps some codes for those who do not send them.
fn close_code(body: &[u8]) -> Result<Option<u16>, WebSocketFault> {
    match body {
        [] => Ok(None),
        [high, low, text @ ..] => match u16::from_be_bytes([*high, *low]) {
            code @ (1000..=1003 | 1007..=1014 | 3000..=4999) if std::str::from_utf8(text).is_ok() => {
                Ok(Some(code))
            }
            _ => Err(WebSocketFault::Broken),
        },
        [_] => Err(WebSocketFault::Broken),
    }
}

/// XORs with the mask, which afterwards begins with its byte for what comes next.
pub(super) fn unmask(bytes: &mut [u8], mask: &mut [u8; 4]) {
    let [a, b, c, d] = *mask;
    let eight = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ eight).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip([a, b, c, d, a, b, c, d]) {
        *byte ^= mask;
    }
    mask.rotate_left(rest.len() % 4);
}

/// A frame's head as it goes out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    bytes: [u8; MAX_HEAD],
    len: usize,
}

impl Head {
    /// Of the one frame of a message, or of a control frame.
    pub(super) fn new(opcode: u8, len: usize, mask: Option<[u8; 4]>) -> Self {
        let mut head = Self { bytes: [0; MAX_HEAD], len: 0 };
        let masked = if mask.is_some() { 0x80 } else { 0 };
        head.put(&[0x80 | opcode]);
        match u16::try_from(len) {
            Ok(len @ 0..=125) => head.put(&[masked | len as u8]),
            Ok(len) => {
                head.put(&[masked | 126]);
                head.put(&len.to_be_bytes());
            }
            Err(_) => {
                head.put(&[masked | 127]);
                head.put(&(len as u64).to_be_bytes());
            }
        }
        head.put(mask.as_ref().map_or(&[], |mask| mask));
        head
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = *byte;
                self.len += 1;
            }
        }
    }
}

pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PONG: u8 = 10;
pub(super) const MAX_CONTROL: usize = 125;
const MAX_HEAD: usize = 14;
