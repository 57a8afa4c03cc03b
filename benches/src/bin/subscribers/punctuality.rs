//! The one subscriber who wants a sample every 100 ms, on an OS thread of its own: how late they come.

use crate::crowd::connect;
use greenwire::websocket;
use serde_json::Value;
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(100);
const TEN_A_SECOND: &str = r#"{"series":["cpu"],"every_ms":100}"#;

/// How late the samples came, in milliseconds, the least late one first.
pub(crate) struct Punctuality {
    late: Vec<f64>,
    expected: usize,
}

/// When a sample was to be sent, on the relay's clock, and when it came, on this program's clock;
/// both in milliseconds.
struct Sample {
    due: f64,
    arrived: f64,
}

/// The error is that of a connection which was refused or broke.
pub(crate) type Measured = Result<Punctuality, websocket::Error>;

impl Punctuality {
    /// Subscribes, and takes the samples of this time.
    pub(crate) fn measure(url: &str, time: Duration) -> Measured {
        let mut ws = connect(url)?;
        ws.send(TEN_A_SECOND)?;
        let start = Instant::now();
        let mut samples = Vec::new();
        while start.elapsed() < time {
            let Some(message) = ws.receive()? else { break };
            let arrived = start.elapsed().as_secs_f64() * 1000.0;
            let due = message.as_text().and_then(due);
            samples.extend(due.map(|due| Sample { due, arrived }));
        }
        ws.close(websocket::code::NORMAL, "")?;
        Ok(Punctuality::of(&samples, time))
    }

    /// The two clocks are compared by the sample that came soonest after it was due: it counts as in
    /// time. The relay leaves out the samples it is too late for; each sample tells its own time, so
    /// that those after a gap are not taken for later than they are.
    fn of(samples: &[Sample], time: Duration) -> Punctuality {
        let delay = |sample: &Sample| sample.arrived - sample.due;
        let least = samples.iter().map(delay).fold(f64::INFINITY, f64::min);
        let mut late: Vec<f64> = samples.iter().map(|sample| delay(sample) - least).collect();
        late.sort_unstable_by(f64::total_cmp);
        Punctuality {
            late,
            expected: (time.as_millis() / EVERY.as_millis()) as usize,
        }
    }

    /// The lateness that this share of the samples does not exceed, in milliseconds.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let rank = (share * self.late.len() as f64).ceil() as usize;
        self.late.get(rank.saturating_sub(1)).copied()
    }

    pub(crate) fn received(&self) -> usize {
        self.late.len()
    }

    pub(crate) fn expected(&self) -> usize {
        self.expected
    }
}

/// The time at which the relay was to send this sample; `None` if it is something else.
fn due(message: &str) -> Option<f64> {
    let message: Value = serde_json::from_str(message).ok()?;
    message["sample"]["due"].as_f64()
}
