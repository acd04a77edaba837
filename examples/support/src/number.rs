//! Numbers on the command line.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Reads a number in that range; who types another one is told the range. For a flag that takes negative ones to say so,
/// too, it needs clap's `allow_negative_numbers`.
///
/// ```
/// let seats = support::number::<u8>(1..=127);
/// assert_eq!(seats("4"), Ok(4));
/// assert_eq!(seats("99999999999999999999"), Err("it takes 1 to 127".to_owned()));
/// ```
pub fn number<N>(
    range: RangeInclusive<N>,
) -> impl Fn(&str) -> Result<N, String> + Clone + Send + Sync + 'static
where
    N: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("it takes {} to {}", range.start(), range.end()))
    }
}
