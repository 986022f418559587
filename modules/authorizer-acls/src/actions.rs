//! What can be done, and what it is done to.

/// Something that can be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Action {
    /// Its name, which is also that of its list of rules.
    pub(crate) name: &'static str,
    /// What a rule calls the things that it is done to.
    pub(crate) objects: &'static str,
    /// The fact of a thing that a rule's values are held against.
    pub(crate) fact: &'static str,
}

/// Roles are a tree: `eng/%` stands for all roles below `eng`.
pub(crate) const ROLE: &str = "role";

const fn action(name: &'static str, objects: &'static str, fact: &'static str) -> Action {
    Action { name, objects, fact }
}

const fn of_roles(name: &'static str) -> Action {
    action(name, "roles", ROLE)
}

const fn of_users(name: &'static str) -> Action {
    action(name, "users", "user")
}

const fn of_agents(name: &'static str) -> Action {
    action(name, "agents", "agent")
}

const fn of_machines(name: &'static str) -> Action {
    action(name, "machines", "machine")
}

const fn of_providers(name: &'static str) -> Action {
    action(name, "resource_providers", "resource_provider")
}

/// All that Mesos 1.11 knows.
pub(crate) static ACTIONS: [Action; 54] = [
    of_roles("register_frameworks"),
    of_users("run_tasks"),
    action("teardown_frameworks", "framework_principals", "principal"),
    of_roles("reserve_resources"),
    action("unreserve_resources", "reserver_principals", "principal"),
    of_roles("create_volumes"),
    action("destroy_volumes", "creator_principals", "principal"),
    of_roles("resize_volumes"),
    of_roles("create_block_disks"),
    of_roles("destroy_block_disks"),
    of_roles("create_mount_disks"),
    of_roles("destroy_mount_disks"),
    of_roles("destroy_raw_disks"),
    of_roles("update_weights"),
    of_roles("get_quotas"),
    of_roles("update_quotas"),
    action("get_endpoints", "paths", "path"),
    of_users("view_frameworks"),
    of_users("view_tasks"),
    of_users("view_executors"),
    of_roles("view_roles"),
    action("view_flags", "flags", "flag"),
    of_users("view_containers"),
    of_users("access_sandboxes"),
    action("access_mesos_logs", "logs", "log"),
    action("set_log_level", "level", "level"),
    of_users("launch_nested_containers_as_user"),
    of_users("launch_nested_containers_under_parent_with_user"),
    of_users("launch_nested_container_sessions_as_user"),
    of_users("launch_nested_container_sessions_under_parent_with_user"),
    of_users("attach_containers_input"),
    of_users("attach_containers_output"),
    of_users("kill_nested_containers"),
    of_users("wait_nested_containers"),
    of_users("remove_nested_containers"),
    of_users("launch_standalone_containers"),
    of_users("kill_standalone_containers"),
    of_users("wait_standalone_containers"),
    of_users("remove_standalone_containers"),
    of_users("view_standalone_containers"),
    of_agents("register_agents"),
    of_agents("drain_agents"),
    of_agents("deactivate_agents"),
    of_agents("reactivate_agents"),
    of_agents("mark_agents_gone"),
    of_machines("update_maintenance_schedules"),
    of_machines("get_maintenance_schedules"),
    of_machines("start_maintenances"),
    of_machines("stop_maintenances"),
    of_machines("get_maintenance_statuses"),
    of_providers("modify_resource_provider_configs"),
    of_providers("mark_resource_providers_gone"),
    of_providers("view_resource_providers"),
    action("prune_images", "images", "image"),
];
