//! Given a process, takes from it all that reading bytes does not need.

use serde::{Deserialize, Serialize};

/// What the kernel let us take away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Memory, time and dumps are bounded, and the process dies with its parent.
    pub limits: bool,
    /// No file can be opened, by landlock.
    pub files: bool,
    /// No sockets, no programs, no files, by seccomp.
    pub calls: bool,
}

impl Confinement {
    pub fn is_whole(&self) -> bool {
        self.limits && self.files && self.calls
    }

    /// What is missing, for people.
    pub fn lacks(&self) -> String {
        let lacking = [
            (self.limits, "limits of memory and time"),
            (self.files, "landlock"),
            (self.calls, "seccomp"),
        ];
        let missing: Vec<&str> = lacking
            .into_iter()
            .filter(|(there, _)| !there)
            .map(|(_, name)| name)
            .collect();
        missing.join(", ")
    }
}

/// Confines this process, as far as the kernel can. What it cannot is not there afterwards; nothing fails for it.
pub fn confine(memory_bytes_max: u64, seconds_max: u64) -> Confinement {
    imp::confine(memory_bytes_max, seconds_max)
}

#[cfg(target_os = "linux")]
mod imp {
    use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus};
    use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter_all_threads};

    use super::Confinement;

    pub fn confine(memory_bytes_max: u64, seconds_max: u64) -> Confinement {
        let limits =
            limit(memory_bytes_max, seconds_max).is_ok() && set_parent_process_death_signal(Some(Signal::KILL)).is_ok();
        // Without new privileges; both filters need it, and landlock's library sees to it.
        let files = no_files().unwrap_or(false);
        let calls = few_calls().is_some();
        Confinement { limits, files, calls }
    }

    fn limit(memory_bytes_max: u64, seconds_max: u64) -> rustix::io::Result<()> {
        /// Standard input, output and errors, and as many more.
        const DESCRIPTORS_MAX: u64 = 6;
        let bounds = [
            (Resource::As, memory_bytes_max),
            (Resource::Cpu, seconds_max),
            (Resource::Core, 0),
            (Resource::Fsize, 0),
            (Resource::Nofile, DESCRIPTORS_MAX),
        ];
        for (resource, most) in bounds {
            setrlimit(
                resource,
                Rlimit {
                    current: Some(most),
                    maximum: Some(most),
                },
            )?;
        }
        rustix::thread::set_no_new_privs(true)
    }

    fn no_files() -> Result<bool, landlock::RulesetError> {
        let status = Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V5))?
            .handle_access(AccessNet::from_all(ABI::V5))?
            .create()?
            .restrict_self()?;
        Ok(status.ruleset != RulesetStatus::NotEnforced)
    }

    /// The calls that reading, thinking and answering need: memory, time, the open pipes, and an orderly end.
    const CALLS: [libc::c_long; 32] = [
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_close,
        libc::SYS_brk,
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_rt_sigreturn,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_sigaltstack,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_getppid,
        libc::SYS_tgkill,
        libc::SYS_restart_syscall,
        libc::SYS_fstat,
        libc::SYS_lseek,
        libc::SYS_rseq,
    ];

    /// Every other call is refused as forbidden: a library that tries one fails as it would without the right to it.
    fn few_calls() -> Option<()> {
        let arch = std::env::consts::ARCH.try_into().ok()?;
        let rules = CALLS.into_iter().map(|call| (call, Vec::new())).collect();
        let refused = SeccompAction::Errno(libc::EPERM as u32);
        let filter = SeccompFilter::new(rules, refused, SeccompAction::Allow, arch).ok()?;
        let program: BpfProgram = filter.try_into().ok()?;
        apply_filter_all_threads(&program).ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use super::Confinement;

    /// Elsewhere only the parent's clock bounds a child.
    pub fn confine(_memory_bytes_max: u64, _seconds_max: u64) -> Confinement {
        Confinement::default()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Runs in a process of its own, which the test below starts.
    #[test]
    #[ignore = "confines its process for good"]
    fn confined() {
        let confinement = confine(512 << 20, 30);
        assert!(confinement.limits, "no limits");
        let opened = std::fs::read("/proc/self/status").is_ok() || std::fs::read("/etc/hostname").is_ok();
        let written = std::fs::write("/tmp/confined", "x").is_ok();
        let listened = std::net::TcpListener::bind("127.0.0.1:0").is_ok();
        let started = std::process::Command::new("/bin/true").status().is_ok();
        let kept = confinement.files || confinement.calls;
        assert!(!kept || !(opened || written), "a file was opened: {confinement:?}");
        assert!(
            !confinement.calls || !(listened || started),
            "a socket or a program: {confinement:?}"
        );
        println!("confined as {}", serde_json::to_string(&confinement).unwrap());
    }

    #[test]
    fn a_confined_process_opens_no_file_no_socket_and_no_program() {
        let itself = std::env::current_exe().unwrap();
        let arguments = [
            "sandbox::confine::tests::confined",
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ];
        let output = std::process::Command::new(itself).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            said.contains("confined as"),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
