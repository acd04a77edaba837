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
