//! Kafka REST v3: ACLs and topic names (ccloud-sdk-go-v2 `kafkarest/v3/api/openapi.yaml`).
//!
//! Each cluster has its own base URL (`spec.http_endpoint` of the cluster) and requires an API key of that cluster
//! instead of a Cloud key (docs/reference/rbac.md#credentials-by-api). The lists are not paged, and a 429 response has
//! no rate limit headers (docs/reference/rbac.md#pagination and docs/reference/rbac.md#rate-limits-and-retries).

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Endpoint, RetrySafety};
use crate::model::{AclBinding, ClusterId, Principal};

/// Path of all ACLs of a cluster.
pub const ACLS: &str = "/kafka/v3/clusters/{cluster}/acls";
/// Path of all topics of a cluster.
pub const TOPICS: &str = "/kafka/v3/clusters/{cluster}/topics";
/// Path that creates several ACLs at once.
pub const ACLS_BATCH: &str = "/kafka/v3/clusters/{cluster}/acls:batch";

/// ACL with the metadata of the service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AclObject {
    /// `KafkaAcl`.
    #[serde(default)]
    pub kind: String,
    /// Link to the ACL.
    #[serde(default)]
    pub metadata: Links,
    /// Id of the cluster.
    pub cluster_id: ClusterId,
    /// The ACL.
    #[serde(flatten)]
    pub acl: AclBinding,
}

/// Link to an object or a list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Links {
    /// URL of the object or list.
    #[serde(rename = "self", default)]
    pub itself: String,
}

/// ACLs that match a filter; the list is complete.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AclList {
    /// `KafkaAclList`.
    #[serde(default)]
    pub kind: String,
    /// Link to the list.
    #[serde(default)]
    pub metadata: Links,
    /// Matching ACLs.
    pub data: Vec<AclObject>,
}

/// Response to the deletion of ACLs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeletedAcls {
    /// Deleted ACLs; empty if none matched.
    #[serde(default)]
    pub data: Vec<AclObject>,
}

/// Topic; only its name is read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TopicObject {
    /// Name of the topic.
    pub topic_name: String,
}

/// Topics that the caller may describe; the list is complete and has no pages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TopicList {
    /// The topics.
    pub data: Vec<TopicObject>,
}

/// Lists the topics of a cluster.
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

/// Lists the ACLs of a cluster.
#[derive(Clone, Debug)]
pub struct ListAcls {
    /// Id of the cluster.
    pub cluster: ClusterId,
    /// Filter by principal; `None` for all principals.
    pub principal: Option<Principal>,
}

/// Returns the `principal` parameter that makes the response identify principals by id (`sa-…`). Without it, the
/// response contains numeric ids that no other API group uses (docs `access-control/acls/operations`; the Confluent CLI
/// sends the same parameter).
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

/// Creates an ACL. If the ACL already exists, the call succeeds and changes nothing.
#[derive(Clone, Debug)]
pub struct CreateAcl {
    /// Id of the cluster.
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

/// Deletes an ACL. The service deletes all ACLs that match a filter, so the filter always contains all seven parts of
/// one ACL.
#[derive(Clone, Debug)]
pub struct DeleteAcl {
    /// Id of the cluster.
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

    // Example of `GET …/acls` in the OpenAPI document, with a principal in the format of Confluent Cloud.
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
