//! What was seen, arranged for the questions that rules ask: whose an account is, where a binding grants, whose a name is.

use std::collections::{BTreeMap, HashMap};

use super::{
    blueprint::{Blueprint, Expected},
    place::{Place, Places},
    sight::{Hidden, Need, Sight},
    whose::{Crowd, Member, Who, members},
};
use crate::{
    access::index::beginnings,
    api::keys::CLOUD,
    model::{
        AclBinding, AclGrant, ConnectorIdentity, CrnPattern, DepartmentCode, Grant, KeyKind, NamePattern, Principal,
        Role, SeenAccount, SeenBinding, SeenConnector, SeenKey, Snapshot,
    },
};

/// A binding with what it means here.
#[derive(Debug)]
pub(super) struct Held<'a> {
    pub(super) seen: &'a SeenBinding,
    pub(super) who: Who<'a>,
    pub(super) place: Place<'a>,
    /// The grant of its template that asks for it.
    pub(super) declared: Option<&'a Grant>,
    /// The account of a department that it grants on.
    pub(super) target: Option<Member<'a>>,
}

/// An ACL with what it means here.
#[derive(Debug)]
pub(super) struct HeldAcl<'a> {
    pub(super) acl: &'a AclBinding,
    pub(super) who: Who<'a>,
    /// The grant of its template that asks for it.
    pub(super) declared: Option<&'a AclGrant>,
}

impl Held<'_> {
    pub(super) fn role(&self) -> &Role {
        &self.seen.binding.role
    }

    /// Whether a department's account holds it on an account of the same department.
    pub(super) fn on_own_account(&self) -> bool {
        match (self.who, self.target) {
            (Who::Member(member), Some(target)) => member.is_of(target.department),
            _ => false,
        }
    }

    /// Whether nobody has to ask what it is there for.
    pub(super) fn is_expected(&self) -> bool {
        self.declared.is_some() || matches!(self.who, Who::Provisioner | Who::Named)
    }
}

/// Everything that rules look at.
pub(super) struct Subject<'a> {
    /// Whose each account is.
    whose: HashMap<&'a str, Who<'a>>,
    /// Whether every account was seen that a department should have.
    all_members_seen: bool,
    pub(super) seen: &'a Snapshot,
    pub(super) blueprint: &'a Blueprint<'a>,
    pub(super) sight: Sight<'a>,
    /// All bindings, in the order of the snapshot.
    pub(super) bindings: Vec<Held<'a>>,
    /// All ACLs, in the order of the snapshot.
    pub(super) acls: Vec<HeldAcl<'a>>,
    /// The accounts of departments in this stage, in the order of their names.
    pub(super) members: Vec<Member<'a>>,
    accounts: HashMap<&'a str, &'a SeenAccount>,
    on_accounts: HashMap<&'a str, Vec<usize>>,
    keys: HashMap<&'a str, Vec<&'a SeenKey>>,
    prefixes: BTreeMap<String, &'a Expected>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(blueprint: &'a Blueprint<'a>, seen: &'a Snapshot) -> Self {
        let accounts: HashMap<&str, &SeenAccount> = seen.accounts.iter().map(|a| (a.id.as_str(), a)).collect();
        let members = members(blueprint, seen);
        let sight = Sight::of(seen);
        let all_seen = sight.hidden(Need::Accounts).is_none();
        let crowd = Crowd::of(blueprint, seen, &accounts, &members, all_seen);
        let places = Places::of(seen);
        let bindings: Vec<Held<'a>> = seen
            .bindings
            .iter()
            .map(|seen| Held {
                seen,
                who: crowd.who(&seen.binding.principal),
                place: places.place(&seen.binding.pattern),
                declared: crowd.grant(seen),
                target: crowd.target(&seen.binding.pattern),
            })
            .collect();
        let acls = seen.acls.iter().map(|acl| {
            let who = crowd.who(&acl.principal);
            HeldAcl {
                declared: match who {
                    Who::Member(member) => member.asks_for(acl),
                    _ => None,
                },
                acl,
                who,
            }
        });
        let acls = acls.collect();
        let mut on_accounts: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, held) in bindings.iter().enumerate() {
            if let Place::Accounts(NamePattern::Literal(id)) = held.place {
                on_accounts.entry(id).or_default().push(index);
            }
        }
        let mut keys: HashMap<&str, Vec<&SeenKey>> = HashMap::new();
        for key in &seen.keys {
            keys.entry(key.owner.id()).or_default().push(key);
        }
        let whose = seen.accounts.iter().map(|account| {
            let principal = Principal::from(account.id.clone());
            (account.id.as_str(), crowd.who(&principal))
        });
        let whose = whose.collect();
        let prefixes = blueprint.departments.iter();
        let prefixes = prefixes.map(|expected| (expected.department.prefix.as_str().to_owned(), expected));
        let wanted: usize = blueprint
            .departments
            .iter()
            .map(|expected| expected.personas.len())
            .sum();
        let found = members.iter().filter(|member| member.persona.is_some()).count();
        Self {
            whose,
            all_members_seen: found >= wanted,
            seen,
            blueprint,
            sight,
            bindings,
            acls,
            members,
            accounts,
            on_accounts,
            keys,
            prefixes: prefixes.collect(),
        }
    }

    /// Why `need` was not seen in full; `None` when it was.
    pub(super) fn hidden(&self, need: Need) -> Option<Hidden> {
        // Where every account that is wanted was seen, it does not matter what else there may be.
        if need == Need::Members && self.all_members_seen {
            return None;
        }
        self.sight.hidden(need)
    }

    /// The account of that id.
    pub(super) fn account(&self, principal: &Principal) -> Option<&'a SeenAccount> {
        self.accounts.get(principal.service_account()?.as_str()).copied()
    }

    /// Whose an account is.
    pub(super) fn who(&self, account: &str) -> Option<Who<'a>> {
        self.whose.get(account).copied()
    }

    /// As whom a connector acts, if it is an account or the key of one.
    pub(super) fn runs_as(&self, connector: &SeenConnector) -> Option<Who<'a>> {
        match connector.identity.as_ref()? {
            ConnectorIdentity::ServiceAccount(id) => self.who(id),
            ConnectorIdentity::ApiKey(key) => self.who(self.key_owner(key)?.id()),
            ConnectorIdentity::Other(_) => None,
        }
    }

    /// Whose an API key is.
    pub(super) fn key_owner(&self, id: &str) -> Option<&'a Principal> {
        let key = self.seen.keys.iter().find(|key| key.id.as_str() == id);
        key.map(|key| &key.owner)
    }

    /// The connector whose id a group or topic is named after (`connect-lcc-abc123`).
    pub(super) fn connector_of(&self, name: &NamePattern) -> Option<&'a SeenConnector> {
        let NamePattern::Literal(name) = name else { return None };
        let id = &name[name.find("lcc-")?..];
        self.seen.connectors.iter().find(|connector| connector.id == id)
    }

    /// Whether a department has a file.
    pub(super) fn is_known(&self, code: &DepartmentCode) -> bool {
        let mut departments = self.blueprint.departments.iter();
        departments.any(|expected| expected.department.code == *code)
    }

    /// What people call a principal.
    pub(super) fn name(&self, principal: &Principal) -> String {
        self.account(principal)
            .map_or_else(|| principal.id().to_owned(), account_name)
    }

    /// The bindings that name the account, without those on families of accounts.
    pub(super) fn on_account(&self, account: &SeenAccount) -> impl Iterator<Item = &Held<'a>> {
        let found = self.on_accounts.get(account.id.as_str()).into_iter().flatten();
        found.map(|index| &self.bindings[*index])
    }

    /// Where a grant of a member's template applies.
    pub(super) fn resolve(&self, grant: &Grant, member: &Member<'_>) -> Option<CrnPattern> {
        let prefix = &member.department.department.prefix;
        let account = |persona: &str| {
            let mut own = self.members.iter().filter(|other| other.is_of(member.department));
            let found = own.find(|other| other.persona.is_some_and(|other| other.tag.persona == persona))?;
            Some(found.account.id.clone())
        };
        grant.on.resolve(&self.seen.address, prefix, account)
    }

    /// What a key opens, if it is something in this stage.
    pub(super) fn opens(&self, key: &SeenKey) -> Option<KeyKind> {
        let address = &self.seen.address;
        let registry = address.schema_registry.as_ref();
        match key.resource.as_str() {
            CLOUD => Some(KeyKind::Cloud),
            id if id == address.cluster.as_str() => Some(KeyKind::Kafka),
            id if registry.is_some_and(|registry| registry.as_str() == id) => Some(KeyKind::SchemaRegistry),
            _ => None,
        }
    }

    /// The keys of an account.
    pub(super) fn keys_of(&self, account: &SeenAccount) -> &[&'a SeenKey] {
        self.keys.get(account.id.as_str()).map_or(&[], Vec::as_slice)
    }

    /// The department that a name, or everything that begins with it, belongs to.
    pub(super) fn owner(&self, stem: &str) -> Option<&'a Expected> {
        beginnings(&self.prefixes, stem).next().map(|(_, expected)| *expected)
    }

    /// The departments whose names `pattern` reaches: the one that it lies in, or those that lie in it.
    pub(super) fn reached(&self, pattern: &NamePattern) -> Vec<&'a Expected> {
        if let Some(owner) = self.owner(pattern.stem()) {
            return vec![owner];
        }
        let NamePattern::Prefixed(begin) = pattern else {
            return Vec::new();
        };
        let inside = self.prefixes.range(begin.clone()..);
        let inside = inside.take_while(|(prefix, _)| prefix.starts_with(begin.as_str()));
        inside.map(|(_, expected)| *expected).collect()
    }

    /// Who holds a binding as a member of which department.
    pub(super) fn held_by_members(&self) -> impl Iterator<Item = (&Held<'a>, Member<'a>)> {
        self.bindings.iter().filter_map(|held| match held.who {
            Who::Member(member) => Some((held, member)),
            _ => None,
        })
    }

    /// `X holds ROLE on KIND NAME`.
    pub(super) fn holds(&self, held: &Held<'_>) -> String {
        let binding = &held.seen.binding;
        let who = self.name(&binding.principal);
        format!("{who} holds {} on {}", binding.role, binding.pattern.short())
    }
}

/// Whose names these are: `claims`, or how many departments'.
pub(super) fn whose(departments: &[&Expected]) -> String {
    match departments {
        [one] => one.department.code.to_string(),
        more => format!("{} departments", more.len()),
    }
}

/// What people call an account.
pub(super) fn account_name(account: &SeenAccount) -> String {
    format!("{} ({})", account.name, account.id)
}
