//! What an operator finds in the log, which is that of the whole process.

mod hello;
mod log;
mod logs;
mod slow_callbacks;
