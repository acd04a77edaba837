//! A `fixed` size that no body has, where a packet's own least size does not say it.

use netcore::Raw;

#[derive(Raw)]
struct Optional {
    #[raw(fixed = 10_000_000)]
    text: Option<String>,
}

#[derive(Raw)]
struct Items {
    #[raw(count = u8, item(fixed = 65_531))]
    texts: Vec<String>,
}

fn main() {}
