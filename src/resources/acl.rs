//! Operations on ACLs. An ACL has no id and cannot be updated; creating it twice has no further effect.

use std::time::Duration;

use super::{ResourceContext, ResourceError};
use crate::{
    api::kafka::{CreateAcl, DeleteAcl, ListAcls},
    client::{Client, ClientError},
    model::{AclBinding, ClusterId, Principal},
};

const ATTEMPTS: u32 = 4;

/// Lists the ACLs of `cluster`, optionally of one principal, in sorted order.
///
/// # Errors
/// When the request to Kafka REST fails.
pub async fn list(
    kafka: &Client,
    cluster: &ClusterId,
    principal: Option<&Principal>,
) -> Result<Vec<AclBinding>, ClientError> {
    let request = ListAcls {
        cluster: cluster.clone(),
        principal: principal.cloned(),
    };
    let found = kafka.send(&request).await?.value.data;
    let mut acls: Vec<_> = found.into_iter().map(|object| object.acl).collect();
    acls.sort();
    acls.dedup();
    Ok(acls)
}

/// Creates `acl` through `kafka`.
///
/// # Errors
/// When the request to Kafka REST fails.
pub async fn create(context: &ResourceContext, kafka: &Client, acl: &AclBinding) -> Result<(), ResourceError> {
    let request = CreateAcl {
        cluster: context.address.cluster.clone(),
        acl: acl.clone(),
    };
    let mut attempt = 1;
    loop {
        match kafka.send(&request).await {
            Ok(answered) => {
                context.record_request(&acl.to_string(), answered.request_id.as_ref());
                return Ok(());
            }
            Err(error) if error.is_conflict() || error.is_outcome_unknown() => {
                let there = list(kafka, &context.address.cluster, Some(&acl.principal)).await?;
                if there.contains(acl) {
                    return Ok(());
                }
                if attempt == ATTEMPTS {
                    return Err(error.into());
                }
                context.clock.sleep(Duration::from_secs(2) * attempt).await;
            }
            Err(error) => return Err(error.into()),
        }
        attempt += 1;
    }
}

/// Deletes exactly `acl` through `kafka`. A missing ACL is not an error.
///
/// # Errors
/// When the request to Kafka REST fails.
pub async fn delete(context: &ResourceContext, kafka: &Client, acl: &AclBinding) -> Result<(), ResourceError> {
    let request = DeleteAcl {
        cluster: context.address.cluster.clone(),
        acl: acl.clone(),
    };
    let answered = kafka.send(&request).await?;
    context.record_request(&acl.to_string(), answered.request_id.as_ref());
    Ok(())
}
