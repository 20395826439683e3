//! Short debug forms of large objects, without their megabytes of points.

/// Prints the named fields of a type and says that there are others.
macro_rules! brief {
    ($type:ident $(<$lifetime:lifetime>)? { $($field:ident),* }) => {
        impl std::fmt::Debug for $type $(<$lifetime>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type))$(.field(stringify!($field), &self.$field))*.finish_non_exhaustive()
            }
        }
    };
}
