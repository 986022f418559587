//! What [`module!`](crate::module) puts into a library. Not for authors to call.

use reeve_module_api::abi_stable::library::__call_root_module_loader;
use reeve_module_api::abi_stable::prefix_type::PrefixTypeTrait;
use reeve_module_api::abi_stable::sabi_trait::TD_Opaque;
use reeve_module_api::abi_stable::std_types::{RBox, RResult, RVec};
use reeve_module_api::v1::allocator::RawAllocator_TO;
use reeve_module_api::v1::isolator::RawIsolator_TO;
use reeve_module_api::v1::{Fault, HostLogBox, Instance, Library, LibraryRef, Parameter};

pub use reeve_module_api::abi_stable::library::{CheckTypeLayout, LibHeader, RootModuleResult};
pub use reeve_module_api::v1;

use crate::guard::guarded;
use crate::{Module, Parameters, allocator, isolator, log};

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

/// Makes an allocator.
pub fn allocator<T: Module + allocator::Allocator>(
    log: HostLogBox,
    parameters: RVec<Parameter>,
) -> RResult<Instance, Fault> {
    create(log, parameters, |module: T| {
        let boxed = RBox::new(allocator::Crossing(module));
        Instance::Allocator(RawAllocator_TO::from_ptr(boxed, TD_Opaque))
    })
}

/// Makes a link of the chain that confines containers.
pub fn isolator<T: Module + isolator::Isolator>(
    log: HostLogBox,
    parameters: RVec<Parameter>,
) -> RResult<Instance, Fault> {
    create(log, parameters, |module: T| {
        let boxed = RBox::new(isolator::Crossing(module));
        Instance::Isolator(RawIsolator_TO::from_ptr(boxed, TD_Opaque))
    })
}

/// A manifest's text as the bytes of its section.
pub const fn bytes<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes.copy_from_slice(text.as_bytes());
    bytes
}
