//! Requests as bytes. Every answer is held against the OpenAPI document.

use std::io::{Read, Write};
use std::net::SocketAddr;

use serde_json::Value;
use support::testing::connect;

use crate::document;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The code of a refusal; empty for a success.
    pub(crate) fn code(&self) -> String {
        if self.text.is_empty() {
            return String::new();
        }
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// A field of a success.
    #[track_caller]
    pub(crate) fn text_of(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no {field} in {self:?}")).to_owned()
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) {
        assert_eq!((self.status, &*self.code()), (status, code), "{self:?}");
    }
}

/// One request on a connection of its own.
#[track_caller]
pub(crate) fn call(
    addr: SocketAddr,
    method: &str,
    path: &str,
    authorization: Option<&str>,
    body: Option<&Value>,
) -> Answer {
    let mut lines = String::new();
    if let Some(secret) = authorization {
        lines.push_str(&format!("Authorization: Bearer {secret}\r\n"));
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    if !body.is_empty() {
        lines.push_str("Content-Type: application/json\r\n");
    }
    send(addr, method, path, &lines, body.as_bytes())
}

#[track_caller]
pub(crate) fn send(addr: SocketAddr, method: &str, path: &str, lines: &str, body: &[u8]) -> Answer {
    let mut stream = connect(addr);
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n{lines}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // It may be refused before it has gone.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    // A refusal of what was not read may end with a reset behind it.
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        answer.extend_from_slice(&chunk[..read]);
    }
    let answer = parse(&String::from_utf8(answer).unwrap());
    document::fits(method, path, &answer);
    answer
}

#[track_caller]
pub(crate) fn parse(answer: &str) -> Answer {
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_owned(), text: text.to_owned() }
}
