//! Given the number of a job, keeps its thread to one of the machine's cores.

/// The driver and the database's thread hand each turn to the other: on one core that takes a third of the time that it
/// takes between two. Threads that
/// this one starts stay there too. Where it cannot be had, it is only slower.
pub fn keep_to_one_core(job: usize) {
    #[cfg(not(target_os = "linux"))]
    let _ = job;
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let allowed = sched_getaffinity(None).unwrap_or_default();
        let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
        if let Some(core) = cores.get(job % cores.len().max(1)) {
            let mut one = CpuSet::new();
            one.set(*core);
            let _ = sched_setaffinity(None, &one);
        }
    }
}
