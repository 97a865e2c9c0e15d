use std::collections::VecDeque;

use anyhow::Result;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Keys under way at once.
pub(super) const IN_FLIGHT: usize = 16;

/// Works on many items at a time, and hands the results over in the order of the items.
///
/// After `halt` no more items are begun; those under way come to their end, so that no key
/// is left between being deleted and being created.
///
/// # Errors
///
/// The first one of `done`, which halts, too.
pub(super) async fn in_order<I, T, F>(
    items: impl IntoIterator<Item = I>,
    halt: &CancellationToken,
    work: impl Fn(I) -> F,
    mut done: impl FnMut(T) -> Result<()>,
) -> Result<()>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut items = items.into_iter();
    let mut under_way: VecDeque<JoinHandle<T>> = VecDeque::with_capacity(IN_FLIGHT);
    let mut outcome = Ok(());
    loop {
        while under_way.len() < IN_FLIGHT && !halt.is_cancelled() {
            match items.next() {
                Some(item) => under_way.push_back(tokio::spawn(work(item))),
                None => break,
            }
        }
        let Some(next) = under_way.pop_front() else {
            return outcome;
        };
        let result = match next.await {
            Ok(result) => done(result),
            Err(panic) => Err(panic.into()),
        };
        if result.is_err() {
            halt.cancel();
            outcome = outcome.and(result);
        }
    }
}
