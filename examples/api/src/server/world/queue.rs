//! The queue: groups of those who wait for the same game, as they came.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::place::Found;
use super::{Answer, Denial, Millis, Request, Rules, World, millis};
use crate::User;

/// Somebody who waits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Waiting {
    user: User,
    avoid: Vec<String>,
    since: Millis,
    /// The request that speaks for them.
    #[serde(default)]
    request: u64,
    /// Until then they hear an answer: only such users are put into a group.
    present_until: Millis,
    /// Until then their place in the queue is kept.
    pub(super) kept_until: Millis,
}

/// Somebody who has a group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Match {
    server: String,
    room: Option<u32>,
    users: Vec<User>,
    /// As long as the seat is kept.
    pub(super) until: Millis,
    /// Whether the user knows.
    told: bool,
    /// Their place in the queue, should the server go away.
    number: u64,
    was: Waiting,
}

impl World {
    pub(super) fn wait(
        &mut self,
        now: Millis,
        user: &User,
        avoid: &[String],
        request: Request,
        rules: &Rules,
        matched: &mut Vec<u64>,
    ) -> Answer {
        if self.matched.get(&user.id).is_some_and(|found| avoid.contains(&found.server)) {
            self.back_to_queue(now, user.id);
        }
        if !self.matched.contains_key(&user.id) {
            if let Some(denial) = self.stand(now, user, avoid, request, rules) {
                return Answer::No(denial);
            }
            self.make_matches(now, rules, matched);
        }
        if let Some(answer) = self.tell(now, user.id, rules) {
            return answer;
        }
        let since = self.waiting_of(user.id).map_or(now, |waiting| waiting.since);
        let gives_up_in = since.saturating_add(millis(rules.patience)).saturating_sub(now);
        Answer::Waiting { waiting: self.waiting.len(), gives_up_in: Duration::from_millis(gives_up_in) }
    }

    /// Takes a place in the queue, or keeps it.
    fn stand(
        &mut self,
        now: Millis,
        user: &User,
        avoid: &[String],
        request: Request,
        rules: &Rules,
    ) -> Option<Denial> {
        let present_until = now.saturating_add(millis(request.hears)).saturating_add(GRACE);
        let kept_until = self.ends(present_until.saturating_add(KEPT));
        if let Some(waiting) = self.waiting_of(user.id) {
            if waiting.since.saturating_add(millis(rules.patience)) <= now {
                self.dequeue(user.id);
                return Some(Denial::MatchTimeout);
            }
            // An older one goes on only where the newer one does not: its user may be there no more, unnoticed.
            if !request.anew && waiting.request != request.id && waiting.present_until > now {
                return None;
            }
            waiting.avoid = avoid.to_vec();
            waiting.request = request.id;
            waiting.present_until = present_until;
            waiting.kept_until = kept_until;
            return None;
        }
        if self.waiting.len() >= rules.queue {
            return Some(Denial::QueueFull);
        }
        // Whoever waits for a group has no use for a seat without one.
        self.release(user.id);
        let (user, avoid) = (user.clone(), avoid.to_vec());
        self.enqueue(
            self.next,
            Waiting { user, avoid, since: now, request: request.id, present_until, kept_until },
        );
        self.next += 1;
        None
    }

    pub(super) fn absent(&mut self, now: Millis, user: u64, request: u64) -> Answer {
        let kept_until = self.ends(now.saturating_add(KEPT));
        if let Some(waiting) = self.waiting_of(user).filter(|waiting| waiting.request == request) {
            waiting.present_until = now;
            waiting.kept_until = kept_until;
        }
        Answer::Done
    }

    pub(super) fn leave(&mut self, user: u64) -> Answer {
        self.dequeue(user);
        if self.matched.remove(&user).is_some() {
            self.release(user);
        }
        Answer::Done
    }

    /// They are where they were sent to.
    pub(super) fn arrived(&mut self, server: &str, users: &[u64]) {
        for user in users {
            if self.matched.get(user).is_some_and(|found| found.server == server) {
                self.matched.remove(user);
            }
        }
    }

    /// Makes all matches for which there are users and room.
    pub(super) fn make_matches(&mut self, now: Millis, rules: &Rules, matched: &mut Vec<u64>) {
        while self.waiting.len() >= rules.group && self.make_match(now, rules, matched).is_some() {}
    }

    fn make_match(&mut self, now: Millis, rules: &Rules, matched: &mut Vec<u64>) -> Option<()> {
        let patience = millis(rules.patience);
        // Those whose time is up hear it when they ask.
        let here =
            |waiting: &Waiting| waiting.present_until > now && waiting.since.saturating_add(patience) > now;
        // The best server that enough of them can go to: one whom it suits not must not hold up the others.
        let found = self.find(rules.group, |server| {
            let suits =
                |waiting: &Waiting| here(waiting) && !waiting.avoid.iter().any(|avoided| avoided == server);
            self.waiting.values().filter(|waiting| suits(waiting)).nth(rules.group - 1).is_some()
        })?;
        let suits = |waiting: &&Waiting| here(waiting) && !waiting.avoid.contains(&found.server);
        let group = self.waiting.values().filter(suits).take(rules.group);
        let users: Vec<u64> = group.map(|waiting| waiting.user.id).collect();
        let group: Vec<(u64, Waiting)> = users.into_iter().filter_map(|user| self.dequeue(user)).collect();
        self.seat_group(now, &found, group, rules, matched)
    }

    fn seat_group(
        &mut self,
        now: Millis,
        found: &Found,
        group: Vec<(u64, Waiting)>,
        rules: &Rules,
        matched: &mut Vec<u64>,
    ) -> Option<()> {
        let users: Vec<User> = group.iter().map(|(_, waiting)| waiting.user.clone()).collect();
        let ids: Vec<u64> = users.iter().map(|user| user.id).collect();
        self.keep(now, &ids, found, rules)?;
        let until = self.ends(now.saturating_add(millis(rules.keep)));
        for (number, was) in group {
            let (server, room, users) = (found.server.clone(), found.room, users.clone());
            let id = was.user.id;
            self.matched.insert(id, Match { server, room, users, until, told: false, number, was });
            matched.push(id);
        }
        Some(())
    }

    /// What a user with a match hears.
    pub(super) fn tell(&mut self, now: Millis, user: u64, rules: &Rules) -> Option<Answer> {
        let found = self.matched.get_mut(&user)?;
        let server = self.servers.get_mut(&found.server)?;
        if !std::mem::replace(&mut found.told, true) {
            // The time to get there begins when they hear of it.
            found.until = now.saturating_add(millis(rules.keep));
            if let Some(held) = server.held.get_mut(&user) {
                held.until = found.until;
            }
        }
        let seat = server.seat(&found.server, found.room, now, found.until);
        Some(Answer::Matched { seat, users: found.users.clone() })
    }

    /// Those whose server has gone before they came take their old places in the queue.
    pub(super) fn requeue(&mut self, now: Millis) {
        let stranded = self.matched.iter().filter(|(_, found)| !self.servers.contains_key(&found.server));
        let stranded: Vec<u64> = stranded.map(|(user, _)| *user).collect();
        for user in stranded {
            self.back_to_queue(now, user);
        }
    }

    fn back_to_queue(&mut self, now: Millis, user: u64) {
        self.release(user);
        if let Some(Match { number, was, .. }) = self.matched.remove(&user) {
            // They know of a match that is none any more, so they are not there until they ask.
            let kept_until = self.ends(now.saturating_add(KEPT));
            self.enqueue(number, Waiting { since: now, present_until: now, kept_until, ..was });
        }
    }

    fn waiting_of(&mut self, user: u64) -> Option<&mut Waiting> {
        self.waiting.get_mut(self.places.get(&user)?)
    }

    fn enqueue(&mut self, number: u64, waiting: Waiting) {
        self.places.insert(waiting.user.id, number);
        self.waiting.insert(number, waiting);
    }

    fn dequeue(&mut self, user: u64) -> Option<(u64, Waiting)> {
        let number = self.places.remove(&user)?;
        Some((number, self.waiting.remove(&number)?))
    }
}

/// Between two questions a user counts as present for so long: as long as a round trip and a pause take.
const GRACE: Millis = 2_000;
/// So long the place of somebody who asks no more is kept.
const KEPT: Millis = 10_000;
