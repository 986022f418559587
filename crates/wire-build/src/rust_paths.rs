//! Where prost puts the Rust type of a message: packages and outer messages become modules.

use heck::{ToSnakeCase, ToUpperCamelCase};

/// The path of a message below the module that holds the generated code, for example
/// `mesos::v1::offer::operation::LaunchGroup`.
pub(crate) fn of(package: &str, outer: &[&str], name: &str) -> String {
    let modules = package.split('.').map(str::to_owned);
    let modules = modules.chain(outer.iter().map(|message| message.to_snake_case()));
    modules.chain([name.to_upper_camel_case()]).collect::<Vec<_>>().join("::")
}
