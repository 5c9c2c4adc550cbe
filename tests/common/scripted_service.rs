//! Services with scripted responses, and clients with a clock of their own.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use confluent_ebs::{
    api::{
        iam::{CreateServiceAccount, GetServiceAccount},
        org::ListEnvironments,
    },
    client::{
        Auth, BasicCredentials, Client, ClientBuilder, CredentialSource, HttpTransport, HttpTransportSettings, Jitter,
        RetryNotice, Transport, TransportError,
    },
    clock::{Clock, TimeSource, VirtualTime},
    model::Secret,
};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Secret of every test's key.
pub(crate) const CANARY: &str = "cflt-canary-of-the-own-key";

pub(crate) fn canary_auth() -> Auth {
    Auth::Basic(BasicCredentials {
        key: "TESTKEY".into(),
        secret: Secret::new(CANARY),
        source: CredentialSource::Profile("test".into()),
    })
}

/// A client whose clock jumps, with its notices about waiting.
pub(crate) struct TestClient {
    pub(crate) client: Client,
    pub(crate) clock: VirtualTime,
    pub(crate) notices: Arc<Mutex<Vec<RetryNotice>>>,
}

impl TestClient {
    /// Client over a socket, without random jitter.
    pub(crate) fn with_base_url(base: &str) -> Self {
        Self::with_builder(base, |builder| builder)
    }

    pub(crate) fn with_builder(base: &str, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        Self::with_transport(
            base,
            Arc::new(HttpTransport::new(HttpTransportSettings::default())),
            change,
        )
    }

    pub(crate) fn with_transport(
        base: &str,
        transport: Arc<dyn Transport>,
        change: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        register_tracing_callsites();
        Self::build(base, transport, change)
    }

    fn build(base: &str, transport: Arc<dyn Transport>, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let clock = VirtualTime::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
        let notices = Arc::new(Mutex::new(Vec::new()));
        let received = notices.clone();
        let builder = Client::builder(
            base.parse().unwrap(),
            transport,
            canary_auth(),
            Clock::new(clock.clone()),
        )
        .jitter(Jitter::none())
        .on_retry(Arc::new(move |notice: &RetryNotice| {
            received.lock().unwrap().push(notice.clone());
        }));
        Self {
            client: change(builder).build(),
            clock,
            notices,
        }
    }

    /// Sum of all waits so far.
    pub(crate) fn total_wait(&self) -> Duration {
        Duration::try_from(self.clock.offset()).unwrap()
    }

    pub(crate) fn wait_seconds(&self) -> Vec<u64> {
        self.notices
            .lock()
            .unwrap()
            .iter()
            .map(|notice| notice.wait.as_secs())
            .collect()
    }
}

/// Emits every event of the client once while a listener is registered. An event whose first occurrence has no listener
/// in its thread, while another thread has one, is disabled permanently. Therefore every test calls this first, by
/// creating a [`TestClient`] or directly.
pub(crate) fn register_tracing_callsites() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        let transport = ScriptedTransport::losing_response_to(2, |number, _| match number {
            1 => http_response(429, &[], ""),
            _ => http_response(200, &[], r#"{"api_version":"","kind":"","data":[{}]}"#),
        });
        let client = TestClient::build("http://127.0.0.1:1", transport, |builder| builder);
        let list = async { client.client.list(list_request()).await };
        // On a thread of its own, because the current one may be inside a runtime.
        let alone = || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let all = confluent_ebs::client::trace::subscriber(
                4,
                confluent_ebs::redact::SecretRegistry::default(),
                std::io::sink,
            );
            tracing::subscriber::with_default(all, || runtime.block_on(list))
        };
        let made = std::thread::scope(|scope| scope.spawn(alone).join().unwrap());
        assert!(made.unwrap().is_empty());
        assert_eq!(client.notices.lock().unwrap().len(), 2);
    });
}

/// A read request.
pub(crate) fn read_request() -> GetServiceAccount {
    GetServiceAccount("sa-1".parse().unwrap())
}

/// A write request that must not be retried blindly.
pub(crate) fn create_request() -> CreateServiceAccount {
    CreateServiceAccount {
        display_name: "ebs-prod-claims-operator".into(),
        description: String::new(),
        assigned_resource_owner: None,
    }
}

/// A list request.
pub(crate) fn list_request() -> ListEnvironments {
    ListEnvironments
}

pub(crate) const ACCOUNT_BODY: &str =
    r#"{"api_version":"iam/v2","kind":"ServiceAccount","id":"sa-1","display_name":"a"}"#;

/// A clock that stands still until the test advances it, and that counts its waiters.
#[derive(Clone, Debug)]
pub(crate) struct ManualClock {
    now: Arc<watch::Sender<Timestamp>>,
    sleepers: Arc<watch::Sender<usize>>,
}

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self {
            now: Arc::new(watch::Sender::new(Timestamp::UNIX_EPOCH)),
            sleepers: Arc::new(watch::Sender::new(0)),
        }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now = now.saturating_add(by).unwrap());
    }

    /// Resolves when `count` tasks wait.
    pub(crate) async fn wait_for_sleepers(&self, count: usize) {
        self.sleepers
            .subscribe()
            .wait_for(|sleepers| *sleepers == count)
            .await
            .unwrap();
    }
}

impl TimeSource for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let held = self.clone();
        let end = held.now().saturating_add(duration).unwrap();
        Box::pin(async move {
            let mut now = held.now.subscribe();
            held.sleepers.send_modify(|sleepers| *sleepers += 1);
            now.wait_for(|now| *now >= end).await.unwrap();
            held.sleepers.send_modify(|sleepers| *sleepers -= 1);
        })
    }
}

/// Response to the n-th request, counted from 1.
type ResponseScript = dyn Fn(usize, &http::Request<Bytes>) -> http::Response<Bytes> + Send + Sync;

/// A transport with scripted responses that counts requests.
pub(crate) struct ScriptedTransport {
    script: Box<ResponseScript>,
    /// Number of the request whose response is lost; 0 for none.
    lost_request: usize,
    pub(crate) request_counter: AtomicUsize,
    running: AtomicUsize,
    pub(crate) max_running: AtomicUsize,
}

impl std::fmt::Debug for ScriptedTransport {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Scripted")
    }
}

impl ScriptedTransport {
    pub(crate) fn new(
        script: impl Fn(usize, &http::Request<Bytes>) -> http::Response<Bytes> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            lost_request: 0,
            request_counter: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            max_running: AtomicUsize::new(0),
        })
    }

    /// The same transport, with one lost response.
    fn losing_response_to(
        lost: usize,
        script: impl Fn(usize, &http::Request<Bytes>) -> http::Response<Bytes> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            lost_request: lost,
            ..Arc::into_inner(Self::new(script)).unwrap()
        })
    }

    pub(crate) fn request_count(&self) -> usize {
        self.request_counter.load(Ordering::SeqCst)
    }
}

impl Transport for ScriptedTransport {
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let number = self.request_counter.fetch_add(1, Ordering::SeqCst) + 1;
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.max_running.fetch_max(running, Ordering::SeqCst);
            // Long enough for all allowed requests to start.
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            self.running.fetch_sub(1, Ordering::SeqCst);
            match number == self.lost_request {
                true => Err(TransportError::Timeout {
                    host: "nowhere".into(),
                    seconds: 1,
                }),
                false => Ok((self.script)(number, &request)),
            }
        })
    }
}

pub(crate) fn http_response(status: u16, headers: &[(&str, &str)], body: &str) -> http::Response<Bytes> {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

/// A bare TCP service on loopback: each connection gets the next of `answers` after a complete request, and is then
/// closed. `None` closes it without a response; the last answer repeats.
pub(crate) struct RawTcpServer {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
}

impl RawTcpServer {
    pub(crate) async fn start(answers: Vec<Option<&'static str>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        tokio::spawn(async move {
            let mut number = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_whole_request(&mut stream).await;
                seen.lock().unwrap().push(request);
                if let Some(answer) = answers[number.min(answers.len() - 1)] {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    stream.shutdown().await.unwrap();
                }
                number += 1;
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn request_count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

/// Reads a request to the end of its body, so that closing the connection loses only the response.
async fn read_whole_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(count > 0, "the request was truncated: {text}");
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length:")
                    .map(|length| length.trim().parse().unwrap())
            })
            .unwrap_or(0);
        if body.len() >= length {
            return text;
        }
    }
}
