//! The runtime as its users see it: servers, games and clients, mostly over the door in memory and on a paused clock, so that
//! each run is the same.

mod anew;
mod awaited;
mod backpressure;
mod broadcast;
mod broken;
mod caps;
mod client;
mod common;
mod counted;
mod crowded;
mod cut_off;
mod doors;
mod edges;
mod elsewhere;
mod faults;
mod gone;
#[cfg(feature = "testing")]
mod half_written;
mod last_work;
mod move_edges;
mod moves;
mod odd_answers;
mod overload;
mod panics;
mod pressed;
mod pressure;
mod reconnect;
mod reconnect_odd;
mod reconnect_words;
mod requests;
mod rooms;
mod runtimes;
mod seat_numbers;
mod serve;
mod shutdown;
mod simulation;
mod stalls;
mod storm;
mod text;
mod ticks;
mod timers;
mod turns;
mod ways;
mod wordless;
mod writes;
