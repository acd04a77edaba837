//! What somebody types.

use std::io::{self, BufRead, Read, Write};
use std::thread;

use tokio::sync::mpsc::{self, Receiver};

/// The lines of the input. One that is too long, or is not UTF-8, is skipped, with a word on stdout. Not tokio's: a
/// program that ends would wait for one line more.
#[must_use]
pub fn typed() -> Receiver<io::Result<String>> {
    let (sender, lines) = mpsc::channel(1);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(line) = next(&mut input).transpose() {
            let goes_on = match line {
                Ok(Ok(line)) => sender.blocking_send(Ok(line)).is_ok(),
                Ok(Err(why)) => writeln!(io::stdout(), "{why}").is_ok(),
                Err(error) => {
                    let _ = sender.blocking_send(Err(error));
                    false
                }
            };
            if !goes_on {
                break;
            }
        }
    });
    lines
}

/// The next line, without its end, or in words why it is none; `None` at the end of the input.
fn next(input: &mut impl BufRead) -> io::Result<Option<Result<String, &'static str>>> {
    let mut line = Vec::new();
    if input.by_ref().take(LONGEST + 2).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && line.len() as u64 > LONGEST {
        input.skip_until(b'\n')?;
    }
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() as u64 > LONGEST {
        return Ok(Some(Err("that line is too long: 4096 bytes at most")));
    }
    Ok(Some(str::from_utf8(line).map(str::to_owned).map_err(|_| "that line is not UTF-8 text")))
}

/// The longest line, in bytes: well over what any packet takes.
const LONGEST: u64 = 4096;

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn a_line_that_is_too_long_or_no_text_is_skipped_and_the_next_one_read() {
        let longest = "x".repeat(4096);
        let mut input = longest.clone().into_bytes();
        input.extend_from_slice(b"\r\n");
        input.extend_from_slice(&[b'y'; 4097]);
        input.extend_from_slice(b"\nhi\n\xff\n\n");
        input.extend_from_slice(&[b'z'; 100_000]);
        input.extend_from_slice(b"\nlast");
        let mut input = BufReader::new(&input[..]);
        let mut lines = Vec::new();
        while let Some(line) = next(&mut input).unwrap() {
            lines.push(line);
        }
        let long = Err("that line is too long: 4096 bytes at most");
        let expected = [
            Ok(longest),
            long.clone(),
            Ok("hi".to_owned()),
            Err("that line is not UTF-8 text"),
            Ok(String::new()),
            long.clone(),
            Ok("last".to_owned()),
        ];
        assert!(lines == expected, "{lines:.60?}");
    }
}
