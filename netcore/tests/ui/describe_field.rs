use netcore::Describe;

struct Plain;

#[derive(Describe)]
struct Outer {
    plain: Plain,
    list: Vec<Plain>,
}

fn main() {}
