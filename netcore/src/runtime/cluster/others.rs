//! The other nodes: who is there, and who is there no more.

use tokio::time::Instant;

use super::backplane::Op;
use super::core::{Core, State, Then};
use super::{Event, Holder, MAX_LIST, NODES};

impl Core {
    pub(super) fn watch_nodes(&self, state: &mut State) {
        if !std::mem::replace(&mut state.watching, true) {
            self.push(state, Op::List { prefix: NODES.into(), limit: MAX_LIST }, Then::Nodes);
        }
    }

    pub(super) fn nodes_are(&self, holders: &[Holder], more: bool) {
        let mut state = self.lock();
        state.watching = false;
        let mut events = Vec::new();
        state.all_back = state.all_back.filter(|all_back| Instant::now() < *all_back);
        if state.all_back.is_none() {
            state.nodes.values_mut().for_each(|missed| *missed += 1);
        }
        for holder in holders.iter().filter(|holder| holder.node != self.node()) {
            if state.nodes.insert(holder.node, 0).is_none() {
                events.push(Event::NodeUp { node: holder.node, value: holder.value.clone() });
            }
        }
        if !more {
            state.nodes.retain(|node, missed| {
                if *missed >= MISSED {
                    events.push(Event::NodeDown { node: *node });
                }
                *missed < MISSED
            });
        }
        let workers = state.workers.clone();
        drop(state);
        let all =
            events.into_iter().flat_map(|event| workers.iter().map(move |worker| (*worker, event.clone())));
        self.ear.notices(all);
    }
}

// Listings in a row without a node: a third of the names' lifetime lies between two.
const MISSED: u32 = 2;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::runtime::cluster::outlet::Outlet;
    use crate::runtime::cluster::{Memory, NodeId, Options};

    /// A worker with room for everything.
    #[derive(Default)]
    struct Hears(Mutex<Vec<Event>>);

    impl Outlet for Hears {
        fn message(&self, worker: usize, event: Event, _: usize) -> bool {
            self.notice(worker, event)
        }

        fn notice(&self, _: usize, event: Event) -> bool {
            self.0.lock().unwrap().push(event);
            false
        }

        fn retry(&self) -> bool {
            false
        }
    }

    #[test]
    fn nodes_that_go_together_are_told_in_the_order_of_their_numbers() {
        let (core, heard) = (Core::new(Options::new(Memory::new())), Arc::new(Hears::default()));
        core.ear.hand_to(Some(heard.clone()));
        let nodes = (1..=64).map(NodeId::new);
        let there =
            nodes.clone().rev().map(|node| Holder::new("n".into(), node, Default::default(), "".into()));
        core.nodes_are(&there.collect::<Vec<_>>(), false);
        heard.0.lock().unwrap().clear();
        for _ in 0..MISSED {
            core.nodes_are(&[], false);
        }
        let gone: Vec<_> = nodes.map(|node| Event::NodeDown { node }).collect();
        assert_eq!(*heard.0.lock().unwrap(), gone);
    }
}
