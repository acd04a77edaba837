//! How much a peer may send.

use std::time::Instant;

use super::Session;
use crate::session::marks::Marks;
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

    /// Each with what becomes of a packet over it, and why a session closes over it.
    fn all(&mut self) -> impl Iterator<Item = (&mut Bucket, Over, CloseReason)> {
        let of = |(rate, reason)| {
            let rate: &mut Option<(Bucket, Over)> = rate;
            rate.as_mut().map(|(bucket, over)| (bucket, *over, reason))
        };
        [
            (&mut self.packets, CloseReason::PacketRate),
            (&mut self.bytes, CloseReason::ByteRate),
            (&mut self.tiny, CloseReason::TinyRate),
        ]
        .into_iter()
        .filter_map(of)
    }

    /// What becomes of a packet that is over a rate: the worst, if it is over several. Each rate is paid by itself: what
    /// one drops has come all the same.
    fn judge(&mut self, size: u32, tiny: bool) -> Option<(Over, CloseReason)> {
        let mut worst = None;
        for (bucket, over, reason) in self.all() {
            let price = match reason {
                CloseReason::PacketRate => 1,
                CloseReason::ByteRate => size,
                _ => tiny.into(),
            };
            if price <= bucket.holds() {
                bucket.pay(price);
            } else if worst.is_none_or(|(than, _)| over.is_worse(than)) {
                worst = Some((over, reason));
            }
        }
        worst
    }

    /// Charges bytes that are no packet's.
    fn waste(&mut self, bytes: usize) -> Result<(), CloseReason> {
        let Some((bucket, over)) = &mut self.bytes else { return Ok(()) };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let over = bytes > bucket.holds() && *over == Over::Close;
        bucket.pay(bytes.min(bucket.holds()));
        if over { Err(CloseReason::ByteRate) } else { Ok(()) }
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
    /// count when it is whole, as it does itself, so that the packet that is over a rate is the one that pays, however the
    /// stream was cut: each is looked at by itself, and one that does not pass takes nothing from those behind it.
    #[cold]
    pub(super) fn charge(
        &mut self,
        now: Instant,
        whole: usize,
        batch: &mut Inbound<In>,
    ) -> Result<(), CloseReason> {
        let Some(rates) = &mut self.rates else { return Ok(()) };
        rates.all().for_each(|(bucket, ..)| bucket.fill(now));
        let (mut out, mut sized) = (Marks::NONE, 0);
        for at in 0..batch.added() {
            let index = at as usize;
            let size = batch.size(index);
            sized += size as usize;
            match rates.judge(size, batch.is_tiny(index)) {
                None => {}
                Some((Over::Warn, _)) => self.counts.rate_warned += 1,
                Some((Over::Drop, _)) => out.set(index),
                Some((Over::Close, reason)) => {
                    self.counts.rate_dropped += u64::from(batch.added() - at + out.count());
                    batch.keep(at);
                    batch.take_out(&out);
                    return Err(reason);
                }
            }
        }
        batch.forget_sizes();
        if out.count() > 0 {
            self.counts.rate_dropped += u64::from(out.count());
            batch.take_out(&out);
        }
        // An empty line, or the rest of one that was too long, is no packet.
        rates.waste(whole.saturating_sub(sized))
    }
}
