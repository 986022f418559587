//! The macro that makes a library a module.

/// Exports a type that is a [`Module`](crate::Module) and implements the trait of its kind.
///
/// The first entry names the kind (`allocator`, `isolator`, `hook`, `container_logger`,
/// `resource_estimator`, `qos_controller`, `authenticator`, `authorizer`, `secret_resolver` or
/// `anonymous`) and the type. A parameter is a name,
/// a type (`text`, `integer`, `number`, `switch`, `duration`, `size`, `list`, or alternatives such
/// as `agent|share`), a default, and its meaning; without a default, three entries. All of it is
/// text of the library that `reeve module inspect` reads without running the module's code.
#[macro_export]
macro_rules! module {
    (
        $kind:ident: $module:ty,
        name: $name:literal,
        author: $author:literal,
        description: $description:literal,
        parameters: [$($parameter:tt),* $(,)?] $(,)?
    ) => {
        const _: () = {
            const MANIFEST: &str = ::core::concat!(
                "reeve-module=1\0generation=2",
                "\0kind=", ::core::stringify!($kind),
                "\0name=", $name,
                "\0version=", ::core::env!("CARGO_PKG_VERSION"),
                "\0author=", $author,
                "\0description=", $description,
                "\0",
                $($crate::module!(@parameter $parameter)),*
            );

            // SAFETY: the section is this library's own and holds nothing but this text.
            #[unsafe(link_section = ".reeve.module")]
            #[unsafe(export_name = "REEVE_MODULE_MANIFEST")]
            static TEXT: [u8; MANIFEST.len()] = $crate::export::bytes(MANIFEST);

            extern "C" fn enter() -> $crate::export::RootModuleResult {
                $crate::export::enter(library)
            }

            fn library() -> $crate::export::v2::LibraryRef {
                $crate::export::library(create)
            }

            extern "C" fn create(
                log: $crate::export::v2::HostLogBox,
                parameters: $crate::std_types::RVec<$crate::export::v2::Parameter>,
            ) -> $crate::std_types::RResult<
                $crate::export::v2::Instance,
                $crate::export::v2::Fault,
            > {
                $crate::export::$kind::<$module>(log, parameters)
            }

            // SAFETY: the name is that under which abi_stable looks for a library's root, and the
            // root that `enter` returns is of the type named here.
            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            static ROOT: $crate::export::LibHeader = unsafe {
                $crate::export::LibHeader::from_constructor::<$crate::export::v2::LibraryRef>(
                    enter,
                    $crate::export::CheckTypeLayout::Yes,
                )
            };
        };
    };
    (@parameter ($name:literal, $type:literal, $default:literal, $meaning:literal)) => {
        ::core::concat!(
            "parameter=", $name, "\0type=", $type, "\0default=", $default, "\0meaning=", $meaning, "\0"
        )
    };
    (@parameter ($name:literal, $type:literal, $meaning:literal)) => {
        ::core::concat!("parameter=", $name, "\0type=", $type, "\0meaning=", $meaning, "\0")
    };
}
