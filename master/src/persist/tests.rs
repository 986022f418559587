#![allow(clippy::unwrap_used)]

use reeve_records::check;
use reeve_registry::Store;
use reeve_wire::internal::registry::MinimumCapability;

use super::*;

fn agent(id: &str) -> Arc<AgentInfo> {
    let id = Some(v1::AgentId { value: id.to_owned() });
    let wire = SlaveInfo { hostname: "h".to_owned(), id, ..SlaveInfo::default() };
    Arc::new(AgentInfo::try_from(wire).unwrap())
}

fn framework(id: &str) -> Arc<FrameworkInfo> {
    let wire = v1::FrameworkInfo {
        user: "u".to_owned(),
        name: "n".to_owned(),
        id: Some(v1::FrameworkId { value: id.to_owned() }),
        ..v1::FrameworkInfo::default()
    };
    Arc::new(FrameworkInfo::try_from(wire).unwrap())
}

/// The records that these mutations come to.
fn records(mutations: &[Mutation]) -> Records {
    let mut store = Store::memory();
    for mutation in mutations {
        store.apply(writes(mutation).unwrap()).unwrap();
    }
    store.load().unwrap()
}

#[test]
fn what_was_made_durable_is_recovered() {
    let at = Wall(7);
    let ended = |id, ended| CompletedFramework { info: framework(id), registered: at, ended };
    let records = records(&[
        Mutation::Admit(agent("stays")),
        Mutation::Admit(agent("leaves")),
        Mutation::Remove(AgentId::new("leaves")),
        Mutation::Admit(agent("returns")),
        Mutation::MarkUnreachable(AgentId::new("returns"), at),
        Mutation::MarkReachable(agent("returns")),
        Mutation::Admit(agent("lost")),
        Mutation::MarkUnreachable(AgentId::new("lost"), at),
        Mutation::Describe(framework("runs"), at),
        Mutation::Describe(framework("ends"), at),
        Mutation::Complete { completed: ended("ends", Wall(9)), forgotten: Vec::new() },
    ]);
    assert_eq!(check(&records), []);
    let recovered = recovered("m".into(), records).unwrap();
    let agents: Vec<_> = recovered.agents.iter().map(|info| info.id.clone().unwrap()).collect();
    assert_eq!(agents, [AgentId::new("returns"), AgentId::new("stays")]);
    assert_eq!(recovered.agents[1], *agent("stays"));
    assert_eq!(recovered.unreachable, [(AgentId::new("lost"), at)]);
    assert_eq!(*recovered.frameworks[0].info, *framework("runs"));
    assert_eq!(recovered.frameworks[0].registered, at);
    assert_eq!(recovered.completed[0].ended, Wall(9));
    assert_eq!((recovered.frameworks.len(), recovered.completed.len()), (1, 1));
}

#[test]
fn a_capability_that_is_lacking_is_named() {
    let record = |name: &str| {
        let capability = MinimumCapability { capability: name.to_owned() };
        Kind::Capabilities.put(name, &capability)
    };
    let mut store = Store::memory();
    store.apply([record("QUOTA_V2")]).unwrap();
    assert!(recovered("m".into(), store.load().unwrap()).is_ok());
    store.apply([record("FLYING")]).unwrap();
    let error = recovered("m".into(), store.load().unwrap()).unwrap_err();
    assert!(error.to_string().contains("asks for the capability FLYING"), "{error}");
}
