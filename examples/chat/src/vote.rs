//! A vote: one question, and what those in the room choose.

use std::time::Instant;

use netcore::SessionId;

/// So many different choices a vote takes; a few more where others are taken at the same moment on other nodes.
pub(crate) const CHOICES: usize = 10;

/// An open vote.
#[derive(Debug)]
pub(crate) struct Vote {
    pub(crate) question: String,
    pub(crate) starter: Voter,
    /// The same on all nodes that share the room; 0 where none do.
    pub(crate) id: u64,
    pub(crate) ends: Instant,
    // Those that nobody has any more make room for others, so that nobody uses them up alone.
    choices: Vec<Choice>,
}

#[derive(Debug)]
struct Choice {
    what: String,
    voters: Vec<Voter>,
}

/// Somebody in the room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Voter {
    Here(SessionId),
    /// On another node, in that seat.
    There(u64),
}

/// Others have chosen as many as a vote takes: these.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany(pub(crate) Vec<String>);

impl Vote {
    pub(crate) fn new(question: String, starter: Voter, id: u64, ends: Instant) -> Self {
        Self { question, starter, id, ends, choices: Vec::new() }
    }

    /// Chooses, in place of what this voter chose before.
    pub(crate) fn choose(&mut self, voter: Voter, choice: &str) -> Result<(), TooMany> {
        let others = self.choices.iter().filter(|known| known.voters.iter().any(|other| *other != voter));
        let others: Vec<&str> = others.map(|known| &*known.what).collect();
        if others.len() >= CHOICES && !others.contains(&choice) {
            return Err(TooMany(others.into_iter().map(str::to_owned).collect()));
        }
        self.take(voter, choice);
        Ok(())
    }

    /// Takes down a choice, however many there are.
    pub(crate) fn take(&mut self, voter: Voter, choice: &str) {
        self.forget(voter);
        if let Some(known) = self.choices.iter_mut().find(|known| known.what == choice) {
            return known.voters.push(voter);
        }
        if self.choices.len() >= CHOICES {
            self.choices.retain(|known| !known.voters.is_empty());
        }
        self.choices.push(Choice { what: choice.to_owned(), voters: vec![voter] });
    }

    /// Who leaves does not count.
    pub(crate) fn forget(&mut self, voter: Voter) {
        for known in &mut self.choices {
            known.voters.retain(|other| *other != voter);
        }
    }

    /// Who has chosen what.
    pub(crate) fn ballots(&self) -> impl Iterator<Item = (Voter, &str)> {
        self.choices.iter().flat_map(|known| known.voters.iter().map(|voter| (*voter, &*known.what)))
    }

    /// What was chosen how often: the most first, and of equals what was named first.
    pub(crate) fn tally(&self) -> Vec<(String, usize)> {
        let counts = self.choices.iter().map(|known| (known.what.clone(), known.voters.len()));
        let mut tally: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
        tally.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_choice_of_each_voter_counts_and_the_most_comes_first() {
        let voter = |index| Voter::Here(SessionId::new(index, 0));
        let mut vote = Vote::new("lunch?".into(), voter(1), 0, Instant::now());
        for (who, choice) in [(1, "soup"), (2, "rice"), (3, "rice"), (1, "rice"), (2, "soup"), (4, "tea")] {
            vote.choose(voter(who), choice).unwrap();
        }
        vote.forget(voter(4));
        assert_eq!(vote.tally(), [("rice".to_owned(), 2), ("soup".to_owned(), 1)]);
        assert_eq!(vote.ballots().count(), 3);
    }

    #[test]
    fn so_many_choices_stand_and_whoever_changes_their_mind_uses_none_up() {
        let voter = |index| Voter::Here(SessionId::new(index, 0));
        let mut vote = Vote::new(String::new(), voter(0), 0, Instant::now());
        for number in 0..3 * CHOICES {
            vote.choose(voter(0), &number.to_string()).unwrap();
        }
        assert_eq!(vote.tally(), [("29".to_owned(), 1)]);
        for index in 1..10 {
            vote.choose(voter(index), &index.to_string()).unwrap();
        }
        let stand: Vec<String> = [29, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|number| number.to_string()).into();
        assert_eq!(vote.choose(voter(10), "more"), Err(TooMany(stand)));
        // Nobody else has chosen what this one gives up.
        vote.choose(voter(9), "more").unwrap();
        vote.choose(voter(10), "1").unwrap();
        // What another node took down is counted here, too.
        vote.take(voter(11), "most");
        let tally = vote.tally();
        assert_eq!((tally.len(), &*tally[0].0, tally[0].1), (11, "1", 2));
        assert!(tally.contains(&("more".to_owned(), 1)) && tally.contains(&("most".to_owned(), 1)));
        assert_eq!(vote.ballots().count(), 12);
    }
}
