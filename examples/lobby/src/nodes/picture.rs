//! Who is in a room on other nodes, as this one knows.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use netcore::cluster::{Holder, NodeId};

use super::seat;
use crate::Who;
use crate::held::Counts;

/// Somebody in a room, on another node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Elsewhere {
    /// The seat: whoever takes another name keeps it, while the room user id changes.
    pub seat: u64,
    /// How others see them.
    pub who: Who,
}

/// What this node knows of one room. Two things tell it: messages, at once and at most once; and listings of the seats
/// that are taken, which are true and late.
#[derive(Debug)]
pub(super) struct Picture {
    /// Seats of this node's, those included that were asked for.
    pub(super) ties: usize,
    /// Listings are under way: what left meanwhile may still be in them.
    listings: usize,
    gone: HashSet<u64>,
    known: BTreeMap<u64, Known>,
    // No more than so many.
    most: usize,
    counts: Arc<Counts>,
    // Counts what came, so that a listing removes nobody who came after it was asked for.
    clock: u64,
}

#[derive(Debug)]
struct Known {
    node: NodeId,
    who: Who,
    since: u64,
}

/// Who is new, who is no longer there, and who is seen in another way: before, and now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) came: Vec<Elsewhere>,
    pub(crate) went: Vec<Elsewhere>,
    pub(crate) renamed: Vec<(Who, Elsewhere)>,
}

impl Picture {
    /// Of a room in which nobody is known to be; of more than `most` at a time it will not know.
    pub(super) fn new(most: usize, counts: &Arc<Counts>) -> Self {
        Self {
            ties: 0,
            listings: 0,
            gone: HashSet::new(),
            known: BTreeMap::new(),
            most,
            counts: counts.clone(),
            clock: 0,
        }
    }

    /// A node says who of its own is here.
    pub(super) fn came(&mut self, node: NodeId, users: impl IntoIterator<Item = Elsewhere>) -> Change {
        let mut change = Change::default();
        for one in users {
            self.gone.remove(&one.seat);
            self.take(node, one, u64::MAX, &mut change);
        }
        change
    }

    /// Somebody was there at the time `asked`, under that name.
    fn take(&mut self, node: NodeId, one: Elsewhere, asked: u64, change: &mut Change) {
        let Some(known) = self.known.get(&one.seat) else {
            if self.known.len() >= self.most {
                self.counts.elsewhere_over.fetch_add(1, Relaxed);
                return;
            }
            self.clock += 1;
            self.known.insert(one.seat, Known { node, who: one.who.clone(), since: self.clock });
            self.counts.elsewhere.fetch_add(1, Relaxed);
            change.came.push(one);
            return;
        };
        // Whoever has taken another name since then has it still.
        if known.since <= asked {
            change.renamed.extend(self.renamed(&one).map(|old| (old, one)));
        }
    }

    pub(super) fn went(&mut self, seat: u64) -> Option<Elsewhere> {
        // One that is not noted may come back with a listing, until the next.
        if self.listings > 0 && self.gone.len() < self.most {
            self.gone.insert(seat);
        }
        let known = self.known.remove(&seat)?;
        self.counts.elsewhere.fetch_sub(1, Relaxed);
        Some(Elsewhere { seat, who: known.who })
    }

    /// How they were seen before, if that was otherwise.
    pub(super) fn renamed(&mut self, one: &Elsewhere) -> Option<Who> {
        let known = self.known.get_mut(&one.seat).filter(|known| known.who != one.who)?;
        self.clock += 1;
        known.since = self.clock;
        Some(std::mem::replace(&mut known.who, one.who.clone()))
    }

    /// That node is no longer there.
    pub(super) fn lost(&mut self, node: NodeId) -> Vec<Elsewhere> {
        let seats = self.known.iter().filter(|(_, known)| known.node == node).map(|(seat, _)| *seat);
        let seats: Vec<u64> = seats.collect();
        seats.into_iter().filter_map(|seat| self.went(seat)).collect()
    }

    /// A listing is asked for: the time at which it is.
    pub(super) fn ask(&mut self) -> u64 {
        self.listings += 1;
        self.clock
    }

    /// The listing that was asked for has come, or never will.
    pub(super) fn answered(&mut self) {
        self.listings = self.listings.saturating_sub(1);
        if self.listings == 0 {
            self.gone.clear();
        }
    }

    /// Takes over a listing that was asked for at that time. To `remove`: whoever was known then and is not in it has gone.
    pub(super) fn listed(&mut self, me: NodeId, holders: &[Holder], asked: u64, remove: bool) -> Change {
        let mut change = Change::default();
        let mut there = HashSet::new();
        for holder in holders.iter().filter(|holder| holder.node != me) {
            let Some(one) = seat::of(holder) else { continue };
            there.insert(one.seat);
            if !self.gone.contains(&one.seat) {
                self.take(holder.node, one, asked, &mut change);
            }
        }
        if remove {
            let old = self.known.iter().filter(|(seat, known)| known.since <= asked && !there.contains(seat));
            let old: Vec<u64> = old.map(|(seat, _)| *seat).collect();
            change.went = old.into_iter().filter_map(|seat| self.went(seat)).collect();
        }
        change
    }

    pub(super) fn users(&self) -> impl Iterator<Item = Elsewhere> + '_ {
        self.known.iter().map(|(seat, known)| Elsewhere { seat: *seat, who: known.who.clone() })
    }

    /// Who has that room user id.
    pub(super) fn user(&self, user: u64) -> Option<Who> {
        self.known.values().find(|known| known.who.user == user).map(|known| known.who.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        self.counts.elsewhere.fetch_sub(self.known.len() as u64, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Name;

    const ME: NodeId = NodeId::new(1);
    const B: NodeId = NodeId::new(2);
    const C: NodeId = NodeId::new(3);

    fn picture() -> Picture {
        Picture::new(100, &Arc::default())
    }

    fn one(seat: u64) -> Elsewhere {
        let name = Name::new(format!("user{seat}").as_bytes()).unwrap();
        Elsewhere { seat, who: Who { user: seat * 10, name } }
    }

    fn holder(node: NodeId, number: u64) -> Holder {
        let one = one(number);
        Holder::new(seat::name(3, number).into(), node, Duration::ZERO, seat::value(&one.who))
    }

    fn seats(all: &[Elsewhere]) -> Vec<u64> {
        all.iter().map(|one| one.seat).collect()
    }

    fn came(picture: &mut Picture, node: NodeId, number: u64) -> bool {
        picture.came(node, [one(number)]) != Change::default()
    }

    #[test]
    fn a_listing_adds_who_was_missed_and_removes_who_was_known_before_it_was_asked_for() {
        let mut picture = picture();
        assert!(came(&mut picture, B, 1) && came(&mut picture, B, 2) && !came(&mut picture, B, 2));
        let asked = picture.ask();
        assert!(came(&mut picture, C, 3), "it is in no listing that was made before");
        let change = picture.listed(ME, &[holder(B, 2), holder(C, 4), holder(ME, 5)], asked, true);
        assert_eq!((seats(&change.came), seats(&change.went)), (vec![4], vec![1]));
        picture.answered();
        assert_eq!(picture.users().map(|one| one.seat).collect::<Vec<_>>(), [2, 3, 4]);
    }

    #[test]
    fn who_left_while_a_listing_was_under_way_does_not_come_back_with_it() {
        let mut picture = picture();
        picture.ask();
        let asked = picture.ask();
        assert!(picture.went(1).is_none() && came(&mut picture, B, 2));
        assert_eq!(picture.went(2).map(|one| one.seat), Some(2));
        assert_eq!(picture.listed(ME, &[holder(B, 1), holder(B, 2)], asked, false), Change::default());
        picture.answered();
        assert_eq!(picture.listed(ME, &[holder(B, 2)], asked, false), Change::default(), "one is under way");
        picture.answered();
        assert_eq!(seats(&picture.listed(ME, &[holder(B, 2)], asked, false).came), [2]);
    }

    #[test]
    fn what_the_node_itself_says_counts_more_than_that_somebody_was_gone() {
        let mut picture = picture();
        assert!(came(&mut picture, B, 1) && came(&mut picture, C, 2));
        picture.ask();
        assert_eq!(seats(&picture.lost(B)), [1]);
        assert!(came(&mut picture, B, 1), "it was not dead");
        assert_eq!(picture.len(), 2);
    }

    #[test]
    fn another_name_keeps_the_seat_and_is_found_out_if_it_was_not_heard() {
        let mut picture = picture();
        let new = Elsewhere { seat: 1, who: one(7).who };
        came(&mut picture, B, 1);
        let before = picture.ask();
        assert_eq!(picture.renamed(&new), Some(one(1).who));
        assert_eq!((picture.renamed(&new), picture.renamed(&one(9))), (None, None));
        assert_eq!(picture.listed(ME, &[holder(B, 1)], before, true), Change::default(), "it is older");
        assert!(picture.users().eq([new.clone()]));
        let asked = picture.ask();
        let change = picture.listed(ME, &[holder(B, 1)], asked, true);
        assert_eq!((change.renamed, change.came), (vec![(new.who.clone(), one(1))], vec![]));
        assert_eq!(picture.came(B, [new.clone()]).renamed, [(one(1).who, new)]);
    }

    #[test]
    fn who_is_over_the_bound_is_counted_and_shown_when_there_is_room() {
        let counts = Arc::default();
        let mut picture = Picture::new(2, &counts);
        let told = |counts: &Counts| {
            let held = counts.held((0, 0));
            (held.elsewhere, held.elsewhere_over)
        };
        assert_eq!([1, 2, 3].map(|number| came(&mut picture, B, number)), [true, true, false]);
        assert_eq!(told(&counts), (2, 1));
        let all = [1, 2, 3].map(|number| holder(B, number));
        let asked = picture.ask();
        assert_eq!(picture.listed(ME, &all, asked, true), Change::default());
        assert_eq!((picture.went(3), told(&counts)), (None, (2, 2)));
        picture.answered();
        picture.went(1);
        let asked = picture.ask();
        assert_eq!(seats(&picture.listed(ME, &all[1..], asked, true).came), [3]);
        assert_eq!(told(&counts), (2, 2));
        picture.lost(B);
        assert!(told(&counts) == (0, 2) && came(&mut picture, C, 4));
        drop(picture);
        assert_eq!(told(&counts), (0, 2));
    }
}
