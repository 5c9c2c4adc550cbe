//! Kafka REST v3: ACLs and the names of topics (ccloud-sdk-go-v2 `kafkarest/v3/api/openapi.yaml`).
//!
//! It does not answer at the address of the other groups, but at the cluster's own (`spec.http_endpoint` of the
//! cluster), and takes an API key of that cluster, no Cloud key (docs/reference/rbac.md#credentials-by-api). Its lists
//! are unpaged, and a 429 carries no headers (docs/reference/rbac.md#pagination and
//! docs/reference/rbac.md#rate-limits-and-retries).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, RetrySafety};
use crate::model::{AclBinding, ClusterId, Principal};

/// All ACLs of a cluster.
pub const ACLS: &str = "/kafka/v3/clusters/{cluster}/acls";
/// All topics of a cluster.
pub const TOPICS: &str = "/kafka/v3/clusters/{cluster}/topics";
/// Several new ACLs at once.
pub const ACLS_BATCH: &str = "/kafka/v3/clusters/{cluster}/acls:batch";

/// An ACL with what the service adds to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AclObject {
    /// `KafkaAcl`.
    #[serde(default)]
    pub kind: String,
    /// Its address.
    #[serde(default)]
    pub metadata: Links,
    /// The cluster.
    pub cluster_id: ClusterId,
    /// The ACL.
    #[serde(flatten)]
    pub acl: AclBinding,
}

/// Where an object or a list is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Links {
    /// Its address.
    #[serde(rename = "self", default)]
    pub itself: String,
}

/// The ACLs that a search found, all of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AclList {
    /// `KafkaAclList`.
    #[serde(default)]
    pub kind: String,
    /// Its address.
    #[serde(default)]
    pub metadata: Links,
    /// What was found.
    pub data: Vec<AclObject>,
}

/// The ACLs that were deleted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeletedAcls {
    /// What they were; empty when there was none to delete.
    #[serde(default)]
    pub data: Vec<AclObject>,
}

/// A topic, as far as anybody here needs it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TopicObject {
    /// Its name.
    pub topic_name: String,
}

/// The topics that the caller may describe, all of them: the document's list has no pages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TopicList {
    /// What was found.
    pub data: Vec<TopicObject>,
}

/// Lists topics.
#[derive(Clone, Debug)]
pub struct ListTopics(pub ClusterId);

impl Endpoint for ListTopics {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = TOPICS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = TopicList;

    fn segments(&self) -> Vec<&str> {
        vec![self.0.as_str()]
    }

    fn subject(&self) -> String {
        format!("topics of `{}`", self.0)
    }
}

/// Lists ACLs.
#[derive(Clone, Debug)]
pub struct ListAcls {
    /// The cluster.
    pub cluster: ClusterId,
    /// Only those of this principal; without one, of all.
    pub principal: Option<Principal>,
}

/// How principals are asked for so that the answer holds their ids (`sa-…`): without it, it names them by numbers that no
/// other group knows (docs `access-control/acls/operations`; the stock CLI asks in the same way).
fn principal_parameter(principal: Option<&Principal>) -> String {
    principal.map_or_else(
        || "UserV2:*".to_owned(),
        |principal| format!("UserV2:{}", principal.id()),
    )
}

impl Endpoint for ListAcls {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = ACLS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = AclList;

    fn segments(&self) -> Vec<&str> {
        vec![self.cluster.as_str()]
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        vec![("principal", principal_parameter(self.principal.as_ref()))]
    }

    fn subject(&self) -> String {
        match &self.principal {
            Some(principal) => format!("ACLs of `{}` in `{}`", principal.id(), self.cluster),
            None => format!("ACLs of `{}`", self.cluster),
        }
    }
}

/// Creates an ACL. One that is there already is no conflict, and nothing changes.
#[derive(Clone, Debug)]
pub struct CreateAcl {
    /// The cluster.
    pub cluster: ClusterId,
    /// The ACL.
    pub acl: AclBinding,
}

impl Endpoint for CreateAcl {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = ACLS;
    const RETRY: RetrySafety = RetrySafety::CheckFirst;
    const EMPTY_RESPONSE: bool = true;
    type Response = ();

    fn segments(&self) -> Vec<&str> {
        vec![self.cluster.as_str()]
    }

    fn body(&self) -> Option<serde_json::Value> {
        serde_json::to_value(&self.acl).ok()
    }

    fn subject(&self) -> String {
        format!("ACL {} of `{}`", self.acl.to_short_string(), self.acl.principal.id())
    }
}

/// Deletes an ACL. The service deletes whatever matches a search; here the search always names all seven parts, so that
/// it cannot match another one.
#[derive(Clone, Debug)]
pub struct DeleteAcl {
    /// The cluster.
    pub cluster: ClusterId,
    /// The ACL.
    pub acl: AclBinding,
}

impl Endpoint for DeleteAcl {
    const METHOD: Method = Method::DELETE;
    const ROUTE: &'static str = ACLS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = DeletedAcls;

    fn segments(&self) -> Vec<&str> {
        vec![self.cluster.as_str()]
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        let acl = &self.acl;
        vec![
            ("resource_type", acl.resource.to_string()),
            ("resource_name", acl.resource_name().to_owned()),
            ("pattern_type", acl.pattern_type().to_owned()),
            ("principal", acl.principal.to_string()),
            ("host", acl.host.clone()),
            ("operation", acl.operation.to_string()),
            ("permission", acl.permission.to_string()),
        ]
    }

    fn subject(&self) -> String {
        format!("ACL {} of `{}`", self.acl.to_short_string(), self.acl.principal.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the OpenAPI document for `GET …/acls`, with a principal as Confluent Cloud names it.
    #[test]
    fn an_acl_list_is_parsed() {
        let text = r#"{
            "kind": "KafkaAclList",
            "metadata": { "self": "https://pkc-00000.region.provider.confluent.cloud/kafka/v3/clusters/lkc-1/acls" },
            "data": [{
                "kind": "KafkaAcl",
                "metadata": { "self": "https://pkc-00000.region.provider.confluent.cloud/kafka/v3/clusters/lkc-1/acls" },
                "cluster_id": "lkc-1", "resource_type": "TOPIC", "resource_name": "topic-", "pattern_type": "PREFIXED",
                "principal": "User:sa-abc123", "host": "*", "operation": "ALL", "permission": "ALLOW"
            }]
        }"#;
        let list: AclList = serde_json::from_str(text).unwrap();
        assert_eq!(
            list.data[0].acl.to_string(),
            "TOPIC#topic-#PREFIXED#User:sa-abc123#*#ALL#ALLOW"
        );
        assert_eq!(
            serde_json::to_value(&list).unwrap(),
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
    }

    #[test]
    fn a_delete_request_names_all_seven_parts_of_one_acl() {
        let acl: AclBinding = "TOPIC#dlq-lcc#PREFIXED#User:sa-abc123#*#WRITE#ALLOW".parse().unwrap();
        let cluster = "lkc-1".parse().unwrap();
        let query = crate::api::endpoint::path_and_query(&DeleteAcl { cluster, acl });
        assert_eq!(
            query,
            "/kafka/v3/clusters/lkc-1/acls?resource_type=TOPIC&resource_name=dlq-lcc&pattern_type=PREFIXED\
             &principal=User%3Asa-abc123&host=%2A&operation=WRITE&permission=ALLOW"
        );
    }
}
