//! Sets of sessions that hear the same thing.

use crate::session::SessionId;

/// Names a group of one worker, and no other: on another worker, or once it was removed, it is a group that nobody is in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct GroupId {
    index: u32,
    tag: u32,
}

/// The groups of one worker, each with its members in the order in which they joined.
#[derive(Debug)]
pub(crate) struct Groups {
    groups: Vec<Group>,
    free: Vec<u32>,
    // The next group's tag. Those of one worker are as far apart as there are workers, so that no two have one in common.
    next: u32,
    worker: u32,
    workers: u32,
}

#[derive(Debug, Default)]
struct Group {
    // `None` where there is none at the time.
    tag: Option<u32>,
    members: Vec<SessionId>,
}

impl Groups {
    pub(crate) fn new(worker: usize, workers: usize) -> Self {
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        let (worker, workers) = (number(worker), number(workers));
        Self { groups: Vec::new(), free: Vec::new(), next: worker, worker, workers }
    }

    pub(crate) fn create(&mut self) -> GroupId {
        let tag = self.next;
        self.next = tag.checked_add(self.workers).unwrap_or(self.worker);
        let index = self.free.pop().unwrap_or_else(|| {
            self.groups.push(Group::default());
            u32::try_from(self.groups.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(group) = self.groups.get_mut(index as usize) {
            group.tag = Some(tag);
        }
        GroupId { index, tag }
    }

    /// Ends all groups. Their names do not come again.
    pub(crate) fn clear(&mut self) {
        self.free.clear();
        for (index, group) in (0..).zip(&mut self.groups) {
            *group = Group::default();
            self.free.push(index);
        }
    }

    /// Ends a group; its members are returned.
    pub(crate) fn remove(&mut self, id: GroupId) -> Vec<SessionId> {
        let Some(group) = self.get_mut(id) else { return Vec::new() };
        let members = std::mem::take(group).members;
        self.free.push(id.index);
        members
    }

    /// Whether it was no member before, and is one now.
    pub(crate) fn join(&mut self, id: GroupId, session: SessionId) -> bool {
        let Some(group) = self.get_mut(id) else { return false };
        let new = !group.members.contains(&session);
        if new {
            group.members.push(session);
        }
        new
    }

    /// Whether it was a member.
    pub(crate) fn leave(&mut self, id: GroupId, session: SessionId) -> bool {
        let Some(group) = self.get_mut(id) else { return false };
        let at = group.members.iter().position(|member| *member == session);
        at.map(|at| group.members.remove(at)).is_some()
    }

    pub(crate) fn members(&self, id: GroupId) -> &[SessionId] {
        let group = self.groups.get(id.index as usize).filter(|group| group.tag == Some(id.tag));
        group.map_or(&[], |group| &group.members)
    }

    fn get_mut(&mut self, id: GroupId) -> Option<&mut Group> {
        self.groups.get_mut(id.index as usize).filter(|group| group.tag == Some(id.tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_ended_is_not_the_one_that_took_its_place() {
        let mut groups = Groups::new(1, 3);
        let (first, session) = (groups.create(), SessionId::new(1, 0));
        assert!(groups.join(first, session));
        assert!(!groups.join(first, session), "a member joins once");
        assert_eq!(groups.remove(first), [session]);
        let second = groups.create();
        assert!(!groups.join(first, session));
        assert!(groups.members(first).is_empty() && groups.members(second).is_empty());
        assert!(!groups.leave(second, session));
        assert!(groups.join(second, session));
        groups.clear();
        let third = groups.create();
        assert!(third != second && groups.members(second).is_empty() && !groups.join(second, session));
    }

    #[test]
    fn no_two_workers_have_a_group_of_one_name() {
        let session = SessionId::new(1, 0);
        let mut all: Vec<_> = (0..3).map(|worker| Groups::new(worker, 3)).collect();
        // Also where the tags begin again.
        for groups in &mut all[1..] {
            groups.next = u32::MAX - 5 + groups.worker;
        }
        for _ in 0..10 {
            let ids: Vec<_> = all.iter_mut().map(Groups::create).collect();
            for (own, groups) in all.iter_mut().enumerate() {
                let joined: Vec<_> = ids.iter().map(|id| groups.join(*id, session)).collect();
                assert!(
                    joined.iter().enumerate().all(|(at, joined)| *joined == (at == own)),
                    "{own}: {ids:?}"
                );
            }
        }
    }
}
