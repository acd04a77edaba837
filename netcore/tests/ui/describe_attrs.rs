use netcore::Describe;

#[derive(Describe)]
struct WithType<T> {
    value: T,
}

#[derive(Describe)]
#[describe(name = "Other")]
struct UnknownOnType {
    value: u8,
}

#[derive(Describe)]
struct UnknownOnField {
    #[describe(skip)]
    value: u8,
}

#[derive(Describe)]
struct WithLifetime<'a> {
    value: &'a str,
}

#[derive(Describe)]
union Both {
    a: u32,
    b: f32,
}

fn main() {}
