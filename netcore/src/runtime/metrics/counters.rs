//! Counters that are kept elsewhere, published now and then.

use metrics::{Counter, counter};

/// One of them, as metrics name it.
pub(super) struct Count {
    name: &'static str,
    label: Option<(&'static str, &'static str)>,
    value: u64,
}

impl Count {
    pub(super) fn plain(name: &'static str, value: &u64) -> Self {
        Self { name, label: None, value: *value }
    }

    pub(super) fn by(name: &'static str, key: &'static str, label: &'static str, value: &u64) -> Self {
        Self { name, label: Some((key, label)), value: *value }
    }
}

/// The counters of one `Snapshot`. Others of the process may have theirs under the same names: what they have grown by is
/// added.
pub(super) struct Counters<Snapshot> {
    // As many, and in the same order, of each snapshot.
    counts: fn(&Snapshot) -> Vec<Count>,
    counters: Vec<Counter>,
    told: Snapshot,
}

impl<Snapshot: Default> Counters<Snapshot> {
    pub(super) fn new(counts: fn(&Snapshot) -> Vec<Count>) -> Self {
        let told = Snapshot::default();
        let counters = counts(&told).into_iter().map(|count| match count.label {
            None => counter!(count.name),
            Some((key, value)) => counter!(count.name, key => value),
        });
        Self { counts, counters: counters.collect(), told }
    }

    /// Publishes what they have grown by since the snapshot that was published last, which is returned.
    pub(super) fn publish(&mut self, now: Snapshot) -> Snapshot {
        let (values, told) = ((self.counts)(&now), (self.counts)(&self.told));
        for ((now, told), counter) in values.into_iter().zip(told).zip(&self.counters) {
            counter.increment(now.value - told.value);
        }
        std::mem::replace(&mut self.told, now)
    }

    /// The snapshot that was published last.
    pub(super) fn told(&self) -> &Snapshot {
        &self.told
    }
}
