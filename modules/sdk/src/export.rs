//! What [`module!`](crate::module) puts into a library. Not for authors to call.

use reeve_module_api::abi_stable::library::__call_root_module_loader;
use reeve_module_api::abi_stable::prefix_type::PrefixTypeTrait;
use reeve_module_api::abi_stable::sabi_trait::TD_Opaque;
use reeve_module_api::abi_stable::std_types::{RBox, RResult, RVec};
use reeve_module_api::v2::{Fault, HostLogBox, Instance, Library, LibraryRef, Parameter};

pub use reeve_module_api::abi_stable::library::{CheckTypeLayout, LibHeader, RootModuleResult};
pub use reeve_module_api::v2;

use crate::guard::guarded;
use crate::{Module, Parameters, log};

/// How a library of the current generation makes its module.
pub type Create = extern "C" fn(HostLogBox, RVec<Parameter>) -> RResult<Instance, Fault>;

/// Hands the library's root to whoever opened it.
pub fn enter(library: fn() -> LibraryRef) -> RootModuleResult {
    __call_root_module_loader(library)
}

/// The root of a library of the current generation.
pub fn library(create: Create) -> LibraryRef {
    Library { create }.leak_into_prefix()
}

fn create<T: Module>(
    log: HostLogBox,
    parameters: RVec<Parameter>,
    cross: impl FnOnce(T) -> Instance,
) -> RResult<Instance, Fault> {
    guarded(|| {
        log::connect(log);
        T::create(&Parameters::new(parameters)).map(cross)
    })
}

/// Defines, for each kind, how its module is made.
macro_rules! kinds {
    ($(
        #[doc = $what:literal]
        $kind:ident: $module:ident::$author:ident as $crossing:ident, $raw:ident, $instance:ident;
    )*) => {$(
        #[doc = $what]
        pub fn $kind<T: Module + crate::$module::$author>(
            log: HostLogBox,
            parameters: RVec<Parameter>,
        ) -> RResult<Instance, Fault> {
            create(log, parameters, |module: T| {
                let boxed = RBox::new(crate::$module::$crossing(module));
                Instance::$instance(v2::$module::$raw::from_ptr(boxed, TD_Opaque))
            })
        }
    )*};
}

kinds! {
    /// Makes an allocator.
    allocator: allocator::Allocator as Crossing, RawAllocator_TO, Allocator;
    /// Makes a link of the chain that confines containers.
    isolator: isolator::Isolator as Crossing, RawIsolator_TO, Isolator;
    /// Makes a hook.
    hook: hook::Hook as Crossing, RawHook_TO, Hook;
    /// Makes a container logger.
    container_logger: container_logger::ContainerLogger as Crossing, RawContainerLogger_TO,
        ContainerLogger;
    /// Makes a resource estimator.
    resource_estimator: oversubscription::ResourceEstimator as CrossingEstimator,
        RawResourceEstimator_TO, ResourceEstimator;
    /// Makes a QoS controller.
    qos_controller: oversubscription::QosController as CrossingController, RawQosController_TO,
        QosController;
    /// Makes an authenticator.
    authenticator: authenticator::Authenticator as Crossing, RawAuthenticator_TO, Authenticator;
    /// Makes an authorizer.
    authorizer: authorizer::Authorizer as Crossing, RawAuthorizer_TO, Authorizer;
    /// Makes a secret resolver.
    secret_resolver: secret_resolver::SecretResolver as Crossing, RawSecretResolver_TO,
        SecretResolver;
    /// Makes an anonymous module.
    anonymous: anonymous::Anonymous as Crossing, RawAnonymous_TO, Anonymous;
}

/// A manifest's text as the bytes of its section.
pub const fn bytes<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes.copy_from_slice(text.as_bytes());
    bytes
}
