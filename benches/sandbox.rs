//! Speed of the sandbox: requests in memory and in a folder, lists, and opening a folder with a whole platform.

use std::hint::black_box;

use axum::body::Body;
use confluent_ebs::sandbox::{Sandbox, SandboxSettings, Seed};
use criterion::{Criterion, criterion_group, criterion_main};
use http::Request;
use tower::ServiceExt as _;

const DEPARTMENTS: usize = 200;
const BINDINGS_PER_DEPARTMENT: usize = 50;

async fn send(sandbox: &Sandbox, method: &str, target: &str, body: String) -> u16 {
    let provisioner = Seed::default().provisioner();
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1{target}"));
    for (name, value) in sandbox.impersonation_headers(provisioner.as_str()) {
        request = request.header(name, value);
    }
    let request = request.body(Body::from(body)).expect("a request");
    let Ok(response) = sandbox.router().oneshot(request).await;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    black_box(body.expect("a body"));
    status
}

/// 200 departments with 50 bindings each.
async fn populate(sandbox: &Sandbox) {
    let owner = Seed::default().provisioner();
    let cluster = Seed::default().stages[0].address.cluster_crn();
    for department in 0..DEPARTMENTS {
        let name = format!("department-{department:03}");
        let body = format!(r#"{{"display_name":"{name}"}}"#);
        let target = format!("/iam/v2/service-accounts?assigned_resource_owner={owner}");
        assert_eq!(send(sandbox, "POST", &target, body).await, 201);
        let accounts = sandbox.accounts().expect("accounts");
        let account = accounts
            .iter()
            .find(|account| account.display_name == name)
            .expect("it was created");
        for topic in 0..BINDINGS_PER_DEPARTMENT {
            let pattern = format!("{cluster}/kafka=lkc-prod1/topic={name}-{topic}");
            let id = &account.id;
            let body = format!(r#"{{"principal":"User:{id}","role_name":"DeveloperRead","crn_pattern":"{pattern}"}}"#);
            assert_eq!(send(sandbox, "POST", "/iam/v2/role-bindings", body).await, 201);
        }
    }
}

fn unlimited_settings() -> SandboxSettings {
    let mut settings = SandboxSettings::instant();
    settings
        .quotas
        .insert("iam.max_rbac_role_bindings.per_cluster".into(), 1_000_000);
    settings
}

fn bench_sandbox(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let patch = |sandbox: Sandbox| {
        let target = format!("/iam/v2/service-accounts/{}", Seed::default().provisioner());
        async move { send(&sandbox, "PATCH", &target, r#"{"description":"x"}"#.into()).await }
    };

    let memory = Sandbox::in_memory(Seed::default(), unlimited_settings()).expect("a sandbox");
    criterion.bench_function("one write, in memory", |bench| {
        bench.to_async(&runtime).iter(|| patch(memory.clone()));
    });
    let dir = tempfile::tempdir().expect("a folder");
    let folder = Sandbox::open(dir.path(), Seed::default(), unlimited_settings()).expect("a sandbox");
    criterion.bench_function("one write, in a folder", |bench| {
        bench.to_async(&runtime).iter(|| patch(folder.clone()));
    });

    runtime.block_on(populate(&folder));
    criterion.bench_function("one write, in a folder with 10,000 bindings", |bench| {
        bench.to_async(&runtime).iter(|| patch(folder.clone()));
    });
    let scope = confluent_ebs::api::encode_segment(&format!("{}/*", Seed::default().stages[0].address.cluster_crn()));
    let page = format!("/iam/v2/role-bindings?page_size=100&crn_pattern={scope}");
    criterion.bench_function("a page of 100 out of 10,000 bindings", |bench| {
        bench
            .to_async(&runtime)
            .iter(|| send(&folder, "GET", &page, String::new()));
    });
    criterion.bench_function("opening a folder with 200 departments", |bench| {
        bench.iter(|| Sandbox::open(dir.path(), Seed::default(), None).expect("a sandbox"));
    });
}

criterion_group!(sandbox, bench_sandbox);
criterion_main!(sandbox);
