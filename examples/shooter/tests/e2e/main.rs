//! The shooter as its clients see it: lines, packets, the page.

#![forbid(unsafe_code)]

mod browser;
mod chromium;
mod meeting;
mod process;
mod readme;
mod text;
mod world;
