//! Modules that were loaded, each as its kind's plain trait.

mod allocator;
mod anonymous;
mod authenticator;
mod authorizer;
mod container_logger;
mod hook;
mod isolator;
mod oversubscription;
mod secret_resolver;

use std::fmt;

use reeve_module_api::abi_stable::std_types::RResult;
use reeve_module_api::v2::anonymous::RawAnonymousBox;
use reeve_module_api::v2::authenticator::RawAuthenticatorBox;
use reeve_module_api::v2::authorizer::RawAuthorizerBox;
use reeve_module_api::v2::container_logger::RawContainerLoggerBox;
use reeve_module_api::v2::hook::RawHookBox;
use reeve_module_api::v2::isolator::RawIsolatorBox;
use reeve_module_api::v2::oversubscription::{RawQosControllerBox, RawResourceEstimatorBox};
use reeve_module_api::v2::secret_resolver::RawSecretResolverBox;
use reeve_module_api::v2::{Fault, Instance};
use reeve_module_sdk::Failed;

pub use allocator::LoadedAllocator;

use crate::Kind;

/// A module behind the boundary that implements the plain trait of its kind. A panic of it fails
/// the call and nothing else.
pub struct Loaded<R> {
    name: String,
    raw: R,
}

impl<R> fmt::Debug for Loaded<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<R> Loaded<R> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a call gave, or its failure with the module's name.
    fn answer<T>(&self, result: RResult<T, Fault>) -> Result<T, Failed> {
        let named =
            |fault: Fault| Failed::new(format!("module '{}': {}", self.name, fault.message));
        result.into_result().map_err(named)
    }
}

/// A loaded isolator.
pub type LoadedIsolator = Loaded<RawIsolatorBox>;
/// A loaded hook.
pub type LoadedHook = Loaded<RawHookBox>;
/// A loaded container logger.
pub type LoadedContainerLogger = Loaded<RawContainerLoggerBox>;
/// A loaded resource estimator.
pub type LoadedResourceEstimator = Loaded<RawResourceEstimatorBox>;
/// A loaded QoS controller.
pub type LoadedQosController = Loaded<RawQosControllerBox>;
/// A loaded authenticator.
pub type LoadedAuthenticator = Loaded<RawAuthenticatorBox>;
/// A loaded authorizer.
pub type LoadedAuthorizer = Loaded<RawAuthorizerBox>;
/// A loaded secret resolver.
pub type LoadedSecretResolver = Loaded<RawSecretResolverBox>;
/// A loaded anonymous module.
pub type LoadedAnonymous = Loaded<RawAnonymousBox>;

/// What a module of one kind becomes when it is loaded.
pub trait Works: Sized {
    /// The kind.
    const KIND: Kind;

    /// The module that a library has made, if it is of this kind; else the kind that it is of.
    ///
    /// # Errors
    ///
    /// The kind that it is of.
    fn of(name: &str, instance: Instance) -> Result<Self, Kind>;
}

/// What kind of module a library has made.
fn kind(instance: &Instance) -> Kind {
    match instance {
        Instance::Allocator(_) => Kind::Allocator,
        Instance::Isolator(_) => Kind::Isolator,
        Instance::Hook(_) => Kind::Hook,
        Instance::ContainerLogger(_) => Kind::ContainerLogger,
        Instance::ResourceEstimator(_) => Kind::ResourceEstimator,
        Instance::QosController(_) => Kind::QosController,
        Instance::Authenticator(_) => Kind::Authenticator,
        Instance::Authorizer(_) => Kind::Authorizer,
        Instance::SecretResolver(_) => Kind::SecretResolver,
        Instance::Anonymous(_) => Kind::Anonymous,
    }
}

macro_rules! works {
    ($($kind:ident: $raw:ident;)*) => {$(
        impl Works for Loaded<$raw> {
            const KIND: Kind = Kind::$kind;

            fn of(name: &str, instance: Instance) -> Result<Self, Kind> {
                match instance {
                    Instance::$kind(raw) => Ok(Self { name: name.to_owned(), raw }),
                    other => Err(kind(&other)),
                }
            }
        }
    )*};
}

works! {
    Isolator: RawIsolatorBox;
    Hook: RawHookBox;
    ContainerLogger: RawContainerLoggerBox;
    ResourceEstimator: RawResourceEstimatorBox;
    QosController: RawQosControllerBox;
    Authenticator: RawAuthenticatorBox;
    Authorizer: RawAuthorizerBox;
    SecretResolver: RawSecretResolverBox;
    Anonymous: RawAnonymousBox;
}

impl Works for LoadedAllocator {
    const KIND: Kind = Kind::Allocator;

    fn of(name: &str, instance: Instance) -> Result<Self, Kind> {
        match instance {
            Instance::Allocator(raw) => Ok(Self::new(name, raw)),
            other => Err(kind(&other)),
        }
    }
}
