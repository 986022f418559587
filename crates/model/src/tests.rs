//! What users rely on in messages: nothing of them is lost on the way through.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use reeve_wire::{SlaveInfo, internal, splice, v1};

use super::*;

fn command(value: &str) -> v1::CommandInfo {
    v1::CommandInfo { value: Some(value.to_owned()), ..v1::CommandInfo::default() }
}

fn labels() -> Option<v1::Labels> {
    let label = v1::Label { key: "k".to_owned(), value: Some("v".to_owned()) };
    Some(v1::Labels { labels: vec![label] })
}

fn resources() -> Resources {
    Resources::parse("cpus:1;mem:128;ports:[31000-31001]", &Role::any()).unwrap()
}

fn task() -> v1::TaskInfo {
    let executor = v1::ExecutorInfo {
        executor_id: v1::ExecutorId { value: "e".to_owned() },
        framework_id: Some(v1::FrameworkId { value: "f".to_owned() }),
        command: Some(command("./run")),
        resources: resources().to_wire(Format::PostRefinement).unwrap(),
        data: Some(Bytes::from_static(b"\x00\xff")),
        shutdown_grace_period: Some(v1::DurationInfo { nanoseconds: 7 }),
        ..v1::ExecutorInfo::default()
    };
    v1::TaskInfo {
        name: "name".to_owned(),
        task_id: v1::TaskId { value: "t".to_owned() },
        agent_id: v1::AgentId { value: "a-S1".to_owned() },
        resources: resources().to_wire(Format::PostRefinement).unwrap(),
        executor: Some(executor),
        labels: labels(),
        kill_policy: Some(v1::KillPolicy {
            grace_period: Some(v1::DurationInfo { nanoseconds: 3_000_000_000 }),
        }),
        max_completion_time: Some(v1::DurationInfo { nanoseconds: 5 }),
        limits: [("mem".to_owned(), v1::value::Scalar { value: f64::INFINITY })].into(),
        ..v1::TaskInfo::default()
    }
}

/// The message with a field that nobody here knows.
fn with_unknown(bytes: &[u8], number: u32) -> Bytes {
    let mut bytes = BytesMut::from(bytes);
    splice::append(&mut bytes, number, b"from the future");
    bytes.freeze()
}

fn unknown(bytes: &Bytes, number: u32) -> Option<Bytes> {
    splice::content(bytes, number).unwrap()
}

#[test]
fn a_task_comes_back_whole() {
    let info = TaskInfo::try_from(task()).unwrap();
    assert_eq!(info.to_wire(Format::PostRefinement).unwrap(), task());
    let bytes = info.to_wire_bytes(Format::PostRefinement).unwrap();
    assert_eq!(v1::TaskInfo::decode(bytes.clone()).unwrap(), task());
    // Once more through bytes: nothing is lost, nothing is there twice.
    let again = TaskInfo::from_wire_bytes(&bytes).unwrap();
    assert_eq!(again.to_wire(Format::PostRefinement).unwrap(), task());
    let bytes = again.to_wire_bytes(Format::PostRefinement).unwrap();
    assert_eq!(v1::TaskInfo::decode(bytes).unwrap(), task());
    assert_eq!(info.kill_grace, Some(Duration::from_secs(3)));
    assert_eq!(info.max_completion, Some(Duration::from_nanos(5)));
    assert_eq!(info.limits, Limits { cpus: None, mem: Some(Quantity::MAX) });
    assert_eq!(info.details().labels, labels());
    let executor = info.executor.unwrap();
    assert_eq!(executor.kind, ExecutorKind::Custom);
    assert_eq!(executor.framework, Some(FrameworkId::new("f")));
    assert_eq!(executor.details().command, Some(command("./run")));
}

#[test]
fn fields_from_the_future_survive() {
    let mut wire = task();
    let executor = with_unknown(&wire.executor.take().unwrap().encode_to_vec(), 901);
    let mut bytes = BytesMut::from(with_unknown(&wire.encode_to_vec(), 900).as_ref());
    splice::append(&mut bytes, 5, &executor);
    let info = TaskInfo::from_wire_bytes(&bytes.freeze()).unwrap();
    let again = info.to_wire_bytes(Format::PreRefinement).unwrap();
    assert!(unknown(&again, 900).is_some());
    let executor = splice::content(&again, 5).unwrap().unwrap();
    assert!(unknown(&executor, 901).is_some());

    let status = TaskStatus::new(TaskId::new("t"), TaskState::Running).to_wire_bytes();
    let status = TaskStatus::read(&with_unknown(&status, 902), Kin::default()).unwrap();
    assert!(unknown(&status.to_wire_bytes(), 902).is_some());
}

#[test]
fn a_status_shares_the_ids_of_its_kin() {
    let (task, agent) = (TaskId::new("t"), AgentId::new("a-S1"));
    let mut own = TaskStatus::new(task.clone(), TaskState::Running);
    (own.agent, own.executor) = (Some(agent.clone()), Some(ExecutorId::new("t")));
    let kin = Kin { task: Some(&task), agent: Some(&agent), executor: None };
    let read = TaskStatus::read(&own.to_wire_bytes(), kin).unwrap();
    assert_eq!(read, own);
    let same = |a: &str, b: &str| assert_eq!(a.as_ptr(), b.as_ptr());
    same(read.task.as_str(), task.as_str());
    same(read.executor.unwrap().as_str(), task.as_str());
    same(read.agent.unwrap().as_str(), agent.as_str());
    let stranger = TaskId::new("u");
    let kin = Kin { task: Some(&stranger), ..kin };
    assert_eq!(TaskStatus::read(&own.to_wire_bytes(), kin).unwrap(), own);
}

#[test]
fn an_executor_learns_its_framework() {
    let mut wire = task().executor.unwrap();
    wire.framework_id = None;
    let mut info = ExecutorInfo::try_from(wire).unwrap();
    info.framework = Some(FrameworkId::new("new"));
    let bytes = info.to_wire_bytes(Format::PostRefinement).unwrap();
    let wire = v1::ExecutorInfo::decode(bytes).unwrap();
    assert_eq!(wire.framework_id.unwrap().value, "new");
}

#[test]
fn tasks_share_an_executor_that_is_described_alike() {
    let of = |change: fn(&mut v1::ExecutorInfo)| {
        let mut wire = task().executor.unwrap();
        change(&mut wire);
        ExecutorInfo::try_from(wire).unwrap()
    };
    let one = of(|_| {});
    assert!(one.is_compatible_with(&of(|_| {})));
    assert!(one.is_compatible_with(&of(|wire| wire.framework_id = None)));
    assert!(one.is_compatible_with(&of(|wire| wire.resources.rotate_left(1))));
    assert!(!one.is_compatible_with(&of(|wire| wire.command = Some(command("./other")))));
    assert!(!one.is_compatible_with(&of(|wire| wire.resources.truncate(1))));
    assert!(!one.is_compatible_with(&of(|wire| wire.shutdown_grace_period = None)));
}

fn status() -> v1::TaskStatus {
    v1::TaskStatus {
        task_id: v1::TaskId { value: "t".to_owned() },
        state: v1::TaskState::TaskFailed.into(),
        message: Some("Command exited with status 3".to_owned()),
        source: Some(2),
        reason: Some(0),
        data: Some(Bytes::from_static(b"data")),
        agent_id: Some(v1::AgentId { value: "a-S1".to_owned() }),
        executor_id: Some(v1::ExecutorId { value: "e".to_owned() }),
        timestamp: Some(1_700_000_000.25),
        uuid: Some(Bytes::from_static(&[7; 16])),
        healthy: Some(false),
        labels: labels(),
        container_status: Some(v1::ContainerStatus {
            executor_pid: Some(42),
            ..v1::ContainerStatus::default()
        }),
        unreachable_time: Some(v1::TimeInfo { nanoseconds: 9 }),
        ..v1::TaskStatus::default()
    }
}

#[test]
fn a_status_says_where_its_task_runs_unless_it_did() {
    let place = Place {
        container: ContainerId::new("c"),
        process: Some(7),
        address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
    };
    let mut told = TaskStatus::try_from(status()).unwrap();
    told.locate(&place);
    let there = told.to_wire().container_status.unwrap();
    assert_eq!(there.container_id.unwrap().value, "c");
    assert_eq!(there.executor_pid, Some(42), "the executor knows better");
    let address = &there.network_infos[0].ip_addresses[0];
    assert_eq!(address.ip_address.as_deref(), Some("127.0.0.1"));
    assert_eq!(told.to_wire().labels, labels());
    let once = told.clone();
    told.locate(&place);
    assert_eq!(told.to_wire(), once.to_wire());
}

#[test]
fn a_status_comes_back_whole() {
    let read = TaskStatus::try_from(status()).unwrap();
    assert_eq!(read.state, TaskState::Failed);
    assert_eq!(
        (read.source, read.reason),
        (Some(Source::Executor), Some(Reason::CommandExecutorFailed))
    );
    assert_eq!(read.to_wire(), status());
    assert_eq!(v1::TaskStatus::decode(read.to_wire_bytes()).unwrap(), status());
    let again = TaskStatus::read(&read.to_wire_bytes(), Kin::default()).unwrap();
    assert_eq!(again, read);
    assert_eq!(again.to_wire_bytes().len(), read.to_wire_bytes().len());
    let update = internal::StatusUpdate {
        framework_id: v1::FrameworkId { value: "f".to_owned() },
        executor_id: None,
        slave_id: Some(v1::AgentId { value: "a-S1".to_owned() }),
        status: status(),
        timestamp: 1.5,
        uuid: Some(Bytes::from_static(&[7; 16])),
        latest_state: Some(v1::TaskState::TaskFailed.into()),
    };
    assert_eq!(StatusUpdate::try_from(update.clone()).unwrap().to_wire(), update);
}

#[test]
fn an_update_without_uuid_need_not_be_acknowledged() {
    let read = |uuid: &'static [u8]| {
        let uuid = Some(Bytes::from_static(uuid));
        TaskStatus::try_from(v1::TaskStatus { uuid, ..status() })
    };
    assert_eq!(read(b"").unwrap().uuid, None);
    assert_eq!(read(b"short").unwrap_err().field, "status.uuid");
}

#[test]
fn states_reasons_and_sources_are_the_wires() {
    for state in TaskState::ALL {
        let wire = v1::TaskState::try_from(i32::from(*state)).unwrap();
        assert_eq!(wire.as_str_name(), state.name());
    }
    for reason in Reason::ALL {
        let wire = v1::task_status::Reason::try_from(i32::from(*reason)).unwrap();
        assert_eq!(wire.as_str_name(), reason.name());
    }
    for source in Source::ALL {
        let wire = v1::task_status::Source::try_from(i32::from(*source)).unwrap();
        assert_eq!(wire.as_str_name(), source.name());
    }
    for state in OperationState::ALL {
        let wire = v1::OperationState::try_from(i32::from(*state)).unwrap();
        assert_eq!(wire.as_str_name(), state.name());
    }
    let known = (0..100).filter(|number| v1::TaskState::try_from(*number).is_ok()).count();
    assert_eq!(known, TaskState::ALL.len());
    let known = (0..100).filter(|n| v1::task_status::Reason::try_from(*n).is_ok()).count();
    assert_eq!(known, Reason::ALL.len());
}

#[test]
fn frameworks_without_partitions_hear_of_loss_alone() {
    let heard = |state: TaskState| state.without_partitions();
    for state in [TaskState::Unreachable, TaskState::Gone, TaskState::Dropped, TaskState::Unknown] {
        assert_eq!(heard(state), TaskState::Lost);
    }
    assert_eq!(heard(TaskState::Running), TaskState::Running);
    assert!(!TaskState::Unreachable.is_terminal() && TaskState::GoneByOperator.is_terminal());
}

#[test]
#[allow(deprecated)]
fn a_framework_comes_back_whole() {
    let wire = v1::FrameworkInfo {
        user: "root".to_owned(),
        name: "f".to_owned(),
        id: Some(v1::FrameworkId { value: "f-0001".to_owned() }),
        failover_timeout: Some(60.5),
        checkpoint: Some(true),
        role: Some("eng/web".to_owned()),
        roles: Vec::new(),
        hostname: Some("h".to_owned()),
        principal: Some("p".to_owned()),
        webui_url: Some("http://h".to_owned()),
        capabilities: vec![v1::framework_info::Capability { r#type: Some(5) }],
        labels: labels(),
        offer_filters: [("eng/web".to_owned(), filters("cpus:1|mem:32"))].into(),
    };
    let info = FrameworkInfo::try_from(wire.clone()).unwrap();
    assert_eq!(info.to_wire(), wire);
    assert_eq!(info.roles, [Role::new("eng/web")]);
    assert!(info.capabilities.partition_aware() && !info.capabilities.multi_role());
    assert_eq!(info.failover_timeout, Duration::from_millis(60_500));
    assert_eq!(info.capabilities.format(), Format::PreRefinement);

    let several = v1::FrameworkInfo {
        role: None,
        roles: vec!["a".to_owned(), "b".to_owned()],
        capabilities: vec![v1::framework_info::Capability { r#type: Some(6) }],
        ..wire
    };
    let info = FrameworkInfo::try_from(several.clone()).unwrap();
    assert_eq!(info.to_wire(), several);
    assert_eq!(info.roles.len(), 2);
}

fn filters(text: &str) -> v1::OfferFilters {
    let least = MinAllocatable::parse(text).unwrap();
    v1::OfferFilters { min_allocatable_resources: Some(least.to_wire()) }
}

#[test]
fn a_framework_without_role_has_the_default_role() {
    let wire = v1::FrameworkInfo { user: "u".to_owned(), ..v1::FrameworkInfo::default() };
    let info = FrameworkInfo::try_from(wire).unwrap();
    assert_eq!((info.roles, info.id), (vec![Role::any()], None));
    assert_eq!(info.failover_timeout, Duration::ZERO);
}

#[test]
fn an_agent_comes_back_whole() {
    let wire = SlaveInfo {
        hostname: "h".to_owned(),
        port: Some(5051),
        resources: resources().to_wire(Format::PostRefinement).unwrap(),
        attributes: Attributes::parse("rack:r7;level:3;odd:[1-3]").unwrap().to_wire(),
        id: Some(v1::AgentId { value: "m-S0".to_owned() }),
        checkpoint: Some(true),
        domain: Some(Domain { region: "r".into(), zone: "z".into() }.to_wire()),
    };
    let info = AgentInfo::try_from(wire.clone()).unwrap();
    assert_eq!(info.to_slave_info(Format::PostRefinement).unwrap(), wire);
    let v1 = info.to_wire(Format::PostRefinement).unwrap();
    assert_eq!(AgentInfo::try_from(v1).unwrap(), info);
    assert!(AgentInfo::try_from(SlaveInfo { port: Some(70_000), ..wire }).is_err());
}

#[test]
fn attributes_keep_their_order_and_kind() {
    let all = Attributes::parse(" rack: r 7 ;level:3.5;rack:x:y;odd:[1-3];set:{b,a};").unwrap();
    assert_eq!(all.to_string(), "rack:r 7;level:3.5;rack:x:y;odd:[1-3];set:{a, b}");
    assert_eq!(all.get("level"), Some(&AttributeValue::Scalar(Quantity::from_thousandths(3500))));
    assert_eq!(all.get("none"), None);
    assert_eq!(Attributes::try_from(all.to_wire().as_slice()).unwrap(), all);
    let odd = Attributes::parse("id:123456789012345678901;up:inf;t:-4").unwrap();
    assert_eq!(odd.get("id"), Some(&AttributeValue::Text("123456789012345678901".into())));
    assert_eq!(odd.get("up"), Some(&AttributeValue::Text("inf".into())));
    assert_eq!(odd.get("t"), Some(&AttributeValue::Scalar(Quantity::from_units(-4))));
    let error = Attributes::parse("rack").unwrap_err().to_string();
    assert_eq!(error, "column 5: expected ':' after the attribute's name, found the end");
}

#[test]
fn a_masters_address_reads_in_network_order() {
    let info = MasterInfo {
        id: "m".to_owned(),
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 5050,
        hostname: "localhost".to_owned(),
        version: "1.11.0".to_owned(),
        pid: "master@127.0.0.1:5050".to_owned(),
        domain: None,
        capabilities: vec![1, 2, 3],
    };
    let wire = info.to_wire();
    assert_eq!(wire.ip, 16_777_343);
    assert_eq!(MasterInfo::try_from(wire.clone()).unwrap(), info);
    let old = v1::MasterInfo { address: None, ip: 16_777_226, ..wire };
    assert_eq!(MasterInfo::try_from(old).unwrap().ip, IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)));
}

#[test]
fn declining_has_bounds() {
    let refuse =
        |seconds: f64| Filters::from(&v1::Filters { refuse_seconds: Some(seconds) }).refuse;
    assert_eq!(Filters::from(None), Filters::DEFAULT);
    assert_eq!(Filters::from(&v1::Filters::default()).refuse, Duration::from_secs(5));
    assert_eq!(refuse(0.5), Duration::from_millis(500));
    assert_eq!(refuse(-1.0), Duration::from_secs(5));
    assert_eq!(refuse(f64::NAN), Duration::from_secs(5));
    assert_eq!(refuse(f64::INFINITY), Duration::from_secs(365 * 86_400));
}

fn constraints(selector: Selector, predicate: Predicate) -> OfferConstraints {
    use reeve_wire::v1::scheduler::offer_constraints::{RoleConstraints, role_constraints::Group};
    let constraint = Constraint { selector, predicate }.to_wire();
    let group = Group { attribute_constraints: vec![constraint] };
    let constraints = RoleConstraints { groups: vec![group] };
    let wire = v1::scheduler::OfferConstraints {
        role_constraints: [("eng".to_owned(), constraints)].into(),
    };
    let read = OfferConstraints::try_from(&wire).unwrap();
    assert_eq!(read.to_wire(), wire);
    read
}

#[test]
fn constraints_choose_agents() {
    let attributes = Attributes::parse("rack:r1;rack:r2;level:3").unwrap();
    let domain = Domain { region: "eu".into(), zone: "eu-1".into() };
    let agent = AgentFacts { hostname: "h1", domain: Some(&domain), attributes: &attributes };
    let engine = |expression: &str, text: &str| text.starts_with(expression);
    let role = Role::new("eng");
    let takes = |selector: Selector, predicate: Predicate| {
        constraints(selector, predicate).matches(&role, &agent, &engine)
    };
    let rack = || Selector::Attribute("rack".into());
    let level = || Selector::Attribute("level".into());
    let none = || Selector::Attribute("none".into());
    assert!(takes(rack(), Predicate::Exists) && !takes(none(), Predicate::Exists));
    assert!(takes(none(), Predicate::NotExists) && !takes(rack(), Predicate::NotExists));
    assert!(takes(rack(), Predicate::TextEquals("r2".into())));
    assert!(!takes(rack(), Predicate::TextEquals("r3".into())));
    assert!(takes(rack(), Predicate::TextNotEquals("r1".into())));
    assert!(takes(none(), Predicate::TextNotEquals("r1".into())));
    assert!(!takes(none(), Predicate::TextEquals("r1".into())));
    assert!(takes(level(), Predicate::TextEquals("x".into())));
    assert!(takes(Selector::Hostname, Predicate::TextMatches("h".into())));
    assert!(!takes(Selector::Hostname, Predicate::TextNotMatches("h".into())));
    assert!(takes(Selector::Region, Predicate::TextEquals("eu".into())));
    assert!(takes(Selector::Zone, Predicate::TextNotEquals("eu".into())));
    let other = constraints(none(), Predicate::Exists);
    assert!(other.matches(&Role::new("ops"), &agent, &engine));
}

#[test]
fn empty_constraints_are_refused() {
    let wire = v1::scheduler::OfferConstraints {
        role_constraints: [("eng".to_owned(), Default::default())].into(),
    };
    let error = OfferConstraints::try_from(&wire).unwrap_err();
    assert_eq!(
        error.to_string(),
        "'offer_constraints.role_constraints.eng.groups' must not be empty"
    );
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes in vec(any::<u8>(), 0..96)) {
        let bytes = Bytes::from(bytes);
        let _ = TaskInfo::from_wire_bytes(&bytes);
        let _ = ExecutorInfo::from_wire_bytes(&bytes);
        let _ = TaskStatus::read(&bytes, Kin::default());
        if let Ok(wire) = v1::offer::Operation::decode(bytes.clone()) {
            let _ = Operation::try_from(wire);
        }
        if let Ok(wire) = v1::FrameworkInfo::decode(bytes.clone()) {
            let _ = FrameworkInfo::try_from(wire);
        }
        if let Ok(wire) = SlaveInfo::decode(bytes) {
            let _ = AgentInfo::try_from(wire);
        }
    }

    #[test]
    fn a_changed_byte_never_brings_a_task_down(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = task().encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(info) = TaskInfo::from_wire_bytes(&bytes.into()) {
            let _ = info.details();
            let again = info.to_wire_bytes(Format::PostRefinement).unwrap();
            prop_assert_eq!(TaskInfo::from_wire_bytes(&again).unwrap().resources, info.resources);
        }
    }
}

#[test]
fn the_executor_of_a_command_is_known_again_by_what_was_written_of_it() {
    let wire = v1::TaskInfo { executor: None, command: Some(command("sleep 1")), ..task() };
    let task = TaskInfo::try_from(wire).unwrap();
    let own = ExecutorInfo::command(&FrameworkId::new("f"), &task);
    let written = own.to_wire(Format::PostRefinement).unwrap();
    assert_eq!(ExecutorInfo::recorded(written.clone()).unwrap(), own);
    let another = v1::ExecutorInfo { name: Some("mine".to_owned()), ..written };
    assert_eq!(ExecutorInfo::recorded(another).unwrap().kind, ExecutorKind::Custom);
}
