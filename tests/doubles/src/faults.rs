use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;

/// Something that goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This answer instead of the right one; nothing is carried out.
    Answer(StatusCode, String),
    /// This answer with a content type, as a proxy would give it.
    Page(StatusCode, &'static str, String),
    /// Half of the answer, then the connection is closed.
    Cut,
    /// The answer byte by byte, with this pause after each.
    Slow(Duration),
    /// 307 to the same path under another scheme, host and port.
    Redirect(String),
    /// Nothing, ever.
    Hang,
    /// The connection is closed; nothing is carried out.
    Drop,
    /// The request is carried out, then the connection is closed.
    LoseAnswer,
}

/// The faults that are to come. Clones share them.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Planned>>>);

struct Planned {
    path: String,
    /// So many matching requests come before.
    skip: usize,
    times: usize,
    fault: Fault,
}

// === impl Faults ===

impl Faults {
    /// The next `times` requests whose path contains `path` have this fault. For AWS, the
    /// action belongs to the path.
    pub fn plan(&self, times: usize, path: &str, fault: Fault) {
        self.plan_after(0, times, path, fault);
    }

    /// The same from the next but `skip` request on.
    pub fn plan_after(&self, skip: usize, times: usize, path: &str, fault: Fault) {
        self.planned().push(Planned {
            path: path.to_owned(),
            skip,
            times,
            fault,
        });
    }

    /// Everything works again.
    pub fn clear(&self) {
        self.planned().clear();
    }

    pub(crate) fn take(&self, path: &str) -> Option<Fault> {
        let mut planned = self.planned();
        let next = planned
            .iter_mut()
            .find(|planned| planned.times > 0 && path.contains(&planned.path))?;
        if next.skip > 0 {
            next.skip -= 1;
            return None;
        }
        next.times -= 1;
        Some(next.fault.clone())
    }

    fn planned(&self) -> std::sync::MutexGuard<'_, Vec<Planned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
