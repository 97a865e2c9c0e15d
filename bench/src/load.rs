//! The load generator.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::calls::Calls;
use crate::client::{Client, Sender};

/// Streams per HTTP/2 connection.
const STREAMS: usize = 8;

/// How hard and how long to push.
#[derive(Clone)]
pub(crate) struct Load {
    /// Requests in flight.
    pub(crate) in_flight: usize,
    /// The load ends after this time or these requests, whichever comes first.
    pub(crate) time: Duration,
    pub(crate) requests: u64,
    /// Requests per second over all connections; as fast as it goes if there is none.
    pub(crate) rate: Option<u32>,
    /// Every request makes a connection of its own.
    pub(crate) reconnect: bool,
}

/// What came back.
pub(crate) struct Outcome {
    pub(crate) elapsed: Duration,
    /// Nanoseconds per request.
    pub(crate) latency: Histogram<u64>,
}

/// When a worker sends its next request.
struct Schedule {
    due: Instant,
    interval: Duration,
}

// === impl Load ===

impl Load {
    /// Opens the connections for [`Load::run`].
    pub(crate) async fn connect(&self, client: &Client) -> Result<Vec<Sender>> {
        let mut senders = Vec::new();
        while senders.len() < self.in_flight {
            senders.extend(client.connect().await?.streams(STREAMS.min(self.in_flight)));
        }
        Ok(senders)
    }

    /// Runs `calls` over open connections.
    pub(crate) async fn run(
        &self,
        client: &Client,
        senders: Vec<Sender>,
        calls: &Calls,
    ) -> Result<Outcome> {
        let workers = u32::try_from(senders.len())?;
        let sequence = Arc::new(AtomicU64::new(0));
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        for (sender, number) in senders.into_iter().zip(0..) {
            let schedule = self
                .rate
                .map(|rate| Schedule::new(started, rate, workers, number));
            let worker = Worker {
                client: client.clone(),
                sender,
                calls: calls.clone(),
                sequence: Arc::clone(&sequence),
                requests: self.requests,
                end: started + self.time,
                reconnect: self.reconnect,
            };
            tasks.spawn(worker.run(schedule));
        }
        let mut latency = histogram()?;
        while let Some(part) = tasks.join_next().await {
            latency.add(part??)?;
        }
        Ok(Outcome {
            elapsed: started.elapsed(),
            latency,
        })
    }
}

// === impl Outcome ===

impl Outcome {
    pub(crate) fn requests(&self) -> u64 {
        self.latency.len()
    }

    pub(crate) fn per_second(&self) -> Result<f64> {
        let requests =
            u32::try_from(self.requests()).context("more requests than can be counted")?;
        Ok(f64::from(requests) / self.elapsed.as_secs_f64())
    }

    pub(crate) fn percentile(&self, percentile: f64) -> Duration {
        Duration::from_nanos(self.latency.value_at_percentile(percentile))
    }
}

// === impl Schedule ===

impl Schedule {
    fn new(started: Instant, rate: u32, workers: u32, number: u32) -> Self {
        let gap = Duration::from_secs(1) / rate.max(1);
        Self {
            due: started + gap * number,
            interval: gap * workers,
        }
    }

    /// The time from which the latency of the next request counts: the time it was due
    /// if its worker was still waiting for the answer before, so that a slow server
    /// cannot hide the requests it held back ("coordinated omission").
    async fn next(&mut self) -> Instant {
        let due = self.due;
        self.due += self.interval;
        if Instant::now() < due {
            sleep_until(due).await;
            // The timer's own delay is not the server's.
            return Instant::now();
        }
        due
    }
}

/// One request in flight at a time.
struct Worker {
    client: Client,
    sender: Sender,
    calls: Calls,
    sequence: Arc<AtomicU64>,
    requests: u64,
    end: Instant,
    reconnect: bool,
}

impl Worker {
    async fn run(mut self, mut schedule: Option<Schedule>) -> Result<Histogram<u64>> {
        let mut latency = histogram()?;
        loop {
            let begin = match &mut schedule {
                Some(schedule) => schedule.next().await,
                None => Instant::now(),
            };
            let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
            if begin >= self.end || sequence >= self.requests {
                return Ok(latency);
            }
            if self.reconnect {
                self.sender = self.client.connect().await?;
            }
            self.client
                .send(&mut self.sender, &self.calls.at(sequence))
                .await?;
            latency.record(u64::try_from(begin.elapsed().as_nanos())?)?;
        }
    }
}

fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new(3)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_held_back_request_counts_from_the_time_it_was_due() {
        let started = Instant::now();
        let mut schedule = Schedule::new(started, 100, 2, 1);
        let at = |milliseconds| started + Duration::from_millis(milliseconds);
        assert_eq!(schedule.next().await, at(10));
        tokio::time::advance(Duration::from_millis(100)).await;
        assert_eq!(schedule.next().await, at(30));
        assert_eq!(schedule.next().await, at(50));
    }
}
