//! The raw layout, kind of field by kind of field: its exact bytes, the way back, its bounds and its errors.

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use netcore::body::{BodyErrorKind, Format, LittleEndian, RawBody, Reader};
use netcore::schema::Type;
use netcore::{BodyError, EncodeError, Frame, Packet, PacketErrorKind, Raw};

fn encoded<T: RawBody>(value: &T) -> Result<Vec<u8>, BodyError> {
    let mut bytes = BytesMut::new();
    <Raw as Format<T>>::encode(value, &mut bytes)?;
    Ok(bytes.to_vec())
}

fn decoded<T: RawBody>(bytes: &[u8]) -> Result<T, BodyError> {
    let mut body = Reader::new(bytes);
    let value = <Raw as Format<T>>::decode(&mut body)?;
    body.finish()?;
    Ok(value)
}

/// `value` is written as `bytes` and read from them, from no fewer of them, and within the sizes that its type tells.
#[track_caller]
fn assert_layout<T: RawBody + PartialEq + Debug>(value: &T, bytes: &[u8]) {
    assert_eq!(encoded(value).unwrap(), bytes);
    assert_eq!(decoded::<T>(bytes).unwrap(), *value);
    let (least, most) = T::TYPE.sizes();
    assert_eq!(least, <T as RawBody>::MIN);
    assert!(least <= bytes.len() && most.is_none_or(|most| bytes.len() <= most), "{least} to {most:?}");
    assert_eq!(T::TYPE.fixed_size(), T::FIXED.then_some(T::MIN));
    if T::FIXED {
        assert_eq!(bytes.len(), T::MIN);
        for short in 0..bytes.len() {
            let error = decoded::<T>(&bytes[..short]).unwrap_err();
            assert!(matches!(error.kind(), BodyErrorKind::Short { .. }), "{error}");
        }
    }
}

#[track_caller]
fn assert_refused<T: RawBody + Debug>(bytes: &[u8], kind: BodyErrorKind, words: &str) {
    let error = decoded::<T>(bytes).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, words));
}

#[track_caller]
fn assert_not_written<T: RawBody>(value: &T, kind: BodyErrorKind) {
    assert_eq!(encoded(value).unwrap_err().kind(), kind);
}

macro_rules! raw {
    ($($item:item)*) => {$(#[derive(Raw, Clone, Debug, PartialEq)] $item)*};
}

raw! {
    struct Numbers {
        a: u8,
        b: u16,
        c: u32,
        d: u64,
        e: u128,
        f: i8,
        g: i16,
        h: i32,
        i: i64,
        j: i128,
        k: f32,
        l: f64,
        m: bool,
    }

    #[raw(big_endian)]
    struct BigNumbers {
        a: u8,
        b: u16,
        c: u32,
        d: u64,
        e: u128,
        f: i8,
        g: i16,
        h: i32,
        i: i64,
        j: i128,
        k: f32,
        l: f64,
        m: bool,
    }

    struct Point {
        x: i16,
        y: i16,
    }

    struct Pair(u8, u16);

    struct One(u32);

    struct Unit;

    struct Braces {}

    struct Nested {
        unit: Unit,
        point: Point,
        pair: Pair,
        one: One,
        boxed: Box<Point>,
    }

    struct Arrays {
        bytes: [u8; 3],
        numbers: [u16; 2],
        points: [Point; 2],
        none: [u32; 0],
        grid: [[u8; 2]; 2],
    }

    struct Options {
        number: Option<u16>,
        point: Option<Point>,
        twice: Option<Option<u8>>,
    }
}

#[test]
fn numbers_are_little_endian_one_behind_the_other() {
    let value = Numbers {
        a: 1,
        b: 0x0203,
        c: 0x0405_0607,
        d: 0x0809_0a0b_0c0d_0e0f,
        e: 0x1011_1213_1415_1617_1819_1a1b_1c1d_1e1f,
        f: -2,
        g: -2,
        h: -2,
        i: -2,
        j: -2,
        k: 1.0,
        l: -2.0,
        m: true,
    };
    let mut bytes = vec![1, 3, 2, 7, 6, 5, 4];
    bytes.extend((8..=0x0f).rev());
    bytes.extend((0x10..=0x1f).rev());
    for len in [1, 2, 4, 8, 16] {
        bytes.push(0xfe);
        bytes.extend(std::iter::repeat_n(0xff, len - 1));
    }
    bytes.extend([0, 0, 0x80, 0x3f]);
    bytes.extend([0, 0, 0, 0, 0, 0, 0, 0xc0]);
    bytes.push(1);
    assert_layout(&value, &bytes);
}

#[test]
fn numbers_of_a_big_endian_struct_have_their_high_byte_first() {
    let value = BigNumbers {
        a: 1,
        b: 0x0203,
        c: 0x0405_0607,
        d: 0x0809_0a0b_0c0d_0e0f,
        e: 0x1011_1213_1415_1617_1819_1a1b_1c1d_1e1f,
        f: -2,
        g: -2,
        h: -2,
        i: -2,
        j: -2,
        k: 1.0,
        l: -2.0,
        m: false,
    };
    let mut bytes: Vec<u8> = (1..=0x1f).collect();
    for len in [1, 2, 4, 8, 16] {
        bytes.extend(std::iter::repeat_n(0xff, len - 1));
        bytes.push(0xfe);
    }
    bytes.extend([0x3f, 0x80, 0, 0]);
    bytes.extend([0xc0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.push(0);
    assert_layout(&value, &bytes);
}

#[test]
fn a_number_that_is_no_number_comes_back_bit_by_bit() {
    for bits in [f32::NAN.to_bits(), 0xffc0_0001, f32::INFINITY.to_bits(), 0x8000_0000] {
        let bytes = encoded(&f32::from_bits(bits)).unwrap();
        assert_eq!(bytes, bits.to_le_bytes());
        assert_eq!(decoded::<f32>(&bytes).unwrap().to_bits(), bits);
    }
}

#[test]
fn a_bool_is_nothing_but_zero_or_one() {
    assert_layout(&true, &[1]);
    assert_layout(&false, &[0]);
    assert_refused::<bool>(&[2], BodyErrorKind::Bool(2), "a bool is 2, neither 0 nor 1");
    assert_refused::<Option<u8>>(&[2, 0], BodyErrorKind::Bool(2), "a bool is 2, neither 0 nor 1");
}

#[test]
fn structs_of_all_shapes_are_their_fields() {
    assert_layout(&Unit, &[]);
    assert_layout(&Braces {}, &[]);
    assert_layout(&Pair(1, 2), &[1, 2, 0]);
    assert_layout(&One(1), &[1, 0, 0, 0]);
    let value = Nested {
        unit: Unit,
        point: Point { x: 1, y: -1 },
        pair: Pair(3, 4),
        one: One(5),
        boxed: Box::new(Point { x: 6, y: 7 }),
    };
    assert_layout(&value, b"\x01\0\xff\xff\x03\x04\0\x05\0\0\0\x06\0\x07\0");
}

#[test]
fn an_array_is_its_items() {
    let value = Arrays {
        bytes: [1, 2, 3],
        numbers: [4, 5],
        points: [Point { x: 6, y: 7 }, Point { x: 8, y: 9 }],
        none: [],
        grid: [[10, 11], [12, 13]],
    };
    assert_layout(&value, b"\x01\x02\x03\x04\0\x05\0\x06\0\x07\0\x08\0\x09\0\x0a\x0b\x0c\x0d");
}

#[test]
fn an_option_is_a_byte_and_then_its_value() {
    let none = Options { number: None, point: None, twice: None };
    assert_layout(&none, &[0, 0, 0]);
    let some = Options { number: Some(1), point: Some(Point { x: 2, y: 3 }), twice: Some(None) };
    assert_layout(&some, b"\x01\x01\0\x01\x02\0\x03\0\x01\0");
    let both = Options { number: None, point: None, twice: Some(Some(9)) };
    assert_layout(&both, &[0, 0, 1, 1, 9]);
}

raw! {
    #[raw(tag = u8)]
    enum Shape {
        Nothing,
        Dot(Point),
        #[raw(tag = 7)]
        Line { from: Point, to: Point },
        Two(u8, u8),
        #[raw(tag = 200)]
        Text(#[raw(len = u8)] String),
    }

    #[raw(tag = i16)]
    enum Signed {
        Low = -300,
        Next,
        #[raw(tag = -1)]
        Minus,
        Zero,
    }

    #[raw(tag = u16, big_endian)]
    #[repr(u16)]
    enum Even {
        A(u16) = 0x0102,
        B(i16) = 3,
    }

    #[raw(tag = i8)]
    enum Wide {
        Low = -128,
        High = 127,
    }

    #[raw(tag = u32)]
    enum Far {
        #[raw(tag = 4294967295)]
        Away,
    }

    #[raw(tag = i32)]
    enum Deep {
        #[raw(tag = -2147483648)]
        Down,
    }
}

#[test]
fn an_enum_is_its_tag_and_the_variants_fields() {
    assert_layout(&Shape::Nothing, &[0]);
    assert_layout(&Shape::Dot(Point { x: 1, y: 2 }), &[1, 1, 0, 2, 0]);
    let line = Shape::Line { from: Point { x: 1, y: 2 }, to: Point { x: 3, y: 4 } };
    assert_layout(&line, &[7, 1, 0, 2, 0, 3, 0, 4, 0]);
    assert_layout(&Shape::Two(5, 6), &[8, 5, 6]);
    assert_layout(&Shape::Text("a".into()), &[200, 1, b'a']);
    assert_eq!(<Shape as RawBody>::TYPE.sizes(), (1, Some(257)));
}

#[test]
fn a_tag_is_the_discriminant_or_one_more_than_the_last() {
    assert_layout(&Signed::Low, &(-300i16).to_le_bytes());
    assert_layout(&Signed::Next, &(-299i16).to_le_bytes());
    assert_layout(&Signed::Minus, &[0xff, 0xff]);
    assert_layout(&Signed::Zero, &[0, 0]);
    assert_layout(&Wide::Low, &[0x80]);
    assert_layout(&Wide::High, &[0x7f]);
    assert_layout(&Far::Away, &[0xff; 4]);
    assert_layout(&Deep::Down, &[0, 0, 0, 0x80]);
}

#[test]
fn an_enum_whose_variants_are_all_of_one_size_has_that_size() {
    assert_layout(&Even::A(4), &[1, 2, 0, 4]);
    assert_layout(&Even::B(-2), &[0, 3, 0xff, 0xfe]);
    assert_eq!(<Even as RawBody>::TYPE.fixed_size(), Some(4));
}

#[test]
fn a_tag_that_no_variant_has_is_refused() {
    assert_refused::<Shape>(&[9], BodyErrorKind::Tag(9), "no variant has the tag 9");
    assert_refused::<Signed>(&[0xfe, 0xff], BodyErrorKind::Tag(-2), "no variant has the tag -2");
    let short = BodyErrorKind::Short { need: 1, have: 0 };
    assert_refused::<Shape>(&[8, 1], short, "Two.1: 1 bytes are needed, 0 are left");
}

macro_rules! prefixed {
    ($($name:ident $len:ident)*) => {
        raw! {$(
            struct $name {
                #[raw(len = $len)]
                text: String,
                #[raw(len = $len)]
                vec: Vec<u8>,
                #[raw(len = $len)]
                bytes: Bytes,
                #[raw(count = $len)]
                list: Vec<u16>,
            }
        )*}

        #[test]
        fn a_length_or_count_in_front_may_be_of_every_kind() {
            $({
                let value = $name {
                    text: "é".into(),
                    vec: vec![0, 1],
                    bytes: Bytes::from_static(b"xyz"),
                    list: vec![5, 6],
                };
                let mut bytes = Vec::new();
                for (len, body) in [(2, &b"\xc3\xa9"[..]), (2, b"\0\x01"), (3, b"xyz"), (2, b"\x05\0\x06\0")] {
                    bytes.extend($len::to_le_bytes(len));
                    bytes.extend(body);
                }
                assert_layout(&value, &bytes);
                let empty = $name { text: String::new(), vec: vec![], bytes: Bytes::new(), list: vec![] };
                assert_layout(&empty, &vec![0; 4 * size_of::<$len>()]);
            })*
        }
    };
}

prefixed! { LenU8 u8 LenU16 u16 LenU32 u32 LenI8 i8 LenI16 i16 LenI32 i32 }

#[test]
fn a_length_below_zero_is_refused() {
    let negative = BodyErrorKind::NegativeLength;
    assert_refused::<LenI8>(&[0xff, 0, 0, 0], negative, "text: a length is below zero");
    assert_refused::<LenI16>(&[0, 0, 0, 0x80], negative, "vec: a length is below zero");
    let mut bytes = [0; 16];
    bytes[12..].copy_from_slice(&(-1i32).to_le_bytes());
    assert_refused::<LenI32>(&bytes, negative, "list: a length is below zero");
}

#[test]
fn a_length_that_its_integer_cannot_hold_is_not_written() {
    let long = |len| LenI8 { text: "a".repeat(len), vec: vec![], bytes: Bytes::new(), list: vec![] };
    assert_eq!(encoded(&long(127)).unwrap().len(), 131);
    let kind = encoded(&long(128)).unwrap_err().kind();
    assert!(matches!(kind, BodyErrorKind::TooLong { len: 128, .. }), "{kind:?}");
    let long = |len| LenU8 { text: String::new(), vec: vec![], bytes: Bytes::new(), list: vec![0; len] };
    assert_eq!(encoded(&long(255)).unwrap().len(), 514);
    assert!(encoded(&long(256)).is_err());
}

#[test]
fn a_length_that_claims_more_than_is_there_is_refused() {
    let short = BodyErrorKind::Short { need: 5, have: 2 };
    assert_refused::<LenU8>(b"\x05ab", short, "text: 5 bytes are needed, 2 are left");
    let mut bytes = vec![0; 12];
    bytes.extend([0xff; 4]);
    bytes.extend([1, 0]);
    // Four billion items of 2 bytes: were room made for them, this would be 8 GiB.
    let need = u32::MAX as usize * 2;
    let words = format!("list: {need} bytes are needed, 2 are left");
    assert_refused::<LenU32>(&bytes, BodyErrorKind::Short { need, have: 2 }, &words);
}

#[test]
fn text_that_is_not_utf_8_is_refused() {
    let kind = BodyErrorKind::NotUtf8 { valid: 1 };
    assert_refused::<LenU8>(b"\x02a\xff\0\0\0", kind, "text: text is not UTF-8 after its first 1 bytes");
}

raw! {
    struct Held {
        text_len: u16,
        count: i8,
        #[raw(len_in = text_len)]
        text: String,
        #[raw(count_in = count, max = 2)]
        list: Vec<u16>,
        #[raw(len_in = text_len)]
        bytes: Bytes,
    }

    struct HeldByPlace(u8, #[raw(len = u8)] String);

    struct Padded {
        #[raw(fixed = 4)]
        text: String,
        #[raw(fixed = 3)]
        vec: Vec<u8>,
        #[raw(fixed = LEN + 1)]
        bytes: Bytes,
        #[raw(fixed = 4, trim = both)]
        both: String,
        #[raw(fixed = 2, trim = end)]
        end: String,
    }

    struct RestText {
        at: u8,
        #[raw(rest, max = 3)]
        text: String,
    }

    struct RestBytes(#[raw(rest)] Bytes);

    struct RestVec(#[raw(rest)] Vec<u8>);

    struct RestList(#[raw(rest, max = 2)] Vec<Point>);

    struct RestNames(#[raw(rest, item(len = u8))] Vec<String>);
}

const LEN: usize = 1;

#[test]
fn a_length_may_be_in_an_earlier_field() {
    let value =
        Held { text_len: 2, count: 1, text: "hi".into(), list: vec![9], bytes: Bytes::from_static(b"yo") };
    assert_layout(&value, b"\x02\0\x01hi\x09\0yo");
    assert_layout(&HeldByPlace(1, "a".into()), &[1, 1, b'a']);
    assert_refused::<Held>(b"\0\0\xff", BodyErrorKind::NegativeLength, "list: a length is below zero");
    let long = BodyErrorKind::TooLong { len: 3, max: 2 };
    assert_refused::<Held>(b"\0\0\x03\0\0\0\0\0\0", long, "list: a length of 3 is over the bound of 2");
}

#[test]
fn a_value_that_is_not_as_long_as_another_field_says_is_not_written() {
    let value = Held { text_len: 2, count: 1, text: "hi".into(), list: vec![9], bytes: Bytes::new() };
    let error = encoded(&value).unwrap_err();
    assert_eq!(error.kind(), BodyErrorKind::CountMismatch { says: 2, have: 0 });
    assert_eq!(error.to_string(), "bytes: the length field says 2, the value has 0");
    let value = Held { text_len: 0, count: -1, text: String::new(), list: vec![], bytes: Bytes::new() };
    assert_not_written(&value, BodyErrorKind::NegativeLength);
    let value = Held { text_len: 0, count: 3, text: String::new(), list: vec![0; 3], bytes: Bytes::new() };
    assert_not_written(&value, BodyErrorKind::TooLong { len: 3, max: 2 });
}

#[test]
fn a_fixed_size_is_filled_with_zeros_that_the_reader_takes_away() {
    let value = Padded {
        text: "ab".into(),
        vec: vec![0, 1],
        bytes: Bytes::from_static(b"xy"),
        both: "c".into(),
        end: String::new(),
    };
    let bytes = b"ab\0\0\0\x01\0xyc\0\0\0\0\0";
    assert_layout(&value, bytes);
    // Text that was padded in front, too.
    let mut in_front = *bytes;
    in_front[9..13].copy_from_slice(b"\0\0c\0");
    assert_eq!(decoded::<Padded>(&in_front).unwrap(), value);
    let full = Padded { text: "abcd".into(), both: "a\0bc".into(), end: "\0a".into(), ..value };
    assert_layout(&full, b"abcd\0\x01\0xya\0bc\0a");
}

#[test]
fn what_does_not_fit_its_fixed_size_or_would_lose_a_zero_is_not_written() {
    let good = Padded {
        text: String::new(),
        vec: vec![],
        bytes: Bytes::new(),
        both: String::new(),
        end: String::new(),
    };
    assert_layout(&good, &[0; 15]);
    assert_not_written(
        &Padded { text: "abcde".into(), ..good.clone() },
        BodyErrorKind::TooLong { len: 5, max: 4 },
    );
    assert_not_written(&Padded { text: "a\0".into(), ..good.clone() }, BodyErrorKind::PaddedZero);
    assert_not_written(&Padded { vec: vec![0], ..good.clone() }, BodyErrorKind::PaddedZero);
    assert_not_written(&Padded { both: "\0a".into(), ..good.clone() }, BodyErrorKind::PaddedZero);
    let error = encoded(&Padded { end: "a\0".into(), ..good }).unwrap_err();
    assert_eq!(error.to_string(), "end: a zero at the edge would be read as padding");
}

#[test]
fn the_rest_goes_to_the_bodys_end() {
    assert_layout(&RestText { at: 1, text: String::new() }, &[1]);
    assert_layout(&RestText { at: 1, text: "abc".into() }, b"\x01abc");
    assert_layout(&RestBytes(Bytes::from_static(b"\0\xff")), b"\0\xff");
    assert_layout(&RestVec(vec![0, 0xff]), b"\0\xff");
    assert_layout(&RestList(vec![]), &[]);
    assert_layout(&RestList(vec![Point { x: 1, y: 2 }; 2]), b"\x01\0\x02\0\x01\0\x02\0");
    assert_layout(&RestNames(vec!["a".into(), String::new(), "bc".into()]), b"\x01a\0\x02bc");
}

#[test]
fn the_rest_has_a_bound_too() {
    let long = BodyErrorKind::TooLong { len: 4, max: 3 };
    assert_refused::<RestText>(b"\x01abcd", long, "text: a length of 4 is over the bound of 3");
    assert_not_written(&RestText { at: 1, text: "abcd".into() }, long);
    let long = BodyErrorKind::TooLong { len: 3, max: 2 };
    assert_refused::<RestList>(&[0; 12], long, "0: a length of 3 is over the bound of 2");
    assert_not_written(&RestList(vec![Point { x: 0, y: 0 }; 3]), long);
    let short = BodyErrorKind::Short { need: 4, have: 3 };
    assert_refused::<RestList>(&[0; 7], short, "0: 4 bytes are needed, 3 are left");
}

raw! {
    struct User {
        id: u16,
        #[raw(len = u8, max = 4)]
        name: String,
    }

    struct Lists {
        #[raw(count = u8, item(len = u8, max = 2))]
        names: Vec<String>,
        #[raw(count = u8, item(count = u8, item(fixed = 2)))]
        grid: Vec<Vec<String>>,
        #[raw(count = u8)]
        users: Vec<User>,
        #[raw(count = u8)]
        bytes: Vec<u8>,
        #[raw(count = u8, item(len = u8))]
        maybe: Vec<Option<String>>,
        #[raw(len = u8)]
        name: Option<String>,
        #[raw(count = u8)]
        list: Option<Vec<u16>>,
        #[raw(fixed = 2)]
        code: Option<Vec<u8>>,
    }

    struct Bounds {
        #[raw(len = u16, max = 3)]
        text: String,
        #[raw(count = u16, max = MOST)]
        list: Vec<u8>,
    }
}

const MOST: usize = 2;

fn lists() -> Lists {
    Lists {
        names: vec![],
        grid: vec![],
        users: vec![],
        bytes: vec![],
        maybe: vec![],
        name: None,
        list: None,
        code: None,
    }
}

#[test]
fn lists_and_options_hand_their_attributes_to_what_they_hold() {
    assert_layout(&lists(), &[0; 8]);
    let value = Lists {
        names: vec!["ab".into(), String::new()],
        grid: vec![vec!["c".into()], vec![]],
        users: vec![User { id: 1, name: "dd".into() }],
        bytes: vec![7, 8],
        maybe: vec![None, Some("e".into())],
        name: Some("f".into()),
        list: Some(vec![3]),
        code: Some(vec![4]),
    };
    let bytes = b"\x02\x02ab\0\x02\x01c\0\0\x01\x01\0\x02dd\x02\x07\x08\x02\0\x01\x01e\x01\x01f\x01\x01\x03\0\x01\x04\0";
    assert_layout(&value, bytes);
}

#[test]
fn an_error_names_the_field_it_is_in() {
    let long = BodyErrorKind::TooLong { len: 3, max: 2 };
    assert_refused::<Lists>(b"\x01\x03abc", long, "names: a length of 3 is over the bound of 2");
    assert_not_written(&Lists { names: vec!["abc".into()], ..lists() }, long);
    let bytes = b"\0\0\x01\x01\0\x05abcde";
    let long = BodyErrorKind::TooLong { len: 5, max: 4 };
    assert_refused::<Lists>(bytes, long, "users.name: a length of 5 is over the bound of 4");
}

#[test]
fn a_bound_holds_on_both_ways_and_lets_pass_what_is_at_it() {
    let at = Bounds { text: "abc".into(), list: vec![1, 2] };
    assert_layout(&at, b"\x03\0abc\x02\0\x01\x02");
    let long = BodyErrorKind::TooLong { len: 4, max: 3 };
    assert_not_written(&Bounds { text: "abcd".into(), list: vec![] }, long);
    assert_refused::<Bounds>(b"\x04\0abcd\0\0", long, "text: a length of 4 is over the bound of 3");
    let long = BodyErrorKind::TooLong { len: 3, max: 2 };
    assert_not_written(&Bounds { text: String::new(), list: vec![0; 3] }, long);
    assert_refused::<Bounds>(b"\0\0\x03\0abc", long, "list: a length of 3 is over the bound of 2");
    assert_eq!(<Bounds as RawBody>::TYPE.sizes(), (4, Some(9)));
}

raw! {
    struct Inherits {
        at: u16,
        #[raw(len = u16)]
        text: String,
    }

    #[raw(big_endian)]
    struct OwnOrder {
        at: u16,
    }

    #[raw(big_endian)]
    struct Big {
        at: u16,
        inner: Inherits,
        array: [Inherits; 1],
        #[raw(count = u16)]
        list: Vec<Inherits>,
        maybe: Option<u16>,
        shape: Signed,
    }

    struct Little {
        at: u16,
        inner: OwnOrder,
        behind: u16,
    }
}

#[test]
fn a_struct_without_an_order_takes_that_of_the_struct_around_it() {
    let inner = Inherits { at: 1, text: "a".into() };
    assert_layout(&inner, b"\x01\0\x01\0a");
    let big = Big {
        at: 2,
        inner: inner.clone(),
        array: [inner.clone()],
        list: vec![inner],
        maybe: Some(3),
        shape: Signed::Low,
    };
    assert_layout(&big, b"\0\x02\0\x01\0\x01a\0\x01\0\x01a\0\x01\0\x01\0\x01a\x01\0\x03\xfe\xd4");
}

#[test]
fn a_struct_with_an_order_keeps_it_everywhere() {
    let little = Little { at: 1, inner: OwnOrder { at: 2 }, behind: 3 };
    assert_layout(&little, b"\x01\0\0\x02\x03\0");
    assert_eq!(<OwnOrder as RawBody<LittleEndian>>::TYPE, <OwnOrder as RawBody>::TYPE);
}

#[derive(Packet, Clone, Debug, PartialEq)]
enum FromServer {
    #[packet(id = 1)]
    Users {
        #[raw(count = u8)]
        users: Vec<User>,
    },
    #[packet(id = 2)]
    Relay {
        to: u8,
        #[raw(len = u8)]
        first: Bytes,
        #[raw(rest)]
        last: Bytes,
    },
    #[packet(id = 3)]
    At(Point),
    #[packet(id = 4, max = 5)]
    Say(#[raw(rest)] String),
    #[packet(id = 5, ignore_extra)]
    Loose(u8),
    #[packet(id = 6)]
    Copy {
        #[raw(rest)]
        bytes: Vec<u8>,
    },
}

fn body(packet: &FromServer) -> Result<Vec<u8>, EncodeError> {
    let mut wire = BytesMut::new();
    packet.encode(&mut wire, u16::MAX)?;
    assert_eq!(usize::from(u16::from_le_bytes([wire[0], wire[1]])), wire.len());
    Ok(wire[5..].to_vec())
}

#[track_caller]
fn assert_malformed(id: u16, body: &'static [u8], kind: BodyErrorKind, words: &str) {
    match FromServer::from_frame(&Frame::new(id, body)).unwrap_err().into_kind() {
        PacketErrorKind::Malformed { id: reported, source } => {
            assert_eq!((reported.0, source.kind(), source.to_string().as_str()), (id, kind, words));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn an_error_in_a_packet_tells_the_whole_way() {
    let long = BodyErrorKind::TooLong { len: 5, max: 4 };
    let words = "Users.users.name: a length of 5 is over the bound of 4";
    assert_malformed(1, b"\x01\x01\0\x05abcde", long, words);
    let packet = FromServer::Users { users: vec![User { id: 1, name: "abcde".into() }] };
    let mut wire = BytesMut::from(&b"before"[..]);
    let EncodeError::Body { id, source } = packet.encode(&mut wire, u16::MAX).unwrap_err() else { panic!() };
    assert_eq!((id, source.to_string().as_str()), (FromServer::USERS_ID, words));
    assert_eq!(&wire[..], b"before");
}

#[test]
fn bytes_left_over_are_an_error_unless_the_packet_allows_them() {
    assert_malformed(3, &[0; 5], BodyErrorKind::Trailing { extra: 1 }, "At: 1 bytes are left over");
    let short = BodyErrorKind::Short { need: 4, have: 3 };
    assert_malformed(3, &[0; 3], short, "At: 4 bytes are needed, 3 are left");
    let loose = FromServer::from_frame(&Frame::new(5, &b"\x07more"[..])).unwrap();
    assert_eq!(loose, FromServer::Loose(7));
}

#[test]
fn a_packets_own_bound_holds_on_both_ways() {
    let say = |text: &str| FromServer::Say(text.into());
    assert_eq!(body(&say("hello")).unwrap(), b"hello");
    assert_eq!(FromServer::from_frame(&Frame::new(4, "hello")).unwrap(), say("hello"));
    let long = BodyErrorKind::TooLong { len: 6, max: 5 };
    assert_malformed(4, b"hello!", long, "Say: a length of 6 is over the bound of 5");
    assert!(matches!(body(&say("hello!")), Err(EncodeError::Body { source, .. }) if source.kind() == long));
}

#[test]
fn bytes_of_a_packet_are_slices_of_the_frame() {
    let frame = Frame::new(2, &b"\x09\x02abcde"[..]);
    let packet = FromServer::from_frame(&frame).unwrap();
    let FromServer::Relay { to, first, last } = &packet else { panic!("{packet:?}") };
    assert_eq!((*to, &first[..], &last[..]), (9, &b"ab"[..], &b"cde"[..]));
    assert_eq!(first.as_ptr(), frame.body[2..].as_ptr());
    assert_eq!(last.as_ptr(), frame.body[4..].as_ptr());
    assert_eq!(body(&packet).unwrap(), frame.body);
    const { assert!(FromServer::SHARES) };
    // What was read from borrowed bytes is a copy.
    let owned = RestBytes::read_from(&frame.body);
    assert_ne!(owned.0.as_ptr(), frame.body.as_ptr());
}

impl RestBytes {
    fn read_from(bytes: &[u8]) -> Self {
        decoded(bytes).unwrap()
    }
}

#[test]
fn a_type_without_bytes_shares_nothing() {
    const { assert!(!<Lists as RawBody>::SHARES) };
    const { assert!(!<RestVec as RawBody>::SHARES) };
    const { assert!(<RestBytes as RawBody>::SHARES) };
    const { assert!(<Option<[RestBytes; 1]> as RawBody>::SHARES) };
}

#[test]
fn the_schema_says_how_each_length_is_told() {
    use netcore::schema::{Form, Int, Len};

    let field = |ty: &'static Type, at: usize| match ty {
        Type::Struct(shape) => (shape.fields[at].name.to_string(), (*shape.fields[at].ty).clone()),
        other => panic!("{other:?}"),
    };
    let u16 = Int { bytes: 2, signed: false, form: Form::Little };
    let own = <Bounds as RawBody>::TYPE;
    assert_eq!(field(own, 0), ("text".into(), Type::Text(Len::Prefix { int: u16, max: 3 })));
    let held = <Held as RawBody>::TYPE;
    let len = Len::Field { name: field_name("text_len"), index: 0, max: u32::MAX };
    assert_eq!(field(held, 2), ("text".into(), Type::Text(len.clone())));
    assert_eq!(field(held, 4), ("bytes".into(), Type::Bytes(len)));
    let Type::List { len, .. } = field(held, 3).1 else { panic!() };
    assert_eq!(len, Len::Field { name: field_name("count"), index: 1, max: 2 });
    assert_eq!(field(<Padded as RawBody>::TYPE, 2).1, Type::Bytes(Len::Fixed(2)));
    assert_eq!(field(<RestText as RawBody>::TYPE, 1).1, Type::Text(Len::Rest { max: 3 }));
    let Type::Struct(big) = <Big as RawBody>::TYPE else { panic!() };
    let Type::Struct(inner) = &*big.fields[1].ty else { panic!() };
    assert_eq!(*inner.fields[0].ty, Type::Int(Int { form: Form::Big, ..u16 }));
}

fn field_name(name: &'static str) -> netcore::schema::Shared<str> {
    netcore::schema::Shared::Static(name)
}

#[test]
fn a_type_that_takes_the_rest_may_stand_last() {
    #[derive(Raw, Debug, PartialEq)]
    struct Tail {
        at: u8,
        #[raw(rest)]
        text: String,
    }

    #[derive(Raw, Debug, PartialEq)]
    struct Outer {
        before: u8,
        tail: Option<Tail>,
    }

    let bytes = [7, 1, 9, b'h', b'i'];
    let outer = <Outer as RawBody>::read(&mut Reader::new(&bytes)).unwrap();
    assert_eq!(outer, Outer { before: 7, tail: Some(Tail { at: 9, text: "hi".into() }) });
    const { assert!(<Outer as RawBody>::OPEN) };
}

#[derive(Packet, Raw, Clone, Copy, Debug, PartialEq)]
#[raw(tag = u8)]
enum Step {
    #[packet(id = 1)]
    #[raw(tag = 7)]
    Left { by: u8 },
    #[packet(id = 2)]
    Jump,
}

#[derive(Packet, Debug, PartialEq)]
enum Steps {
    #[packet(id = 3)]
    Walk(#[raw(count = u8)] Vec<Step>),
}

#[test]
fn an_enum_of_packets_may_be_a_part_of_others_too() {
    let left = Step::Left { by: 5 };
    assert_eq!(&Frame::from_packet(&left).unwrap().body[..], [5]);
    let frame = Frame::from_packet(&Steps::Walk(vec![left, Step::Jump])).unwrap();
    assert_eq!(&frame.body[..], [2, 7, 5, 8]);
}

#[derive(Raw, Debug, PartialEq)]
struct Hand {
    cards: [u8; Self::CARDS],
    more: [u8; Hand::CARDS],
}

impl Hand {
    const CARDS: usize = 2;
}

#[test]
fn the_length_of_an_array_may_be_a_constant_of_the_type_itself() {
    let mut bytes = BytesMut::new();
    let hand = Hand { cards: [1, 2], more: [3, 4] };
    <netcore::Raw as netcore::body::Format<Hand>>::encode(&hand, &mut bytes).unwrap();
    assert_eq!(&bytes[..], [1, 2, 3, 4]);
}

#[derive(Packet, Debug, PartialEq)]
enum Kinds {
    #[packet(id = 1)]
    Nothing,
    #[packet(id = 2)]
    Fixed { a: u32, b: [u16; 3], c: bool },
    #[packet(id = 3)]
    Varies(#[raw(rest)] Bytes),
    #[packet(other)]
    Other(Frame),
}

#[test]
fn a_packet_is_the_same_bytes_however_much_room_its_buffer_has() {
    for (packet, wire) in [
        (Kinds::Nothing, &b"\x05\0\x01\0\0"[..]),
        (Kinds::Fixed { a: 7, b: [1, 2, 3], c: true }, b"\x10\0\x02\0\0\x07\0\0\0\x01\0\x02\0\x03\0\x01"),
        (Kinds::Varies("abc".into()), b"\x08\0\x03\0\0abc"),
        (Kinds::Other(Frame::new(9, "x")), b"\x06\0\x09\0\0x"),
    ] {
        for (room, max_out) in (0..40).flat_map(|room| [0, 4, 5, 7, 8, 15, 16].map(|max_out| (room, max_out)))
        {
            let mut dst = BytesMut::with_capacity(6 + room);
            dst.extend_from_slice(b"before");
            let result = packet.encode(&mut dst, max_out).map_err(|error| error.to_string());
            let (fits, body) = (wire.len() <= max_out.into(), wire.len() - 5);
            let words = format!(
                "packet {} with a body of {body} bytes is over the limit of {max_out} bytes, header included (`max_out`)",
                packet.id(),
            );
            assert_eq!(result, if fits { Ok(()) } else { Err(words) }, "{packet:?}, room for {room}");
            let written = if fits { wire } else { &[] };
            assert_eq!(dst.strip_prefix(b"before"), Some(written), "{packet:?}, room for {room}");
        }
    }
}
