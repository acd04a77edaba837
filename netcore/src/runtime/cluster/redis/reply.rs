//! What Redis answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redis::Value;

use super::super::backplane::{Answer, LinkError, Op};
use super::super::{Holder, NodeId};

/// The answer to that.
pub(super) fn answer(op: &Op, value: Value) -> Result<Answer, LinkError> {
    if let Value::ServerError(error) = value {
        return Err(LinkError::Answer(format!("{} {}", error.code(), error.details().unwrap_or_default())));
    }
    let answer = match op {
        Op::Ping | Op::Publish { .. } | Op::Subscribe(_) | Op::Unsubscribe(_) | Op::Release { .. } => {
            Some(Answer::Done)
        }
        Op::Claim { .. } => claimed(value),
        Op::Keep { .. } => texts(value).and_then(kept),
        Op::Find(_) => texts(value).and_then(|texts| holders(texts, usize::MAX)),
        Op::List { limit, .. } => texts(value).and_then(|texts| holders(texts, *limit)),
        Op::Block { .. } => text(value).and_then(|text| number(&text)).map(Answer::Block),
    };
    answer.ok_or_else(|| LinkError::Answer("a value of another kind".into()))
}

fn claimed(value: Value) -> Option<Answer> {
    let mut texts = texts(value)?;
    match &*texts.next()? {
        b"taken" => node(&texts.next()?).map(Answer::Taken),
        b"full" => Some(Answer::Full),
        b"claimed" => match holders(texts, usize::MAX)? {
            Answer::Holders { holders, .. } => Some(Answer::Claimed { others: holders }),
            _ => None,
        },
        _ => None,
    }
}

fn kept(lost: Texts) -> Option<Answer> {
    let lost = lost.map(|by| if by.is_empty() { Some(None) } else { node(&by).map(Some) });
    lost.collect::<Option<_>>().map(Answer::Kept)
}

/// The time, then names and what is held one after the other; of those at most `limit`.
fn holders(mut texts: Texts, limit: usize) -> Option<Answer> {
    let now = number(&texts.next()?)?;
    let mut holders = Vec::new();
    while let Some(name) = texts.next() {
        if holders.len() == limit {
            return Some(Answer::Holders { holders, more: true });
        }
        let held = Bytes::from(texts.next()?);
        let since = number(held.get(32..48)?)?;
        holders.push(Holder {
            name: Arc::from(String::from_utf8(name).ok()?),
            node: node(held.get(..16)?)?,
            age: Duration::from_millis(now.saturating_sub(since)),
            // It shares the answer with nobody.
            value: held.slice(48..),
        });
    }
    Some(Answer::Holders { holders, more: false })
}

type Texts = std::vec::IntoIter<Vec<u8>>;

fn texts(value: Value) -> Option<Texts> {
    let Value::Array(values) = value else { return None };
    let texts: Option<Vec<_>> = values.into_iter().map(text).collect();
    texts.map(Vec::into_iter)
}

fn text(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(text) => Some(text),
        _ => None,
    }
}

fn node(hex: &[u8]) -> Option<NodeId> {
    u64::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok().map(NodeId::new)
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(texts: &[&str]) -> Value {
        Value::Array(texts.iter().map(|text| Value::BulkString(text.as_bytes().to_vec())).collect())
    }

    #[test]
    fn holders_are_read_from_their_places_and_cut_at_the_limit() {
        let held = format!("{:016x}{:016x}{:016}hello", 0xbeef, 3, 1_000);
        let op = |limit| Op::List { prefix: "a".into(), limit };
        let value = array(&["1500", "a/1", &held, "a/2", &held]);
        let one = Holder::new(
            "a/1".into(),
            NodeId::new(0xbeef),
            Duration::from_millis(500),
            Bytes::from_static(b"hello"),
        );
        let two = Holder { name: "a/2".into(), ..one.clone() };
        let all = Answer::Holders { holders: vec![one.clone(), two], more: false };
        assert_eq!(answer(&op(2), value.clone()), Ok(all));
        let some = Answer::Holders { holders: vec![one], more: true };
        assert_eq!(answer(&op(1), value), Ok(some));
    }

    #[test]
    fn what_is_no_answer_is_an_error_and_no_panic() {
        let list = Op::List { prefix: "a".into(), limit: 9 };
        let keep = Op::Keep { claims: Vec::new(), ttl: Duration::ZERO };
        for value in [
            Value::Nil,
            Value::Int(3),
            array(&[]),
            array(&["x"]),
            array(&["1", "a"]),
            array(&["1", "a", "short"]),
            array(&["1", "a", "ü234567890123456ü2345678901234567890123456789012345"]),
        ] {
            assert!(matches!(answer(&list, value), Err(LinkError::Answer(_))));
        }
        assert!(answer(&keep, array(&["", "zz"])).is_err());
        assert!(answer(&Op::Block { size: 1, floor: 0 }, array(&["1"])).is_err());
    }
}
