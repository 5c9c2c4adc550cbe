//! Names of the predefined roles of Confluent Cloud. The `access` module defines their operations.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! roles {
    ($($name:ident),+ $(,)?) => {
        /// A predefined role. Names:
        /// docs.confluent.io/cloud/current/security/access-control/rbac/predefined-rbac-roles.html.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the variants are the vendor's names")]
        pub enum Role {
            $($name,)+
            /// A role that is unknown here, as written.
            Other(String),
        }

        impl Role {
            /// All known roles.
            pub const KNOWN: &'static [Role] = &[$(Role::$name),+];

            /// Returns the role name in the API.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => stringify!($name),)+
                    Self::Other(name) => name,
                }
            }
        }

        impl FromStr for Role {
            type Err = Infallible;
            fn from_str(text: &str) -> Result<Self, Infallible> {
                Ok(match text {
                    $(stringify!($name) => Self::$name,)+
                    other => Self::Other(other.to_owned()),
                })
            }
        }
    };
}

roles! {
    OrganizationAdmin, EnvironmentAdmin, CloudClusterAdmin, AccountAdmin, ResourceKeyAdmin, Operator, MetricsViewer,
    DataDiscovery, DataSteward, BillingAdmin, KsqlAdmin, ResourceOwner, ConnectManager, Assigner, DeveloperRead,
    DeveloperWrite, DeveloperManage,
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ok(role) = String::deserialize(deserializer)?.parse();
        Ok(role)
    }
}
