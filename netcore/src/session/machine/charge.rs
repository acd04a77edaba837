//! How much a peer may send.

use std::time::Instant;

use super::Session;
use crate::session::rate::Bucket;
use crate::session::{CloseReason, Inbound, Limits, Over, Rate};

pub(super) struct Rates {
    packets: Option<(Bucket, Over)>,
    bytes: Option<(Bucket, Over)>,
    tiny: Option<(Bucket, Over)>,
}

impl Rates {
    /// `None` where nothing is limited.
    pub(super) fn new(limits: &Limits, now: Instant) -> Option<Box<Self>> {
        let bucket = |rate: Rate| (Bucket::new(rate, now), rate.is_over());
        let rates = Self {
            packets: limits.packets.map(bucket),
            bytes: limits.bytes.map(bucket),
            tiny: limits.tiny.map(|(_, rate)| bucket(rate)),
        };
        let limited = rates.packets.is_some() || rates.bytes.is_some() || rates.tiny.is_some();
        limited.then(|| Box::new(rates))
    }
}

impl<In> Session<In> {
    /// Before log-in, a peer may send only so much. Packets above that do not reach the game.
    pub(super) fn admission(
        &mut self,
        bytes: usize,
        packets: u32,
        batch: &mut Inbound<In>,
    ) -> Result<(), CloseReason> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let (most_bytes, most_packets) = self.limits.admission;
        let sent = &mut self.before_admission;
        batch.keep(most_packets.saturating_sub(sent.1));
        *sent = (sent.0.saturating_add(bytes), sent.1.saturating_add(packets));
        if sent.0 > most_bytes || sent.1 > most_packets { Err(CloseReason::Admission) } else { Ok(()) }
    }

    /// Charges what was decoded to the rates: `whole` bytes, which need not be those of the last read. A packet's bytes
    /// count when it is whole, as it does itself, so that the packet that is over the rate is the one that pays.
    #[cold]
    pub(super) fn charge(
        &mut self,
        now: Instant,
        whole: usize,
        batch: &mut Inbound<In>,
    ) -> Result<(), CloseReason> {
        let Some(rates) = &mut self.rates else { return Ok(()) };
        let (added, counts) = (batch.added(), &mut self.counts);
        let (mut keep, mut keep_tiny, mut closed) = (added, u32::MAX, None);
        let mut over = |rate: &mut Option<(Bucket, Over)>, asked: u32, packets: u32, reason| {
            let (bucket, over) = rate.as_mut()?;
            let given = bucket.take(now, asked);
            match over {
                _ if given == asked => None,
                Over::Warn => {
                    counts.rate_warned += u64::from(share(asked - given, asked, packets));
                    None
                }
                Over::Drop => Some((given, false)),
                Over::Close => {
                    closed.get_or_insert(reason);
                    Some((given, true))
                }
            }
        };
        if let Some((given, _)) = over(&mut rates.packets, added, added, CloseReason::PacketRate) {
            keep = keep.min(given);
        }
        let bytes = u32::try_from(whole).unwrap_or(u32::MAX);
        if let Some((given, _)) = over(&mut rates.bytes, bytes, added, CloseReason::ByteRate) {
            keep = keep.min(added - share(bytes - given, bytes, added));
        }
        let tiny = batch.tiny();
        match over(&mut rates.tiny, tiny, tiny, CloseReason::TinyRate) {
            Some((given, true)) => keep = keep.min(batch.before_tiny(given)),
            Some((given, false)) => keep_tiny = given,
            None => {}
        }
        if keep < added {
            batch.keep(keep);
        }
        let mut lost = added - keep;
        if keep_tiny < u32::MAX {
            lost += batch.keep_tiny(keep_tiny);
        }
        counts.rate_dropped += u64::from(lost);
        closed.map_or(Ok(()), Err)
    }
}

/// Of so many packets, as many as of `asked` tokens were over the rate, rounded up.
fn share(excess: u32, asked: u32, packets: u32) -> u32 {
    let share = (u64::from(packets) * u64::from(excess)).div_ceil(u64::from(asked.max(1)));
    u32::try_from(share).unwrap_or(packets).min(packets)
}
