use std::time::Duration;

use http::{Response, StatusCode};
use keystead_crypto::Random;
use tokio::time::sleep;

use crate::Error;

/// How often a request is repeated at one endpoint.
const REPETITIONS: usize = 2;

/// The shortest pause before a repetition.
const PAUSE: Duration = Duration::from_millis(200);

/// What is added to the pause at most, so that clients do not return all at once.
const JITTER_MILLIS: u32 = 800;

/// Runs `attempt` until it succeeds, fails for good, or was repeated often enough.
///
/// Failures of the network and status 503 are worth another attempt; a server whose
/// certificate is not trusted is not (KES protocol, section 9).
pub(crate) async fn retry<B>(
    random: &dyn Random,
    mut attempt: impl AsyncFnMut() -> Result<Response<B>, Error>,
) -> Result<Response<B>, Error> {
    for _ in 0..REPETITIONS {
        match attempt().await {
            Ok(response) if response.status() == StatusCode::SERVICE_UNAVAILABLE => {}
            Err(Error::Connection { source, .. }) if !keystead_tls::is_untrusted(&*source) => {}
            outcome => return outcome,
        }
        sleep(PAUSE + jitter(random)).await;
    }
    attempt().await
}

/// Evenly below [`JITTER_MILLIS`]; none without randomness, which only costs fairness.
fn jitter(random: &dyn Random) -> Duration {
    let mut bytes = [0; 4];
    match random.fill(&mut bytes) {
        Ok(()) => Duration::from_millis((u32::from_ne_bytes(bytes) % JITTER_MILLIS).into()),
        Err(_) => Duration::ZERO,
    }
}
