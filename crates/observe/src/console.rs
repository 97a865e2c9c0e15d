use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use prometheus::IntCounter;
use tokio::sync::{mpsc, oneshot};

/// Entries that wait for the writer. With audit events of a few hundred bytes
/// a full queue holds about a megabyte.
const CAPACITY: usize = 4096;

/// A bounded queue in front of an output that may be slow.
///
/// The writer is a thread, not a task: standard output is a pipe that its
/// reader may leave full for ever, and a blocked write must not take a worker
/// of the runtime with it.
pub(crate) struct Console<T> {
    sender: mpsc::Sender<Entry<T>>,
    overflowing: Arc<AtomicBool>,
    dropped: IntCounter,
}

enum Entry<T> {
    Item(T),
    Flush(oneshot::Sender<()>),
}

/// What became of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Queued,
    Dropped {
        /// The first loss since the writer last had nothing left to write.
        first: bool,
    },
}

impl<T: Send + 'static> Console<T> {
    /// Starts the writer. It ends, with everything queued written, after the
    /// console is dropped.
    pub(crate) fn start(
        output: impl Write + Send + 'static,
        format: impl FnMut(&T) -> String + Send + 'static,
        dropped: IntCounter,
    ) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let overflowing = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            receiver,
            output: BufWriter::new(output),
            format,
            overflowing: Arc::clone(&overflowing),
            dropped: dropped.clone(),
        };
        thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || writer.run())?;
        Ok(Self {
            sender,
            overflowing,
            dropped,
        })
    }

    /// Queues an entry, or drops it if there is no room. Never waits.
    pub(crate) fn push(&self, item: T) -> Pushed {
        if self.sender.try_send(Entry::Item(item)).is_ok() {
            return Pushed::Queued;
        }
        self.reject()
    }

    /// Drops an entry for which its owner has no room.
    pub(crate) fn reject(&self) -> Pushed {
        self.dropped.inc();
        Pushed::Dropped {
            first: !self.overflowing.swap(true, Ordering::Relaxed),
        }
    }

    /// Waits until everything queued before has been handed to the system.
    pub(crate) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.sender.send(Entry::Flush(done)).await.is_ok() {
            // An error means the writer is gone, and with it the queue.
            let _gone = written.await;
        }
    }
}

struct Writer<T, W: Write, F> {
    receiver: mpsc::Receiver<Entry<T>>,
    output: BufWriter<W>,
    format: F,
    overflowing: Arc<AtomicBool>,
    dropped: IntCounter,
}

impl<T, W: Write, F: FnMut(&T) -> String> Writer<T, W, F> {
    fn run(mut self) {
        while let Some(entry) = self.receiver.blocking_recv() {
            self.write(entry);
            // One system call for everything that is already there.
            while let Ok(entry) = self.receiver.try_recv() {
                self.write(entry);
            }
            self.flush();
            self.overflowing.store(false, Ordering::Relaxed);
        }
    }

    fn write(&mut self, entry: Entry<T>) {
        match entry {
            Entry::Item(item) => {
                let mut line = (self.format)(&item);
                line.push('\n');
                if self.output.write_all(line.as_bytes()).is_err() {
                    self.dropped.inc();
                }
            }
            Entry::Flush(done) => {
                self.flush();
                // Whoever asked may have stopped waiting.
                let _stopped = done.send(());
            }
        }
    }

    fn flush(&mut self) {
        if self.output.flush().is_err() {
            self.dropped.inc();
        }
    }
}
