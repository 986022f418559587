//! The parameter `mount`, as `docker run --mount` has it: `type=bind,source=/a,target=/b,readonly`.

use serde_json::{Value, json};

use super::push;

/// Puts a mount into the body; none if it cannot be read.
pub(super) fn put(body: &mut Value, value: &str) -> Option<()> {
    let mut mount = json!({ "Type": "volume" });
    for field in value.split(',') {
        let (name, value) = field.split_once('=').unwrap_or((field, "true"));
        set(&mut mount, name, value)?;
    }
    mount.get("Target")?;
    push(&mut body["HostConfig"]["Mounts"], mount);
    Some(())
}

fn set(mount: &mut Value, name: &str, value: &str) -> Option<()> {
    match name {
        "type" => mount["Type"] = json!(value),
        "source" | "src" => mount["Source"] = json!(value),
        "target" | "destination" | "dst" => mount["Target"] = json!(value),
        "readonly" | "ro" => mount["ReadOnly"] = json!(truth(value)?),
        "consistency" => mount["Consistency"] = json!(value),
        "bind-propagation" => mount["BindOptions"]["Propagation"] = json!(value),
        "volume-driver" => mount["VolumeOptions"]["DriverConfig"]["Name"] = json!(value),
        "volume-nocopy" => mount["VolumeOptions"]["NoCopy"] = json!(truth(value)?),
        "volume-label" => {
            let (name, value) = value.split_once('=').unwrap_or((value, ""));
            mount["VolumeOptions"]["Labels"][name] = json!(value);
        }
        "volume-opt" => {
            let (name, value) = value.split_once('=')?;
            mount["VolumeOptions"]["DriverConfig"]["Options"][name] = json!(value);
        }
        "tmpfs-size" => {
            mount["TmpfsOptions"]["SizeBytes"] = json!(super::parameters::bytes(value)?)
        }
        "tmpfs-mode" => {
            mount["TmpfsOptions"]["Mode"] = json!(u32::from_str_radix(value, 8).ok()?);
        }
        _ => return None,
    }
    Some(())
}

fn truth(value: &str) -> Option<bool> {
    match value {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}
