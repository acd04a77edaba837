//! What goes to every session of a server, while sessions are on their way between its workers.

use std::collections::VecDeque;

use super::shared::Encoded;

/// A packet for every session of the server. Each worker gives it to its own when it comes to it, so that a session that
/// moves meanwhile may be where it was not given yet, or come from where it was not given yet: the number says which.
#[derive(Clone, Debug)]
pub(crate) struct Everyone {
    pub(super) number: u64,
    pub(super) encoded: Encoded,
}

/// The last of what came to a worker. Numbers come nearly in order: of what is not kept any more all was smaller than
/// `before`, and what is smaller than that has come.
#[derive(Clone, Debug)]
pub(super) struct Last<T> {
    kept: VecDeque<T>,
    before: u64,
}

/// What a worker has given to its sessions. A session that moves past more of it than is kept may miss one.
pub(super) type Given = Last<Everyone>;

/// What a worker had no room for: its sessions do not hear it.
pub(super) type PassedOver = Last<u64>;

/// What a session has heard that comes from another worker.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    // All that have a smaller number, and these.
    all_before: u64,
    numbers: Vec<u64>,
}

/// What has a number among all that goes to every session of the server.
pub(super) trait Numbered {
    fn number(&self) -> u64;
}

impl Numbered for Everyone {
    fn number(&self) -> u64 {
        self.number
    }
}

impl Numbered for u64 {
    fn number(&self) -> u64 {
        *self
    }
}

impl<T: Numbered> Last<T> {
    pub(super) fn add(&mut self, item: T) {
        if self.kept.len() >= KEPT
            && let Some(oldest) = self.kept.pop_front()
        {
            self.before = self.before.max(oldest.number() + 1);
        }
        self.kept.push_back(item);
    }

    fn numbers(&self) -> impl Iterator<Item = u64> {
        self.kept.iter().map(T::number)
    }

    /// Whether that has come.
    fn has(&self, number: u64) -> bool {
        number < self.before || self.numbers().any(|kept| kept == number)
    }
}

impl<T> Default for Last<T> {
    fn default() -> Self {
        Self { kept: VecDeque::new(), before: 0 }
    }
}

impl Given {
    /// What a session has heard that leaves this worker, to which it came with `ahead`, or is not to hear: the worker was
    /// `passed_over`.
    pub(super) fn heard(&self, ahead: &[u64], passed_over: &PassedOver) -> Heard {
        let ahead = ahead.iter().copied();
        let mut numbers: Vec<_> = self.numbers().chain(ahead).chain(passed_over.numbers()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Heard { all_before: self.before.max(passed_over.before), numbers }
    }

    /// What a session has missed that comes to this worker.
    pub(super) fn missed(&self, heard: &Heard) -> impl Iterator<Item = &Encoded> {
        let knows = |number: &u64| *number < heard.all_before || heard.numbers.contains(number);
        self.kept.iter().filter(move |given| !knows(&given.number)).map(|given| &given.encoded)
    }

    /// What it has heard already that is still to come here, where the worker was not `passed_over` with it.
    pub(super) fn ahead(&self, heard: Heard, passed_over: &PassedOver) -> Vec<u64> {
        let came = |number| self.has(number) || passed_over.has(number);
        heard.numbers.into_iter().filter(|number| !came(*number)).collect()
    }
}

/// So many are kept, and of a worker so many that it was passed over with.
const KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Slow;

    fn given(numbers: impl IntoIterator<Item = u64>) -> Given {
        let mut given = Given::default();
        for number in numbers {
            let doors = [number.to_string().into()].into();
            given.add(Everyone { number, encoded: Encoded { doors, slow: Slow::Disconnect } });
        }
        given
    }

    fn passed_over(numbers: impl IntoIterator<Item = u64>) -> PassedOver {
        let mut passed_over = PassedOver::default();
        numbers.into_iter().for_each(|number| passed_over.add(number));
        passed_over
    }

    /// What a session is given that comes from one worker to the other, and what it will not be given there.
    fn moved(from: &Given, to: &Given) -> (Vec<String>, Vec<u64>) {
        let heard = from.heard(&[], &passed_over([]));
        let texts = |encoded: &Encoded| String::from_utf8(encoded.doors[0].to_vec()).unwrap();
        (to.missed(&heard).map(texts).collect(), to.ahead(heard, &passed_over([])))
    }

    #[test]
    fn who_moves_hears_each_one_once() {
        assert_eq!(moved(&given([1, 2]), &given([1, 2])), (vec![], vec![]));
        assert_eq!(moved(&given([1]), &given([1, 3, 2])), (vec!["3".into(), "2".into()], vec![]));
        assert_eq!(moved(&given([2, 1]), &given([])), (vec![], vec![1, 2]));
        // What was ahead stays ahead, from worker to worker.
        let ahead = given([]).ahead(given([1]).heard(&[], &passed_over([])), &passed_over([]));
        assert_eq!(given([]).ahead(given([]).heard(&ahead, &passed_over([])), &passed_over([])), [1]);
        // What a worker had no room for, nobody hears who was there.
        let heard = given([2]).heard(&[], &passed_over([1]));
        assert_eq!(given([1, 2]).missed(&heard).count(), 0);
        assert_eq!(given([2]).ahead(heard, &passed_over([])), [1]);
        // Nor does it grow from move to move.
        let heard = given([]).heard(&[1], &passed_over([1]));
        assert_eq!(given([]).ahead(heard, &passed_over([])), [1]);
        assert!(given([]).ahead(given([]).heard(&[1], &passed_over([1])), &passed_over([1])).is_empty());
    }

    #[test]
    fn what_two_workers_gave_in_another_order_is_heard_once_also_where_it_is_nearly_forgotten() {
        let one = given([2, 1].into_iter().chain(3..=65));
        let other = given(1..=65);
        assert_eq!(moved(&one, &other), (vec![], vec![]));
        assert_eq!(moved(&other, &one), (vec![], vec![]));
    }

    #[test]
    fn what_is_not_kept_any_more_was_heard() {
        assert_eq!(moved(&given(1..=100), &given(1..=90)), (vec![], (91..=100).collect()));
        assert_eq!(moved(&given(1..=98), &given(1..=100)), (vec!["99".into(), "100".into()], vec![]));
        assert_eq!(moved(&given(1..=50), &given(1..=100)).0.len(), 50);
    }
}
