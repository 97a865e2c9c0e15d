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
pub(crate) async fn retry<B, F>(
    random: &dyn Random,
    mut attempt: impl FnMut() -> F,
) -> Result<Response<B>, Error>
where
    F: Future<Output = Result<Response<B>, Error>>,
{
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

#[cfg(test)]
mod tests {
    use std::future::ready;

    use proptest::prelude::*;
    use tokio::time::Instant;

    use super::*;

    struct Fixed([u8; 4]);

    impl Random for Fixed {
        fn fill(&self, out: &mut [u8]) -> Result<(), keystead_crypto::Error> {
            out.copy_from_slice(&self.0);
            Ok(())
        }
    }

    fn answer(status: u16) -> Result<Response<()>, Error> {
        Ok(Response::builder().status(status).body(()).unwrap())
    }

    fn broken() -> Result<Response<()>, Error> {
        Err(Error::connection("host", "reset"))
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_between_attempts() {
        let start = Instant::now();
        let mut outcomes = vec![answer(200), answer(503), broken()];
        let random = Fixed(799_u32.to_ne_bytes());
        let outcome = retry(&random, || ready(outcomes.pop().unwrap())).await;
        assert_eq!(outcome.unwrap().status(), 200);
        assert_eq!(start.elapsed(), Duration::from_millis(2 * 999));
    }

    #[tokio::test(start_paused = true)]
    async fn gives_up_after_three_attempts() {
        let mut attempts = 0;
        let outcome = retry(&Fixed([0; 4]), || {
            attempts += 1;
            ready(broken())
        })
        .await;
        assert!(matches!(outcome, Err(Error::Connection { .. })));
        assert_eq!(attempts, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn other_answers_are_final() {
        for status in [200, 400, 404, 500, 501, 502, 504] {
            let mut attempts = 0;
            let outcome = retry(&Fixed([0; 4]), || {
                attempts += 1;
                ready(answer(status))
            })
            .await;
            assert_eq!((outcome.unwrap().status().as_u16(), attempts), (status, 1));
        }
    }

    proptest! {
        #[test]
        fn pauses_stay_below_a_second(bytes in any::<[u8; 4]>()) {
            prop_assert!(PAUSE + jitter(&Fixed(bytes)) < Duration::from_secs(1));
        }
    }
}
