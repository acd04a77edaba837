//! Points, and when two moving discs meet.

use std::ops::{Add, Mul, Sub};

/// A point, or a way from one to another, in px.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Vec2 {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

impl Vec2 {
    /// A point.
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Its length.
    #[must_use]
    pub fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// The scalar product.
    #[must_use]
    pub fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    /// In the same direction, of at most this length.
    #[must_use]
    pub fn at_most(self, length: f32) -> Self {
        // What is taken for a number here may have no square in `f32`.
        let (x, y) = (f64::from(self.x), f64::from(self.y));
        let (own, most) = (x.hypot(y), f64::from(length));
        if own > most { Self::new((x * most / own) as f32, (y * most / own) as f32) } else { self }
    }

    /// The nearest point of the rectangle from 0, 0 to `corner`.
    #[must_use]
    pub fn inside(self, corner: Self) -> Self {
        // `+ 0.0`: minus nought is nought, also to who reads it.
        Self::new(self.x.clamp(0.0, corner.x) + 0.0, self.y.clamp(0.0, corner.y) + 0.0)
    }

    /// Whether both are numbers.
    #[must_use]
    pub fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite()
    }
}

impl Add for Vec2 {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }
}

impl Sub for Vec2 {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }
}

impl Mul<f32> for Vec2 {
    type Output = Self;

    fn mul(self, by: f32) -> Self {
        Self::new(self.x * by, self.y * by)
    }
}

/// When a point that starts at `from` and moves by `way` first comes nearer to the origin than `reach`: 0 at the start, 1 at
/// the end; `None` if it does not.
///
/// With `from` and `way` relative to a second point this is when two points meet that move both, each in a straight line.
#[must_use]
pub fn meets(from: Vec2, way: Vec2, reach: f32) -> Option<f32> {
    let apart = from.dot(from) - reach * reach;
    if apart < 0.0 {
        return Some(0.0);
    }
    // |from + t·way|² = reach²
    let (a, b) = (way.dot(way), from.dot(way));
    if b >= 0.0 || a <= 0.0 {
        return None;
    }
    let inside = b * b - a * apart;
    if inside <= 0.0 {
        return None;
    }
    let at = (-b - inside.sqrt()) / a;
    (at <= 1.0).then_some(at.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_flies_by_or_away_or_stands_apart_does_not_meet() {
        let meets = |from: (f32, f32), way: (f32, f32)| {
            super::meets(Vec2::new(from.0, from.1), Vec2::new(way.0, way.1), 20.0)
        };
        assert_eq!(meets((100.0, 0.0), (-200.0, 0.0)), Some(0.4));
        assert_eq!(meets((100.0, 20.0), (-200.0, 0.0)), None, "it touches, and nearer is what counts");
        assert_eq!(meets((100.0, 0.0), (200.0, 0.0)), None);
        assert_eq!(meets((100.0, 0.0), (-79.0, 0.0)), None);
        assert_eq!(meets((100.0, 0.0), (0.0, 0.0)), None);
        assert_eq!(meets((10.0, 0.0), (0.0, 0.0)), Some(0.0));
    }

    fn point(most: f32) -> impl Strategy<Value = Vec2> {
        (-most..most, -most..most).prop_map(|(x, y)| Vec2::new(x, y))
    }

    proptest! {
        #[test]
        fn it_is_what_many_small_steps_would_find(from in point(900.0), way in point(900.0), reach in 1.0..40.0_f32) {
            let steps = 4000;
            let distance = |step: i32| (from + way * (step as f32 / steps as f32)).length();
            let seen = (0..=steps).find(|step| distance(*step) < reach);
            match (meets(from, way, reach), seen) {
                (Some(at), Some(step)) => prop_assert!((at - step as f32 / steps as f32).abs() < 0.001),
                // The steps look now and then only, and floats are not exact.
                (Some(_), None) => {
                    let nearest = (0..=steps).map(distance).fold(f32::MAX, f32::min);
                    prop_assert!(nearest < reach + 0.3, "{nearest}");
                }
                (None, Some(step)) => prop_assert!(distance(step) > reach - 0.1),
                (None, None) => {}
            }
        }
    }
}
