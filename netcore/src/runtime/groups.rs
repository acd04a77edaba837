//! Sets of sessions that hear the same thing.

use crate::session::SessionId;

/// Names a group of one worker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct GroupId {
    index: u32,
    generation: u32,
}

/// The groups of one worker, each with its members in the order in which they joined.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: Vec<Group>,
    free: Vec<u32>,
}

#[derive(Debug, Default)]
struct Group {
    generation: u32,
    members: Vec<SessionId>,
}

impl Groups {
    pub(crate) fn create(&mut self) -> GroupId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.groups.push(Group::default());
            u32::try_from(self.groups.len() - 1).unwrap_or(u32::MAX)
        });
        let generation = self.groups.get(index as usize).map_or(0, |group| group.generation);
        GroupId { index, generation }
    }

    /// Ends all groups. Their names do not come again.
    pub(crate) fn clear(&mut self) {
        self.free.clear();
        for (index, group) in (0..).zip(&mut self.groups) {
            group.generation = group.generation.wrapping_add(1);
            group.members = Vec::new();
            self.free.push(index);
        }
    }

    /// Ends a group; its members are returned.
    pub(crate) fn remove(&mut self, id: GroupId) -> Vec<SessionId> {
        let Some(group) = self.get_mut(id) else { return Vec::new() };
        group.generation = group.generation.wrapping_add(1);
        let members = std::mem::take(&mut group.members);
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
        let group = self.groups.get(id.index as usize).filter(|group| group.generation == id.generation);
        group.map_or(&[], |group| &group.members)
    }

    fn get_mut(&mut self, id: GroupId) -> Option<&mut Group> {
        self.groups.get_mut(id.index as usize).filter(|group| group.generation == id.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_ended_is_not_the_one_that_took_its_place() {
        let mut groups = Groups::default();
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
}
