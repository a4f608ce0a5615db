//! Runs on the host: prints the rate of the time stamp counter in kHz, measured against the raw monotonic clock.
//! The guest's kernel is told this rate under emulation, where its own calibration may hang.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Long enough for an error under 10 ppm, short enough to go unnoticed.
const SPAN_NANOSECONDS: i64 = 20_000_000;

fn nanoseconds(time: Timespec) -> i64 {
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

fn main() {
    let start = nanoseconds(clock_gettime(ClockId::MonotonicRaw));
    // SAFETY: RDTSC has no preconditions on x86-64.
    let first = unsafe { core::arch::x86_64::_rdtsc() };
    let (span, last) = loop {
        let now = nanoseconds(clock_gettime(ClockId::MonotonicRaw));
        // SAFETY: as above.
        let ticks = unsafe { core::arch::x86_64::_rdtsc() };
        if now - start >= SPAN_NANOSECONDS {
            break (now - start, ticks);
        }
    };
    let khz = u128::from(last - first) * 1_000_000 / u128::from(span.unsigned_abs());
    println!("{khz}");
}
