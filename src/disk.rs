//! What a file system says of itself.

use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

/// A file system.
#[derive(Clone, Copy, Debug)]
pub struct Disk {
    /// Bytes that this user can still write.
    pub free: u64,
    /// Whether nothing can be written.
    pub read_only: bool,
}

impl Disk {
    /// The one that holds `path`, or the nearest folder above it that is there.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let here = Path::new(".");
        let there = path.ancestors().find(|path| path.exists()).filter(|path| !path.as_os_str().is_empty()).unwrap_or(here);
        let told = statvfs(there)?;
        let read_only = told.f_flag.contains(StatVfsMountFlags::RDONLY);
        Ok(Self { free: told.f_bavail.saturating_mul(told.f_frsize), read_only })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_on_the_disk_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::of(&folder.path().join("new/folder/file")).unwrap();
        assert!(0 < disk.free && !disk.read_only, "{disk:?}");
        assert!(Disk::of(Path::new("file")).is_ok());
    }
}
