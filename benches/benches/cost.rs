//! What a packet costs above a bare loop, without a socket's noise. `-- 64x32` (or another part of a name) runs only
//! what has it.

use std::env::args;

use netcore_benches::cost::{Way, nanoseconds};
use netcore_benches::host;

fn main() {
    let once = args().any(|arg| arg == "--test") || !args().any(|arg| arg == "--bench");
    let runs = if once { 1 } else { 15 };
    let filters: Vec<_> = args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    host::print();
    println!(
        "packets under way x bytes of body; nanoseconds a packet above the bare loop, and of the codec's; the best of {runs}"
    );
    for (window, body) in [(64, 32), (64, 64), (512, 64), (1, 32), (1, 64)] {
        if !filters.is_empty() && !filters.iter().any(|filter| format!("{window}x{body}").contains(filter)) {
            continue;
        }
        let took = nanoseconds(window, body, runs);
        let [bare, .., codec] = took;
        println!("{window}x{body}: bare loop {bare:.1}");
        for (way, ns) in Way::ALL.into_iter().zip(took).skip(1) {
            println!("  {:<34} {:>7.1}  {:.2}", way.name(), ns - bare, (ns - bare) / (codec - bare));
        }
    }
}
