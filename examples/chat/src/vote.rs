//! A vote: one question, and what those in the room choose.

use std::time::Instant;

use netcore::SessionId;

/// So many different choices a vote takes.
pub(crate) const CHOICES: usize = 10;

/// An open vote.
#[derive(Debug)]
pub(crate) struct Vote {
    pub(crate) question: String,
    pub(crate) starter: Voter,
    /// The same on all nodes that share the room; 0 where none do.
    pub(crate) id: u64,
    pub(crate) ends: Instant,
    choices: Vec<String>,
    // Who has chosen, and which.
    ballots: Vec<(Voter, usize)>,
}

/// Somebody in the room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Voter {
    Here(SessionId),
    /// On another node, in that seat.
    There(u64),
}

/// There are as many choices as a vote takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Vote {
    pub(crate) fn new(question: String, starter: Voter, id: u64, ends: Instant) -> Self {
        Self { question, starter, id, ends, choices: Vec::new(), ballots: Vec::new() }
    }

    /// Chooses, in place of what this voter chose before.
    pub(crate) fn choose(&mut self, voter: Voter, choice: &str) -> Result<(), TooMany> {
        let known = self.choices.iter().position(|known| known == choice);
        let choice = match known {
            Some(known) => known,
            None if self.choices.len() >= CHOICES => return Err(TooMany),
            None => {
                self.choices.push(choice.to_owned());
                self.choices.len() - 1
            }
        };
        self.forget(voter);
        self.ballots.push((voter, choice));
        Ok(())
    }

    /// Who leaves does not count.
    pub(crate) fn forget(&mut self, voter: Voter) {
        self.ballots.retain(|(other, _)| *other != voter);
    }

    pub(crate) fn ballots(&self) -> impl ExactSizeIterator<Item = (Voter, &str)> {
        self.ballots.iter().map(|(voter, choice)| {
            (*voter, self.choices.get(*choice).map(String::as_str).unwrap_or_default())
        })
    }

    /// What was chosen how often: the most first, and of equals what was named first.
    pub(crate) fn tally(&self) -> Vec<(String, usize)> {
        let count = |choice| self.ballots.iter().filter(|(_, chosen)| *chosen == choice).count();
        let counts = self.choices.iter().enumerate().map(|(number, choice)| (choice.clone(), count(number)));
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
        assert_eq!(vote.ballots().len(), 3);
    }

    #[test]
    fn a_vote_takes_so_many_choices_and_no_more() {
        let voter = Voter::Here(SessionId::new(1, 0));
        let mut vote = Vote::new(String::new(), voter, 0, Instant::now());
        for number in 0..CHOICES {
            vote.choose(voter, &number.to_string()).unwrap();
        }
        assert_eq!(vote.choose(voter, "more"), Err(TooMany));
        assert_eq!(vote.tally(), [("9".to_owned(), 1)]);
    }
}
