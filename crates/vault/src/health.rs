use std::time::Duration;

use http::Method;
use keystead_observe::{ErrorEvent, Level, Telemetry};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::Error;
use crate::api::{Api, Call};

/// With the codes, every state that has an answer at all is a success
/// (key stores, section 4.7).
const PATH: &str = "/sys/health?uninitcode=299&sealedcode=299&standbycode=299\
                    &drsecondarycode=299&performancestandbycode=299";

/// How often a sealed server is asked whether it still is.
const SEALED_PING: Duration = Duration::from_secs(1);

/// What a server says about itself.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) initialized: bool,
    pub(crate) sealed: bool,
}

/// Whether the server is sealed, as far as is known.
pub(crate) struct Seal {
    sealed: watch::Sender<bool>,
    telemetry: Telemetry,
}

// === impl Health ===

impl Health {
    /// Asks once. The namespace is left out: in a namespace there is no such path.
    pub(crate) async fn ask(api: &Api) -> Result<Self, Error> {
        let call = Call {
            method: Method::GET,
            path: PATH,
            namespace: None,
            token: None,
            body: None,
            patient: false,
        };
        api.send(&call).await?.success()?.json()
    }
}

// === impl Seal ===

impl Seal {
    pub(crate) fn new(telemetry: Telemetry) -> Self {
        Self {
            sealed: watch::Sender::new(false),
            telemetry,
        }
    }

    pub(crate) fn is_sealed(&self) -> bool {
        *self.sealed.borrow()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<bool> {
        self.sealed.subscribe()
    }

    /// Notes what a server said.
    pub(crate) fn note(&self, sealed: bool) {
        let changed = self.sealed.send_if_modified(|known| {
            let changed = *known != sealed;
            *known = sealed;
            changed
        });
        if changed {
            let message = match sealed {
                true => "key store is sealed",
                false => "key store is unsealed",
            };
            self.telemetry
                .log
                .record(ErrorEvent::new(Level::WARN, message));
        }
    }

    /// Asks at once and then every `ping`, while the server is sealed more often.
    /// Without an answer the seal counts as it was.
    pub(crate) async fn watch(&self, api: &Api, ping: Duration) {
        let mut sealed = self.subscribe();
        loop {
            if let Ok(health) = Health::ask(api).await {
                self.note(health.sealed);
            }
            let pause = match *sealed.borrow_and_update() {
                true => ping.min(SEALED_PING),
                false => ping,
            };
            tokio::select! {
                () = sleep(pause) => {}
                // A request found out first.
                _ = sealed.changed() => sleep(ping.min(SEALED_PING)).await,
            }
        }
    }
}
