//! Which devices may be used (IS-7). Version 1 only: version 2 has no files for it, but asks for a
//! program in the kernel.

use super::Write;
use crate::kernel::Device;

/// What every container may use, as in Mesos: making any device file, and console, tty0 and tty1,
/// pts, ptmx, tun, null, zero, full, tty, urandom, random.
const USUAL: [&str; 14] = [
    "c *:* m",
    "b *:* m",
    "c 5:1 rwm",
    "c 4:0 rwm",
    "c 4:1 rwm",
    "c 136:* rwm",
    "c 5:2 rwm",
    "c 10:200 rwm",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 5:0 rwm",
    "c 1:9 rwm",
    "c 1:8 rwm",
];

/// What to write once: nothing, then one by one.
pub(crate) fn writes(allowed: &[(Device, String)]) -> Vec<Write> {
    let own = allowed.iter().map(|(device, access)| {
        format!("{} {}:{} {access}", device.kind, device.major, device.minor)
    });
    let all = USUAL.iter().map(|rule| (*rule).to_owned()).chain(own);
    let mut writes = vec![Write::new(&["devices.deny"], "a")];
    writes.extend(all.map(|rule| Write::new(&["devices.allow"], rule)));
    writes
}
