use std::fs;

use super::*;

/// A copy of some machine's `/etc`.
struct Etc(tempfile::TempDir);

impl Etc {
    fn new(files: &[(&str, &str)]) -> Self {
        let etc = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = etc.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        etc
    }

    fn import(&self, paths: &[&str]) -> anyhow::Result<Vec<(&'static str, String)>> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| self.0.path().join(path)).collect();
        let root = self.0.path().display().to_string();
        let texts = texts(&paths)?;
        Ok(texts.into_iter().map(|(name, text)| (name, text.replace(&root, "/etc"))).collect())
    }

    /// What becomes of everything, for one daemon.
    fn whole(&self, daemon: &str) -> String {
        let texts = self.import(&[""]).unwrap();
        texts.into_iter().find(|(name, _)| *name == daemon).unwrap().1
    }
}

#[test]
fn files_of_flags_become_settings() {
    let etc = Etc::new(&[
        ("mesos/zk", "zk://10.0.0.1:2181/mesos\n"),
        ("default/mesos", "LOGS=/var/log/mesos\nULIMIT=\"-n 8192\"\n"),
        ("default/mesos-slave", "MASTER=`cat /etc/mesos/zk`\n"),
        ("mesos-slave/attributes/rack", "r7\n"),
        ("mesos-slave/attributes/os", "debian\n"),
        ("mesos-slave/executor_registration_timeout", "5mins\n"),
        ("mesos-slave/?no-switch_user", ""),
        ("mesos-slave/port", "5051"),
        ("mesos-slave/hostname.rpmnew", "x"),
        ("mesos-slave/gc_delay", "1 fortnight"),
        ("mesos-slave/isolatoin", "posix"),
        ("mesos-slave/containerizers", "docker,mesos"),
    ]);
    assert_eq!(
        etc.whole("agent"),
        "# Settings of the agent, taken over from Mesos.\n\
         \n\
         # /etc/default/mesos-slave\n\
         master = \"zk://10.0.0.1:2181/mesos\"\n\
         # /etc/mesos-slave/port\n\
         port = 5051\n\
         # /etc/mesos-slave/attributes\n\
         attributes = \"os:debian;rack:r7\"\n\
         # /etc/mesos-slave/?no-switch_user\n\
         switch_user = false\n\
         # /etc/mesos-slave/executor_registration_timeout\n\
         executor_registration_timeout = \"5mins\"\n\
         \n\
         # Not taken over:\n\
         \n\
         # /etc/mesos-slave/gc_delay: \" fortnight\" is not a unit of time; the units are \
         ns, us, ms, secs, mins, hrs, days, weeks (expected a duration such as 15secs)\n\
         #gc_delay = 1 fortnight\n\
         \n\
         # /etc/default/mesos: the unit file says it: LimitNOFILE=\n\
         #ULIMIT\n\
         \n\
         # /etc/default/mesos: the log goes to standard error; systemd keeps it in the journal\n\
         #log_dir = /var/log/mesos\n\
         \n\
         # /etc/mesos-slave/containerizers: isolation names what runs containers; docker is one of them\n\
         #containerizers = docker,mesos\n\
         \n\
         # /etc/mesos-slave/hostname.rpmnew: an editor or a package manager left it behind\n\
         #hostname.rpmnew\n\
         \n\
         # /etc/mesos-slave/isolatoin: Reeve has no such setting; is isolation meant?\n\
         #isolatoin = posix\n"
    );
}

#[test]
fn what_is_taken_over_is_right() {
    let etc = Etc::new(&[
        ("default/mesos-master", "export PORT=5055 # odd\nMESOS_CLUSTER=\"a b\"\nexec true\n"),
        ("mesos-master/ip", "10.0.0.1"),
        ("mesos-master/slave_ping_timeout", "20secs"),
        ("mesos-master/quorum", "2"),
        ("mesos-master/modules", "{\n}"),
    ]);
    let text = etc.whole("master");
    let path = etc.0.path().join("master.toml");
    fs::write(&path, &text).unwrap();
    assert!((DAEMONS[0].check)(std::slice::from_ref(&path)).is_empty(), "{text}");
    for line in [
        "port = 5055",
        "cluster = \"a b\"",
        "ip = [\"10.0.0.1\"]",
        "agent_ping_timeout = \"20secs\"",
        "#quorum = 2",
        "#modules = {\n#}",
        "#exec true",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}: {text}");
    }
}

#[test]
fn variables_give_way_to_files_and_scripts_win_over_variables() {
    let etc = Etc::new(&[
        ("default/mesos", "MESOS_PORT=1\nMESOS_CLUSTER=variable\nLIBPROCESS_IP=10.0.0.1\n"),
        ("default/mesos-master", "PORT=2\nCLUSTER='script'\nMESOS_CLUSTER=late\n"),
        ("mesos-master/port", "3"),
    ]);
    let text = etc.whole("master");
    for line in ["port = 3", "cluster = \"script\"", "ip = [\"10.0.0.1\"]"] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}: {text}");
    }
    assert!(text.contains("# /etc/default/mesos-master: /etc/mesos-master/port wins\n#port = 2\n"));
}

#[test]
fn a_password_stays_in_the_file_that_has_it() {
    let etc = Etc::new(&[
        ("mesos/zk", "zk://me:secret@10.0.0.1:2181/mesos\n"),
        ("mesos-master/port", "5050\n"),
        ("default/mesos-slave", "MASTER=`cat /etc/mesos/zk`\n"),
    ]);
    assert!(etc.whole("master").contains("zk = \"file:///etc/mesos/zk\""));
    assert!(etc.whole("agent").contains("master = \"file:///etc/mesos/zk\""));
}

#[test]
fn what_only_a_shell_can_tell_is_left_out() {
    let etc = Etc::new(&[(
        "default/mesos-master",
        "IP=$(hostname -i)\nPORT=${BASE}1\nCLUSTER=\"a\"b\nZK=`cat /etc/mesos/zk`\nMESOS_WORK_DIR=\"$HOME\"\n",
    )]);
    let text = etc.whole("master");
    for name in ["ip", "port", "cluster", "work_dir"] {
        let left = format!("the shell computes it; write its value\n#{name}\n");
        assert!(text.contains(&left), "{name}: {text}");
    }
    assert!(text.contains("/etc/mesos/zk can't be read: "), "{text}");
}

#[test]
fn a_daemon_that_is_not_there_gets_no_file() {
    let etc =
        Etc::new(&[("mesos/zk", "zk://a:1/mesos"), ("mesos-agent/work_dir", "/var/lib/mesos")]);
    let names: Vec<_> = etc.import(&[""]).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["agent"]);
    let names: Vec<_> = etc.import(&["mesos"]).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["master", "agent"]);
}

#[test]
fn a_directory_without_any_is_refused() {
    let etc = Etc::new(&[("passwd", "")]);
    let error = format!("{:#}", etc.import(&[""]).unwrap_err());
    assert!(error.ends_with("there is no mesos, mesos-master, mesos-slave or default/mesos in it"));
}

#[test]
fn files_are_not_replaced_unasked() {
    let etc = Etc::new(&[("master.toml", "mine")]);
    let (folder, text) = (etc.0.path(), || "new".to_owned());
    let error = write(folder, &[("agent", text()), ("master", text())], false).unwrap_err();
    assert!(error.to_string().ends_with("master.toml is there already; --force replaces it"));
    assert!(!folder.join("agent.toml").exists());
    write(folder, &[("master", text())], true).unwrap();
    assert_eq!(fs::read_to_string(folder.join("master.toml")).unwrap(), "new");
}
