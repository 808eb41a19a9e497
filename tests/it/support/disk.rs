//! A small disk of a test's own, where the machine lets one be mounted.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A tmpfs. Dropping it unmounts it.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// One of `size` in `folder`, as `2m`; `None` for who may not mount.
    pub(crate) fn mount(folder: &Path, size: &str) -> Option<Self> {
        let disk = Self(folder.join("disk"));
        std::fs::create_dir(&disk.0).unwrap();
        disk.set(&format!("size={size}")).then_some(disk)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Mounts it by these options, or mounts it again by others: `remount,ro`.
    pub(crate) fn set(&self, options: &str) -> bool {
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&self.0).output();
        done.is_ok_and(|output| output.status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).output().ok();
    }
}
