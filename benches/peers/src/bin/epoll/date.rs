//! The text of the `Date` header, made once a second.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub struct Date {
    second: u64,
    text: String,
}

impl Date {
    pub fn now() -> Date {
        let now = since_epoch();
        Date {
            second: now.as_secs(),
            text: httpdate::fmt_http_date(UNIX_EPOCH + now),
        }
    }

    pub fn update(&mut self) {
        if since_epoch().as_secs() != self.second {
            *self = Date::now();
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

fn since_epoch() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}
