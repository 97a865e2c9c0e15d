//! Keeps the memory of a server from reaching a disk.

use std::env;

use anyhow::{Result, anyhow};
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use rustix::thread::{CapabilitySet, capabilities};

/// Locks the memory of this process, if `required` or else if that is safe. Returns
/// whether it is locked.
///
/// # Errors
/// If locking is required and impossible; the text has the command that helps.
pub(crate) fn lock_memory(required: bool) -> Result<bool> {
    if !required && !may_lock_without_limit() {
        return Ok(false);
    }
    // Pages are locked once they are used: those that never are hold no keys.
    let locked = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT);
    match locked {
        Ok(()) => Ok(true),
        Err(_) if !required => Ok(false),
        Err(cause) => {
            let binary = env::current_exe().unwrap_or_else(|_| "$(which kes)".into());
            Err(anyhow!(
                "failed to lock memory: {cause} - See: 'man mlockall'\n\
                 Allow this program to lock memory with:\n  \
                 sudo setcap cap_ipc_lock=+ep {}",
                binary.display()
            ))
        }
    }
}

/// Whether locked memory may grow for ever. Below a limit the lock would succeed now, and
/// an allocation fail later.
fn may_lock_without_limit() -> bool {
    getrlimit(Resource::Memlock).current.is_none()
        || capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK))
}

/// Switches core dumps off, those that the system hands to a program included.
pub(crate) fn forbid_core_dumps() -> Result<()> {
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
