use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use reeve_master_core::event::{Call, Caller, RequestId, StreamClaim, StreamId, Subscription};
use reeve_model::{
    AgentId, Filters, Operation, Principal, Reason, Resources, Role, TaskId, TaskInfo,
};
use reeve_module_sdk::Failed;
use reeve_module_sdk::authenticator;
use reeve_module_sdk::authorizer::{Authorizer, Object};
use reeve_wire::v1;

use super::*;

/// Permits what does not say `root` or `ops`, each time it is let.
struct Slow {
    go_on: Mutex<Receiver<()>>,
}

impl Authorizer for Slow {
    fn permits(
        &self,
        principal: Option<&authenticator::Principal>,
        _: &str,
        objects: &[Object],
    ) -> Result<Vec<bool>, Failed> {
        assert_eq!(principal.unwrap().name.as_ref().unwrap().as_str(), "alice");
        self.go_on.lock().unwrap().recv().map_err(|error| Failed::new(error.to_string()))?;
        let bad = |object: &Object| {
            let fact = object.get("user").or(object.get("role"));
            fact.is_some_and(|fact| ["root", "ops"].contains(&fact))
        };
        Ok(objects.iter().map(|object| !bad(object)).collect())
    }
}

fn slow() -> (Approvals, Sender<()>, mpsc::Receiver<Input>, Known) {
    let (release, go_on) = channel();
    let slow = Box::new(Slow { go_on: Mutex::new(go_on) });
    let permissions = Permissions::of("slow", slow, Duration::from_secs(60)).unwrap();
    let (core, inputs) = mpsc::channel(16);
    let known = ["f1", "f2"].map(|id| (FrameworkId::new(id), framework(&["*"])));
    let proven = Box::new(|_: &Pid| Some(Arc::from("alice")));
    (Approvals::new(permissions, core, proven), release, inputs, known.into())
}

fn framework(roles: &[&str]) -> Arc<FrameworkInfo> {
    let wire = v1::FrameworkInfo { user: "www".to_owned(), ..v1::FrameworkInfo::default() };
    let info = FrameworkInfo::try_from(wire).unwrap();
    let principal = Some(Principal::new("alice"));
    Arc::new(FrameworkInfo {
        roles: roles.iter().map(|role| Role::new(*role)).collect(),
        principal,
        ..info
    })
}

fn task(id: &str, user: Option<&str>) -> TaskInfo {
    let command = v1::CommandInfo {
        value: Some("true".to_owned()),
        user: user.map(str::to_owned),
        ..v1::CommandInfo::default()
    };
    let wire = v1::TaskInfo {
        name: id.to_owned(),
        task_id: TaskId::new(id).to_wire(),
        agent_id: AgentId::new("a").to_wire(),
        command: Some(command),
        ..v1::TaskInfo::default()
    };
    TaskInfo::try_from(wire).unwrap()
}

fn calls(framework: &str, call: Call) -> Kind {
    let caller = Caller::Request(RequestId(1), StreamClaim::Is(StreamId(1)), None);
    Kind::Calls(FrameworkId::new(framework), caller, call)
}

fn accept(framework: &str, operations: Vec<Operation>) -> Kind {
    calls(framework, Call::Accept { offers: Vec::new(), operations, filters: Filters::default() })
}

fn launch(framework: &str, users: &[Option<&str>]) -> Kind {
    let tasks = users.iter().map(|user| Ok(task("t", *user))).collect();
    accept(framework, vec![Operation::Launch(tasks)])
}

async fn ruling(inputs: &mut mpsc::Receiver<Input>) -> (Lane, Ruling) {
    match inputs.recv().await.unwrap() {
        Input::Ruled(lane, ruling) => (lane, ruling),
        other => panic!("{other:?}"),
    }
}

fn operations(approved: Approved) -> Vec<Operation> {
    match approved {
        Approved::Call(Kind::Calls(_, _, Call::Accept { operations, .. })) => operations,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn calls_keep_their_order_and_frameworks_do_not_wait_for_each_other() {
    let (mut approvals, release, mut inputs, known) = slow();
    assert!(approvals.take(launch("f1", &[None]), &known).is_none());
    let kill = || calls("f1", Call::Revive(Vec::new()));
    assert!(approvals.take(kill(), &known).is_none(), "it came after a launch that waits");
    let other = calls("f2", Call::Revive(Vec::new()));
    assert!(approvals.take(other, &known).is_some(), "nothing waits there");
    assert!(approvals.take(accept("f2", Vec::new()), &known).is_some(), "it wants nothing");
    release.send(()).unwrap();
    let (lane, ruling) = ruling(&mut inputs).await;
    let (approved, behind) = approvals.ruled(&lane, &ruling, &known).unwrap();
    assert!(matches!(&operations(approved)[..], [Operation::Launch(tasks)] if tasks[0].is_ok()));
    assert_eq!(behind.len(), 1);
    assert!(approvals.take(kill(), &known).is_some(), "nothing waits any more");
}

#[tokio::test]
async fn what_is_not_permitted_is_marked_and_the_rest_goes_on() {
    let (mut approvals, release, mut inputs, known) = slow();
    assert!(approvals.take(launch("f1", &[None, Some("root")]), &known).is_none());
    release.send(()).unwrap();
    let (lane, said) = ruling(&mut inputs).await;
    let (approved, _) = approvals.ruled(&lane, &said, &known).unwrap();
    let [Operation::Launch(tasks)] = &operations(approved)[..] else { panic!() };
    assert!(tasks[0].is_ok());
    let refused = tasks[1].as_ref().unwrap_err();
    assert_eq!(refused.reason, Reason::TaskUnauthorized);
    assert_eq!(
        refused.message,
        "Principal 'alice' is not authorized to launch task t of framework f1 under user 'root'"
    );

    let role = |role: &str| Resources::parse(&format!("cpus({role}):1"), &Role::any()).unwrap();
    let reserve =
        |name| Operation::Reserve { id: None, source: Resources::new(), resources: role(name) };
    assert!(approvals.take(accept("f1", vec![reserve("ops"), reserve("dev")]), &known).is_none());
    release.send(()).unwrap();
    let (lane, said) = ruling(&mut inputs).await;
    let (approved, _) = approvals.ruled(&lane, &said, &known).unwrap();
    let [Operation::Forbidden { why, .. }, Operation::Reserve { .. }] = &operations(approved)[..]
    else {
        panic!()
    };
    assert_eq!(why, "Not authorized to reserve resources as Principal 'alice'");
}

#[tokio::test]
async fn roles_are_asked_about_and_an_authorizer_that_fails_permits_nothing() {
    let (mut approvals, release, mut inputs, known) = slow();
    let update = |roles: &[&str]| {
        let info = framework(roles);
        let (suppressed, constraints) = (BTreeSet::new(), None);
        calls("f1", Call::UpdateFramework { info, suppressed, constraints })
    };
    let forbidden = |approved| match approved {
        Approved::Call(Kind::Calls(_, _, Call::Forbidden(why))) => why,
        other => panic!("{other:?}"),
    };
    assert!(approvals.take(update(&["ops", "dev"]), &known).is_none());
    release.send(()).unwrap();
    let (lane, said) = ruling(&mut inputs).await;
    let (approved, _) = approvals.ruled(&lane, &said, &known).unwrap();
    assert_eq!(
        forbidden(approved),
        "Not authorized to register framework  with roles { dev, ops }"
    );
    let pid: Pid = "scheduler@127.0.0.1:9".parse().unwrap();
    let subscription = Subscription {
        info: framework(&["dev"]),
        suppressed: BTreeSet::new(),
        constraints: None,
        channel: Channel::Libprocess(pid.clone()),
        force: false,
    };
    let subscribes = Kind::Subscribes(StreamId(7), Box::new(subscription));
    assert!(approvals.take(subscribes, &known).is_none());
    drop(release);
    let (lane, said) = ruling(&mut inputs).await;
    assert_eq!(lane, Lane::Driver(pid.clone()));
    match approvals.ruled(&lane, &said, &known).unwrap().0 {
        Approved::NoDriver(to, why) => {
            assert_eq!(to, pid);
            assert!(why.starts_with("Authorization failure: "), "{why}");
        }
        other => panic!("{other:?}"),
    }
}
