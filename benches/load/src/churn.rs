//! Connections that live for one request.

use crate::exchange::{Answers, Exchange};
use crate::http::{Responses, request};
use crate::requests::{Prepared, Requests};
use crate::tally::Tally;
use crate::{Plan, connect};
use std::io;
use std::time::Instant;

/// One client: connects, asks, closes, until all are to stop. The latency includes connecting.
pub(crate) fn client(plan: &Plan, index: usize, tally: &Tally) -> io::Result<()> {
    let request = request(&plan.address.to_string(), &plan.path);
    let length = request.len();
    let prepared = Prepared::new(request, length);
    while !tally.is_stopping() {
        let begin = Instant::now();
        let stream = connect::connect(plan, index)?;
        let requests = Requests::new(prepared.clone(), 0);
        let answers = Answers::Http(Responses::new(plan.body.as_deref()));
        if !Exchange::new(stream, requests, answers, 0).ask()? {
            return Ok(());
        }
        tally.answered(begin.elapsed(), 1);
    }
    Ok(())
}
