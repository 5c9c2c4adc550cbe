//! Identities in the sandbox: its provisioner, its administrator, and the personas of departments.

use http::{HeaderName, HeaderValue};

use super::{Options, RunContext};
use crate::{
    client::{Auth, BasicCredentials, CredentialSource},
    error::Error,
    manifest::Workspace,
    model::{Secret, ownership::account_name},
    sandbox::Sandbox,
};

/// Returns the authentication as the identity of `--sandbox-as`, else as the provisioner.
pub(super) fn sandbox_auth(sandbox: &Sandbox, run: &RunContext, workspace: &Workspace) -> Result<Auth, Error> {
    match run.options.sandbox_as.as_deref() {
        None => {
            let info = sandbox.info(true)?;
            Ok(seeded_auth(
                info.provisioner_key,
                info.provisioner_secret,
                "provisioner",
            ))
        }
        Some("admin") => {
            let info = sandbox.info(true)?;
            Ok(seeded_auth(info.admin_key, info.admin_secret, "administrator"))
        }
        Some(identity) => impersonate_persona(sandbox, run, workspace, identity),
    }
}

/// Returns the authentication with a key that the sandbox has created for itself.
pub(super) fn seeded_auth(key: String, secret: Option<String>, name: &str) -> Auth {
    Auth::Basic(BasicCredentials {
        key,
        secret: Secret::new(secret.unwrap_or_default()),
        source: CredentialSource::Sandbox(name.to_owned()),
    })
}

/// Returns the authentication as a principal of the sandbox, without its key.
pub(super) fn impersonate(sandbox: &Sandbox, principal: &str) -> Result<Auth, Error> {
    let headers = sandbox
        .impersonation_headers(principal)
        .map(|(name, value)| -> Result<(HeaderName, HeaderValue), Error> { Ok((name, HeaderValue::try_from(value)?)) });
    Ok(Auth::Headers(headers.into_iter().collect::<Result<_, _>>()?))
}

/// Returns the authentication as the account of a department's persona, without its key.
fn impersonate_persona(
    sandbox: &Sandbox,
    run: &RunContext,
    workspace: &Workspace,
    identity: &str,
) -> Result<Auth, Error> {
    let wrong = || {
        Error::usage(format!("invalid value `{identity}` for --sandbox-as"))
            .with_hint("Use `admin`, or a department and a persona such as `claims/operator`.")
    };
    let (department, persona) = identity.split_once('/').ok_or_else(wrong)?;
    let department = department.parse().map_err(|_| wrong())?;
    let stage = run
        .options
        .stage
        .as_deref()
        .unwrap_or(&workspace.platform.default_stage);
    let name = account_name(stage, &department, persona);
    let account = sandbox
        .accounts()?
        .into_iter()
        .find(|account| account.display_name == name)
        .ok_or_else(|| {
            let provisioner = Options {
                stage: run.options.stage.clone(),
                sandbox: true,
                ..Options::default()
            };
            let onboard = provisioner.suggest(&format!("onboard {department}"));
            Error::failed(format!("the sandbox has no service account `{name}`"))
                .with_hint(format!("Create it with `{onboard}`."))
        })?;
    impersonate(sandbox, account.id.as_str())
}
