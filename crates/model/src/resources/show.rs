//! Resources as text: the grammar that `text` reads, as far as it goes; beyond it in the style of
//! Mesos's logs.

use std::fmt;

use super::{Disk, Reservation, Resource, Resources};

/// `cpus:2; mem(prod):512`.
impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (resource, count)) in self.iter_counted().enumerate() {
            let sign = if at > 0 { "; " } else { "" };
            write!(f, "{sign}{resource}")?;
            if count > 1 {
                write!(f, "<{count}>")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(role) = &self.allocation {
            write!(f, "(allocated: {role})")?;
        }
        match &self.reservations[..] {
            [] => {}
            [Reservation::Static { role }] => write!(f, "({role})")?,
            levels => {
                f.write_str("(reservations: [")?;
                for (at, level) in levels.iter().enumerate() {
                    let sign = if at > 0 { "," } else { "" };
                    write!(f, "{sign}{level}")?;
                }
                f.write_str("])")?;
            }
        }
        if let Some(disk) = &self.disk {
            write!(f, "[{disk}]")?;
        }
        if self.revocable {
            f.write_str("{REV}")?;
        }
        if self.shared {
            f.write_str("<SHARED>")?;
        }
        write!(f, ":{}", self.value)
    }
}

impl fmt::Display for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static { role } => write!(f, "(STATIC,{role})"),
            Self::Dynamic { role, principal, .. } => {
                write!(f, "(DYNAMIC,{role}")?;
                if let Some(principal) = principal {
                    write!(f, ",{principal}")?;
                }
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            let kind = format!("{:?}", source.kind).to_uppercase();
            let root = source.root.as_ref().and_then(Option::as_deref);
            let id = source.id.as_deref();
            write!(f, "{kind}:{}", root.or(id).unwrap_or_default())?;
            f.write_str(if self.persistence.is_some() { "," } else { "" })?;
        }
        match &self.persistence {
            Some(persistence) => f.write_str(&persistence.id),
            None => Ok(()),
        }
    }
}
