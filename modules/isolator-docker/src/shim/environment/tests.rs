use super::*;

#[test]
fn the_hosts_variables_stay_outside_unless_the_task_sets_them() {
    let ours =
        [("PATH", "/host"), ("HOME", "/root"), ("PORT0", "31000"), ("MESOS_SANDBOX", "/var/x")];
    let ours = ours.map(|(name, value)| (name.into(), value.into())).into_iter();
    let mut body = json!({ "Env": ["MESOS_SANDBOX=/mnt/mesos/sandbox", "A=b=c"] });
    put(&mut body, ours, vec![("HOME".to_owned(), "/task".to_owned())]);
    let expected = ["A=b=c", "HOME=/task", "MESOS_SANDBOX=/mnt/mesos/sandbox", "PORT0=31000"];
    assert_eq!(body["Env"], json!(expected));
}
