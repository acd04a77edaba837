//! Sentences of the compiler's.

use crate::PacketId;

/// Text that is put together while compiling, where there is no `String`. What is over its end is cut off.
pub(super) struct Words {
    bytes: [u8; 512],
    len: usize,
}

impl Words {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; 512], len: 0 }
    }

    pub(super) const fn say(mut self, text: &str) -> Self {
        let (_, mut free) = self.bytes.split_at_mut(self.len);
        let mut text = text.as_bytes();
        while let ([to, free_behind @ ..], [byte, behind @ ..]) = (free, text) {
            *to = *byte;
            self.len += 1;
            (free, text) = (free_behind, behind);
        }
        self
    }

    pub(super) const fn number(self, PacketId(number): PacketId) -> Self {
        let words = if number >= 10 { self.number(PacketId(number / 10)) } else { self };
        let digit = [b'0' + (number % 10) as u8];
        match str::from_utf8(&digit) {
            Ok(digit) => words.say(digit),
            Err(_) => words,
        }
    }

    pub(super) const fn as_str(&self) -> &str {
        match str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            // Cut off inside a letter, by names of hundreds of letters.
            Err(_) => "a `reply` is no packet that the other side sends: write the id of one",
        }
    }
}
