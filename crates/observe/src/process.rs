use std::env::consts;
use std::fs;
use std::thread;

/// What the operating system says about this process.
///
/// On other systems than Linux the figures are 0 but for the processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProcessFigures {
    /// Processors the process may use.
    pub processors: u64,
    /// Threads of the process.
    pub threads: u64,
    /// Resident anonymous memory in bytes; nearly all of it is heap.
    pub heap_bytes: u64,
    /// Memory of the main thread's stack in bytes.
    pub stack_bytes: u64,
}

impl ProcessFigures {
    /// Reads the figures of now.
    #[must_use]
    pub fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            processors: thread::available_parallelism()
                .map_or(1, |count| u64::try_from(count.get()).unwrap_or(u64::MAX)),
            ..Self::parse(&status)
        }
    }

    /// Reads the text of `/proc/self/status` (proc_pid_status(5)); its `kB` are
    /// units of 1024 bytes.
    fn parse(status: &str) -> Self {
        let field = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok())
                .unwrap_or(0)
        };
        Self {
            threads: field("Threads"),
            heap_bytes: field("RssAnon").saturating_mul(1024),
            stack_bytes: field("VmStk").saturating_mul(1024),
            ..Self::default()
        }
    }
}

/// The operating system as Go calls it, which is what clients expect.
#[must_use]
pub fn os_name() -> &'static str {
    go_os(consts::OS)
}

/// The processor architecture as Go calls it.
#[must_use]
pub fn arch_name() -> &'static str {
    go_arch(consts::ARCH)
}

fn go_os(os: &'static str) -> &'static str {
    match os {
        "macos" => "darwin",
        other => other,
    }
}

fn go_arch(arch: &'static str) -> &'static str {
    match arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_text_of_the_kernel() {
        let status = "Name:\tThreads: 9\nVmStk:\t     132 kB\nRssAnon:\t    5120 kB\nThreads:\t7\n";
        let expected = ProcessFigures {
            processors: 0,
            threads: 7,
            heap_bytes: 5 * 1024 * 1024,
            stack_bytes: 132 * 1024,
        };
        assert_eq!(ProcessFigures::parse(status), expected);
        assert_eq!(ProcessFigures::parse(""), ProcessFigures::default());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_figures() {
        let figures = ProcessFigures::read();
        assert!(figures.processors > 0 && figures.threads > 0);
        assert!(figures.heap_bytes > 0 && figures.stack_bytes > 0);
    }

    #[test]
    fn systems_have_the_names_that_go_gives_them() {
        assert_eq!(go_os("macos"), "darwin");
        assert_eq!(go_os("linux"), "linux");
        assert_eq!(go_arch("x86_64"), "amd64");
        assert_eq!(go_arch("aarch64"), "arm64");
        assert_eq!(go_arch("x86"), "386");
        assert_eq!(go_arch("riscv64"), "riscv64");
    }
}
