//! What a server tells about itself: audit events, the error log, metrics.
//!
//! A request never waits for an observer. Recording hands the event to a
//! bounded queue whose writer is a thread of its own, and to the live
//! subscribers through a bounded ring; counters are atomics. When an observer
//! is too slow its events are dropped and counted, the request goes on.
//!
//! Identities, addresses, paths and policy names may be written down, secrets
//! never: messages are literals, attributes need `Display`, and no type that
//! holds key material, a password or a token has it.

mod audit;
mod chain;
mod console;
mod error;
mod error_event;
mod error_log;
mod history;
mod kms_audit;
mod kms_metrics;
mod line;
mod metrics;
mod open_metrics;
mod process;
mod remote;
mod request;
mod stream;
mod telemetry;

pub use audit::{AuditEvent, AuditLog};
pub use chain::{BrokenRecord, ChainSummary, ChainVerifier};
pub use error::Error;
pub use error_event::ErrorEvent;
pub use error_log::{ErrorLog, LogFormat};
pub use history::{LogEntry, LogSubscription};
pub use keystead_config::Level;
pub use kms_audit::{AuditCommand, AuditTarget, KmsAuditEvent, KmsAuditLog};
pub use kms_metrics::{
    BuildInfo, CONTENT_TYPE_OPEN_METRICS, ClusterFigures, CommandResult, InFlight, KmsApi,
    KmsMetrics,
};
pub use metrics::{ActiveRequest, CONTENT_TYPE, Metrics};
pub use process::{ProcessFigures, arch_name, os_name};
pub use remote::RemoteMetrics;
pub use request::RequestAttributes;
pub use stream::{Received, Subscription};
pub use telemetry::Telemetry;
