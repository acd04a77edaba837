//! The metrics' units and meanings, for recorders that show them. The manual has the same table.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Tells the recorder what each metric is.
pub(super) fn describe() {
    for (name, kind, unit, meaning) in METRICS {
        match kind {
            Kind::Counter => describe_counter!(*name, *unit, *meaning),
            Kind::Gauge => describe_gauge!(*name, *unit, *meaning),
            Kind::Histogram => describe_histogram!(*name, *unit, *meaning),
        }
    }
}

#[rustfmt::skip]
const METRICS: &[(&str, Kind, Unit, &str)] = &[
    ("netcore_packets_received_total", Kind::Counter, Unit::Count, "packets that came and were decoded"),
    ("netcore_packet_bytes_received_total", Kind::Counter, Unit::Bytes, "the bytes of these packets, headers included"),
    ("netcore_packets_sent_total", Kind::Counter, Unit::Count, "packets that were accepted for a peer"),
    ("netcore_packet_bytes_sent_total", Kind::Counter, Unit::Bytes, "the bytes of these packets, headers included"),
    ("netcore_decode_errors_total", Kind::Counter, Unit::Count, "what came in place of packets"),
    ("netcore_inflated_bytes_total", Kind::Counter, Unit::Bytes, "bytes that compressed packets were inflated to, headers included"),
    ("netcore_bytes_received_total", Kind::Counter, Unit::Bytes, "bytes read from peers"),
    ("netcore_bytes_sent_total", Kind::Counter, Unit::Bytes, "bytes written to peers"),
    ("netcore_sessions_open", Kind::Gauge, Unit::Count, "sessions that are open"),
    ("netcore_sessions_held", Kind::Gauge, Unit::Count, "places of `max_sessions` that are taken, also by sessions that have ended and wait for the game"),
    ("netcore_sessions_opened_total", Kind::Counter, Unit::Count, "sessions that began"),
    ("netcore_sessions_closed_total", Kind::Counter, Unit::Count, "sessions that ended"),
    ("netcore_connections_refused_total", Kind::Counter, Unit::Count, "connections that were refused"),
    ("netcore_refusals_untold_total", Kind::Counter, Unit::Count, "connections that were refused and not told why, because too many were being told"),
    ("netcore_accept_errors_total", Kind::Counter, Unit::Count, "accepts that failed, out of descriptors mostly"),
    ("netcore_queue_bytes", Kind::Histogram, Unit::Bytes, "what waits for a peer, looked at each second for each session"),
    ("netcore_inbox_full_total", Kind::Counter, Unit::Count, "times that a socket was not read because too much waited"),
    ("netcore_messages_refused_total", Kind::Counter, Unit::Count, "messages and background work that had no room at a worker"),
    ("netcore_closes_cut_total", Kind::Counter, Unit::Count, "sessions that had closed, and whose last words were thrown away because their peer did not take them"),
    ("netcore_queues_full_total", Kind::Counter, Unit::Count, "how often the queues of all sessions together were over their bound"),
    ("netcore_packets_dropped_total", Kind::Counter, Unit::Count, "packets that were dropped"),
    ("netcore_packets_over_rate_total", Kind::Counter, Unit::Count, "packets that were too fast and passed"),
    ("netcore_tick_lateness_seconds", Kind::Histogram, Unit::Seconds, "how long after its time a tick began"),
    ("netcore_tick_duration_seconds", Kind::Histogram, Unit::Seconds, "how long a tick took"),
    ("netcore_ticks_skipped_total", Kind::Counter, Unit::Count, "ticks that were skipped because the worker was late"),
    ("netcore_timers_refused_total", Kind::Counter, Unit::Count, "timers that were refused because too many ran"),
    ("netcore_panics_total", Kind::Counter, Unit::Count, "panics of the game's code"),
    ("netcore_client_request_seconds", Kind::Histogram, Unit::Seconds, "the time from a client's request to its answer"),
    ("netcore_client_connected_total", Kind::Counter, Unit::Count, "connections that clients which reconnect have made"),
    ("netcore_client_lost_total", Kind::Counter, Unit::Count, "connections that they have lost"),
    ("netcore_client_tries_failed_total", Kind::Counter, Unit::Count, "their tries that failed"),
    ("netcore_cluster_away", Kind::Gauge, Unit::Count, "nodes whose backplane is away"),
    ("netcore_cluster_published_total", Kind::Counter, Unit::Count, "messages that the backplane took"),
    ("netcore_cluster_delivered_total", Kind::Counter, Unit::Count, "messages that were handed to a worker"),
    ("netcore_cluster_dropped_total", Kind::Counter, Unit::Count, "messages that were dropped because too many waited"),
    ("netcore_cluster_unsent_total", Kind::Counter, Unit::Count, "messages not sent because the backplane was away"),
    ("netcore_cluster_connected_total", Kind::Counter, Unit::Count, "connections to the backplane that came about"),
    ("netcore_cluster_tries_failed_total", Kind::Counter, Unit::Count, "tries to connect to it that failed"),
    ("netcore_cluster_links_lost_total", Kind::Counter, Unit::Count, "connections to it that were lost"),
    ("netcore_cluster_claims_total", Kind::Counter, Unit::Count, "names that were not granted, granted by this node alone, or lost"),
    ("netcore_cluster_asks_refused_total", Kind::Counter, Unit::Count, "questions and claims refused because too many waited"),
    ("netcore_cluster_panics_total", Kind::Counter, Unit::Count, "panics of the code that makes a message of an event"),
    ("netcore_client_unsent_total", Kind::Counter, Unit::Count, "packets that they had accepted and did not send"),
];
