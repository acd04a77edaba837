//! Any operations at all, by the functions that the fuzz targets run too.

use netcore::testing::fuzz;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn an_outbox_does_what_the_plainest_list_of_packets_does(ops in prop::collection::vec(any::<u8>(), 0..600)) {
        fuzz::outbox_ops(&ops);
    }

    #[test]
    fn two_sessions_lose_and_double_nothing_without_a_reason(ops in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzz::session_pair(&ops);
    }
}
