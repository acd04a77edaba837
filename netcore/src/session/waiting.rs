//! Packets that wait for one peer, in order, and which of them may be taken out again.

use std::collections::{HashMap, VecDeque};

use bytes::{Bytes, BytesMut};

use super::Slow;

/// The content of an [`Outbox`](super::Outbox), without its bounds.
///
/// ```text
///  chunks: [joined][droppable][hole][droppable][large, shared]   tail: joined, still growing
///           ^ first             ^ taken out by a policy
/// ```
#[derive(Debug, Default)]
pub(super) struct Waiting {
    // None is empty but those that were taken out, and the first is never one of these.
    chunks: VecDeque<Chunk>,
    // Behind the chunks: small packets, copied together.
    tail: BytesMut,
    // Where the last packet of a key is that may be taken out: the number of its chunk.
    #[allow(clippy::box_collection, reason = "most sessions have none, and a map is six words")]
    latest: Option<Box<HashMap<u64, u64>>>,
    // The number of the first chunk, counted since the session began.
    first: u64,
    // No chunk with a lower number may be taken out, so that the search for the oldest does not begin at the front each
    // time: a queue of a thousand positions would be walked for each new one.
    oldest: u64,
    // Chunks whose packet was taken out: empty, and without meaning.
    holes: usize,
    // Bytes that may be taken out.
    droppable: usize,
}

#[derive(Debug)]
struct Chunk {
    bytes: Bytes,
    slow: Slow,
}

impl Waiting {
    /// Adds a packet to those at the end, for good.
    pub(super) fn join(&mut self, packet: &[u8]) {
        self.tail.extend_from_slice(packet);
    }

    /// Adds packets to those at the end, for good; takes their memory if that saves a copy.
    pub(super) fn join_all(&mut self, packets: &mut BytesMut) {
        if self.tail.is_empty() && self.tail.capacity() < packets.len() {
            self.tail = std::mem::take(packets);
        } else {
            self.tail.extend_from_slice(packets);
        }
    }

    /// Adds a packet as a chunk of its own, which is not empty. Unless it is one to disconnect for, it may be taken out.
    pub(super) fn append(&mut self, bytes: Bytes, slow: Slow) {
        if !self.tail.is_empty() {
            let tail = std::mem::take(&mut self.tail).freeze();
            self.chunks.push_back(Chunk { bytes: tail, slow: Slow::Disconnect });
        }
        if let Slow::Latest(key) = slow {
            let number = self.first + self.chunks.len() as u64;
            self.latest.get_or_insert_default().insert(key, number);
        }
        if slow != Slow::Disconnect {
            self.droppable += bytes.len();
        }
        self.chunks.push_back(Chunk { bytes, slow });
    }

    /// The first chunk, or what was joined at the end.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        self.pop_with_policy().map(|(bytes, _)| bytes)
    }

    /// The same, and what becomes of it if its peer is slow.
    pub(super) fn pop_with_policy(&mut self) -> Option<(Bytes, Slow)> {
        let Some(chunk) = self.chunks.pop_front() else {
            let tail = (!self.tail.is_empty()).then(|| std::mem::take(&mut self.tail).freeze());
            return tail.map(|tail| (tail, Slow::Disconnect));
        };
        self.forget(&chunk, self.first);
        self.first += 1;
        self.trim();
        Some((chunk.bytes, chunk.slow))
    }

    /// How many bytes may be taken out.
    pub(super) fn droppable(&self) -> usize {
        self.droppable
    }

    /// Whether there are packets that another one may take the place of.
    pub(super) fn has_keys(&self) -> bool {
        self.latest.as_ref().is_some_and(|latest| !latest.is_empty())
    }

    /// Takes out the last packet with that key; its length.
    pub(super) fn replace(&mut self, key: u64) -> Option<usize> {
        let number = *self.latest.as_ref()?.get(&key)?;
        self.take_out(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Takes out the oldest packet that may be; its length.
    pub(super) fn drop_oldest(&mut self) -> Option<usize> {
        let from = usize::try_from(self.oldest.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let droppable = |chunk: &Chunk| chunk.slow != Slow::Disconnect && !chunk.bytes.is_empty();
        let at = self.chunks.iter().enumerate().skip(from).find(|(_, chunk)| droppable(chunk))?.0;
        self.oldest = self.first + at as u64;
        self.take_out(at)
    }

    /// How many bytes wait.
    pub(super) fn bytes(&self) -> usize {
        self.tail.len() + self.chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>()
    }

    /// Throws everything away; how many bytes that was.
    pub(super) fn clear(&mut self) -> usize {
        let all = self.bytes();
        *self = Self::default();
        all
    }

    fn take_out(&mut self, at: usize) -> Option<usize> {
        let chunk = self.chunks.get_mut(at)?;
        let taken = Chunk { bytes: std::mem::take(&mut chunk.bytes), slow: chunk.slow };
        self.forget(&taken, self.first + at as u64);
        self.holes += 1;
        self.trim();
        self.compact();
        Some(taken.bytes.len())
    }

    /// The chunk with that number may not be taken out any more.
    fn forget(&mut self, chunk: &Chunk, number: u64) {
        if chunk.slow == Slow::Disconnect {
            return;
        }
        self.droppable -= chunk.bytes.len();
        if let (Slow::Latest(key), Some(latest)) = (chunk.slow, &mut self.latest)
            && latest.get(&key) == Some(&number)
        {
            latest.remove(&key);
        }
    }

    /// Throws out the holes at the front.
    fn trim(&mut self) {
        while self.chunks.front().is_some_and(|chunk| chunk.bytes.is_empty()) {
            self.chunks.pop_front();
            self.first += 1;
            self.holes -= 1;
        }
    }

    /// Throws the holes out when they are the most of the queue: a blocked one would grow by them.
    fn compact(&mut self) {
        if self.holes < 32 || self.holes * 2 < self.chunks.len() {
            return;
        }
        self.chunks.retain(|chunk| !chunk.bytes.is_empty());
        self.holes = 0;
        self.oldest = self.first;
        let numbered = self.chunks.iter().zip(self.first..);
        if let Some(latest) = &mut self.latest {
            **latest = numbered
                .filter_map(|(chunk, number)| match chunk.slow {
                    Slow::Latest(key) => Some((key, number)),
                    _ => None,
                })
                .collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u32) -> Bytes {
        Bytes::copy_from_slice(&number.to_le_bytes())
    }

    fn drain(waiting: &mut Waiting) -> Vec<u32> {
        let mut all = Vec::new();
        while let Some(chunk) = waiting.pop() {
            all.extend(chunk.chunks(4).map(|four| u32::from_le_bytes(four.try_into().unwrap())));
        }
        all
    }

    #[test]
    fn a_key_is_found_again_after_the_holes_were_thrown_out() {
        let mut waiting = Waiting::default();
        waiting.append(packet(0), Slow::Disconnect);
        for number in 1..=1000 {
            let key = u64::from(number % 3);
            assert_eq!(waiting.replace(key).is_some(), number > 3, "{number}");
            waiting.append(packet(number), Slow::Latest(key));
            assert!(waiting.chunks.len() < 72, "{} chunks for 4 packets", waiting.chunks.len());
        }
        assert_eq!(waiting.droppable(), 12);
        assert_eq!(drain(&mut waiting), [0, 998, 999, 1000]);
        assert_eq!(waiting.droppable(), 0);
        assert!(waiting.latest.is_some_and(|latest| latest.is_empty()), "a key outlived its packet");
    }

    #[test]
    fn the_oldest_that_may_be_is_dropped_wherever_it_stands() {
        let mut waiting = Waiting::default();
        for number in 0..300 {
            match number % 3 {
                0 => waiting.join(&packet(number)),
                1 => waiting.append(packet(number), Slow::DropOldest),
                _ => waiting.append(packet(number), Slow::Disconnect),
            }
        }
        for _ in 0..90 {
            assert_eq!(waiting.drop_oldest(), Some(4));
        }
        assert_eq!(waiting.droppable(), 40);
        let want: Vec<u32> = (0..300).filter(|number| number % 3 != 1 || *number >= 270).collect();
        assert_eq!(drain(&mut waiting), want);
    }

    #[test]
    fn the_search_for_the_oldest_follows_what_is_popped_and_added() {
        let mut waiting = Waiting::default();
        for round in 0..100 {
            for number in 0..4 {
                waiting.append(packet(round * 4 + number), Slow::DropNewest);
            }
            assert_eq!(waiting.drop_oldest(), Some(4));
            assert_eq!(waiting.pop(), Some(packet(round * 4 + 1)));
            assert_eq!(waiting.drop_oldest(), Some(4));
            assert_eq!(drain(&mut waiting), [round * 4 + 3]);
            assert_eq!((waiting.drop_oldest(), waiting.holes, waiting.chunks.len()), (None, 0, 0));
        }
    }

    #[test]
    fn thrown_away_it_is_as_new() {
        let mut waiting = Waiting::default();
        waiting.join(b"abc");
        waiting.append(packet(1), Slow::Latest(1));
        waiting.append(packet(2), Slow::DropOldest);
        waiting.drop_oldest();
        waiting.join(b"de");
        assert_eq!(waiting.clear(), 9);
        assert_eq!((waiting.droppable(), waiting.pop(), waiting.replace(1)), (0, None, None));
    }
}
