//! Whether a folder is on a network drive, from Linux's list of mounts. Other systems are not asked.

use std::path::Path;

/// File systems on which memory maps are not coherent between machines, or locks do not hold.
const NETWORK: [&str; 22] = [
    "9p",
    "acfs",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "fuse.ceph",
    "fuse.davfs2",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
];

/// The kind of network file system that holds `dir`, an absolute path without links; `None` for a local one.
pub(super) fn network_kind(dir: &Path) -> Option<String> {
    // No list: another system, or a locked-down one. There the person's choice stands.
    let list = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    kind_of(&list, dir).filter(|kind| NETWORK.contains(&kind.as_str()))
}

/// The type of the file system that holds `dir`: of the longest mount point that leads to it, the last mounted.
///
/// A line is `36 35 98:0 /root /mount/point options [fields] - type source options` (proc_pid_mountinfo(5)).
fn kind_of(list: &str, dir: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in list.lines() {
        let Some((before, after)) = line.split_once(" - ") else { continue };
        let (Some(point), Some(kind)) = (before.split(' ').nth(4), after.split(' ').next()) else { continue };
        let point = unescape(point);
        let depth = Path::new(&point).components().count();
        if dir.starts_with(&point) && best.is_none_or(|(deepest, _)| depth >= deepest) {
            best = Some((depth, kind));
        }
    }
    best.map(|(_, kind)| kind.to_string())
}

/// Space, tab, line feed and backslash stand there as three octal digits.
fn unescape(point: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(point.to_string(), |text, (code, meant)| text.replace(code, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_and_latest_mount_point_decides() {
        let list = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
                    30 27 0:25 / /home rw shared:1 - nfs4 server:/home rw\n\
                    31 30 0:26 / /home/ada/My\\040Music rw - ext4 /dev/sdb rw\n\
                    32 27 0:27 / /srv rw - ext4 /dev/sdc rw\n\
                    33 27 0:28 / /srv rw - cifs //nas/srv rw\n\
                    a broken line\n";
        let check = |dir: &str, expected: &str| {
            assert_eq!(kind_of(list, Path::new(dir)).as_deref(), Some(expected), "{dir}");
        };
        check("/var/lib", "ext4");
        check("/home/ada", "nfs4");
        check("/home/ada/My Music/trainer", "ext4");
        check("/homework", "ext4");
        check("/srv/data", "cifs");
        assert_eq!(kind_of("", Path::new("/")), None);
    }

    #[test]
    fn this_machines_own_folders_are_local() {
        assert_eq!(network_kind(&std::env::temp_dir()), None);
    }
}
