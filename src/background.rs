//! Threads for work that can wait: embedding registrations, building indexes, freeing large structures.
//!
//! They run at low priority, so that on a busy machine the scheduler itself puts requests first, within microseconds and without anyone
//! having to yield. Threads of their own: a priority that was lowered cannot be raised again, so none is borrowed from a pool.

/// How much the scheduler should prefer everything else, 0 to 19. At 10 a core that is busy with requests still gives these a tenth.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Runs `work` on a new low-priority thread.
///
/// # Errors
/// The system gives no thread.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let niced = move || {
        step_back();
        work();
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(niced).map(drop)
}

/// Only on Linux is niceness a thread's own; elsewhere it would slow the whole process down, and more with every thread.
#[cfg(target_os = "linux")]
fn step_back() {
    // Where it is refused the work is done all the same.
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(error.message = %error, "a background thread keeps its priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}

#[cfg(test)]
mod tests {
    /// Niceness of this thread: the 19th field of its `stat`.
    #[cfg(target_os = "linux")]
    fn niceness() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1;
        after_name.split_whitespace().nth(16).unwrap().parse().unwrap()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_the_new_thread_steps_back() {
        let before = niceness();
        let (send, receive) = std::sync::mpsc::channel();
        super::spawn("quiet", move || send.send(niceness()).unwrap()).unwrap();
        assert_eq!(receive.recv().unwrap(), (before + super::NICENESS).min(19));
        assert_eq!(niceness(), before);
    }
}
