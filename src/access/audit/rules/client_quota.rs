//! `client-quota`: the client quota of a department's account is missing or differs from the department's file.

use super::AuditRule;
use crate::{
    access::audit::{
        RuleReport,
        context::{AuditContext, account_name},
        visibility::RequiredData,
    },
    diag::Severity,
    model::{ClientQuota, Principal},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "client-quota",
    threat: "T19",
    severity: Severity::Error,
    summary: "a client quota of a department's account that is missing or differs from its file",
    why: "A client quota is the only limit that the cluster itself enforces on one department. Without it, or with \
          another one, the connectors of a department can use up the throughput of all departments, or are slower \
          than agreed.",
    evidence: "The client quotas of the cluster, compared with `[quota.throughput]` of each department: a missing \
               quota of an existing runtime account and other rates are errors; a quota of a department's account \
               that no file declares and a quota that several principals share are warnings. Quotas of other \
               principals and the default quota are not compared.",
    remedy: "Platform team: run `onboard` for the department, with `--prune` to delete a quota that no file declares.",
    needs: &[RequiredData::Members, RequiredData::ClientQuotas],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for member in &context.department_accounts {
        let department = &member.department.department;
        let principal = Principal::ServiceAccount(member.account.id.clone());
        let quotas = context.observed.client_quotas.iter();
        let held: Vec<&ClientQuota> = quotas.filter(|quota| quota.applies_to(&principal)).collect();
        let desired = department.quota.throughput.filter(|_| member.is_runtime());
        let name = account_name(member.account);
        let id = |quota: &ClientQuota| quota.id.as_ref().map_or_else(String::new, ToString::to_string);
        if let Some(desired) = desired
            && held.is_empty()
        {
            let message = format!("account {name} has no client quota; the department's file sets {desired}");
            let found = report.error(member.account.id.as_str(), message);
            found.concerning(&department.code).account(member.account);
            found.fix(format!("Create it with `confluent ebs onboard {}`.", department.code));
        }
        for quota in held {
            let (id, rates) = (id(quota), quota.throughput);
            let found = if !quota.shared_by.is_empty() {
                let message = format!("client quota `{id}` of account {name} also applies to other principals");
                let found = report.warning(&id, message);
                found.fix(format!(
                    "Remove the account from it with `confluent kafka quota update {id} --remove-principals {}`.",
                    member.account.id
                ))
            } else if let Some(desired) = desired {
                if rates == desired {
                    continue;
                }
                let message =
                    format!("client quota `{id}` of account {name} is {rates}; the department's file sets {desired}");
                report
                    .error(&id, message)
                    .fix(format!("Correct it with `confluent ebs onboard {}`.", department.code))
            } else {
                let message = format!("client quota `{id}` of account {name} ({rates}) is in no department's file");
                report.warning(&id, message).fix(format!(
                    "Add it to the department's file as `[quota.throughput]`, or delete it with `confluent kafka quota \
                     delete {id}`."
                ))
            };
            found.concerning(&department.code).account(member.account);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        access::audit::{AuditVerdict, fixture::Org},
        model::{ByteRate, ClientQuota, Listing, Principal, Throughput},
    };

    const ID: &str = super::RULE.id;

    const fn throughput(ingress: u64, egress: u64) -> Throughput {
        Throughput {
            ingress: ByteRate(ingress),
            egress: ByteRate(egress),
        }
    }

    impl Org {
        fn client_quota(&mut self, id: &str, principals: &[&str], rates: Throughput) {
            let principals = principals.iter().map(|id| Principal::from_id(id)).collect();
            let quota = ClientQuota::observed(id.parse().unwrap(), "a quota".to_owned(), principals, rates);
            self.observed.client_quotas.push(quota);
        }
    }

    #[test]
    fn missing_and_changed_quotas_of_runtime_accounts_are_found() {
        let mut org = Org::clean();
        org.limit_throughput("claims", throughput(5_000_000, 20_000_000));
        org.assert_only_findings(ID, &["sa-claims-runtime"]);
        org.client_quota("cq-1", &["sa-claims-runtime"], throughput(5_000_000, 20_000_001));
        org.assert_only_findings(ID, &["cq-1"]);
        org.observed.client_quotas.clear();
        org.client_quota("cq-1", &["sa-claims-runtime"], throughput(5_000_000, 20_000_000));
        org.assert_only_findings(ID, &[]);
    }

    #[test]
    fn undeclared_and_shared_quotas_of_department_accounts_are_found() {
        let mut org = Org::clean();
        org.client_quota("cq-1", &["sa-claims-runtime"], throughput(1_000_000, 1_000_000));
        org.client_quota(
            "cq-2",
            &["sa-fraud-runtime", "sa-central"],
            throughput(1_000_000, 1_000_000),
        );
        // Not of a department.
        org.client_quota("cq-3", &["sa-central"], throughput(1_000_000, 1_000_000));
        org.client_quota("cq-4", &["<default>"], throughput(1_000_000, 1_000_000));
        org.assert_only_findings(ID, &["cq-1", "cq-2"]);
    }

    #[test]
    fn an_unread_list_makes_the_rule_unknown() {
        let mut org = Org::clean();
        org.observed.unknown.insert(Listing::ClientQuotas, "403".into());
        assert_eq!(org.assert_findings(ID, &[]).verdict(), AuditVerdict::Unknown);
    }
}
