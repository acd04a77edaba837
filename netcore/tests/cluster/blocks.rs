//! Numbers that nobody else has.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::mpsc;

use netcore::cluster::{Cluster, Memory};
use proptest::prelude::*;

use crate::common::{Node, World, end, within};
use crate::on_both;

on_both! {
    blocks_of_nodes_never_overlap
    numbers_come_at_once_and_are_nobody_elses
}

async fn blocks_of_nodes_never_overlap(mut world: impl World) {
    let mut nodes = [Node::new(&mut world), Node::new(&mut world), Node::new(&mut world)];
    let mut blocks = Vec::new();
    for round in 0..30_u64 {
        let sizes = [round * round + 1, 1, 1 << round.min(20)];
        let asked = nodes.iter().zip(sizes).map(|(node, size)| node.cluster.block(size));
        let starts = within(futures::future::join_all(asked)).await;
        blocks.extend(starts.into_iter().zip(sizes).map(|(start, size)| {
            let start = start.unwrap();
            start..start + size
        }));
        if round == 15 {
            world.wipe().await;
            for node in &mut nodes {
                node.is_away().await;
                node.is_back().await;
            }
        }
    }
    disjoint(blocks);
    end(&world, &nodes).await;
}

async fn numbers_come_at_once_and_are_nobody_elses(mut world: impl World) {
    let mut nodes = [
        Node::with(world.options().id_block(10)),
        Node::with(world.options().id_block(1_000)),
        Node::with(world.options().id_block(1)),
    ];
    let mut all = HashSet::new();
    let mut take = |nodes: &[Node], times| {
        for node in nodes {
            for _ in 0..times {
                let id = node.cluster.next_id();
                assert!(id < 1 << 63 && all.insert(id), "{id}");
            }
        }
    };
    // Before anything is connected they are made up.
    take(&nodes, 100);
    for node in &nodes {
        node.settle().await;
        node.settle().await;
    }
    assert!(nodes[1].cluster.next_id() < 1 << 62);
    take(&nodes, 100);
    world.cut(1);
    nodes[0].is_away().await;
    take(&nodes, 100);
    world.heal(1);
    nodes[0].is_back().await;
    take(&nodes, 100);
    end(&world, &nodes).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn blocks_never_overlap_whatever_their_sizes_in_threads_of_their_own(
        sizes in prop::collection::vec(prop::collection::vec(1_u64..5_000, 1..40), 2..5),
    ) {
        let memory = Memory::new();
        let (sender, blocks) = mpsc::channel();
        std::thread::scope(|threads| {
            for sizes in sizes {
                let (line, sender) = (memory.line(), sender.clone());
                threads.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                    runtime.block_on(async {
                        let (cluster, starter) = Cluster::new(line);
                        let _events = starter.start_events();
                        for size in sizes {
                            let start = cluster.block(size).await.unwrap();
                            sender.send(start..start + size).unwrap();
                        }
                    });
                });
            }
            drop(sender);
        });
        disjoint(blocks.iter().collect());
    }
}

fn disjoint(mut blocks: Vec<Range<u64>>) {
    blocks.sort_by_key(|block| block.start);
    for pair in blocks.windows(2) {
        assert!(pair[0].end <= pair[1].start, "{pair:?}");
    }
    assert!(blocks.iter().all(|block| block.start > 0 && block.end < 1 << 62));
}
