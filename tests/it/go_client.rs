//! kubectl as the judge of certificates: it is written in Go, as the control plane is.
//!
//! `kubectl proxy` runs once. Each request to it makes it open a TLS connection to a server here,
//! which presents a chain of certificates; Go parses all of them before it looks at anything else,
//! by the same `x509.ParseCertificate`, and the proxy answers with Go's error. The server's first
//! three messages aren't encrypted, and no connection gets further.

use std::env;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::kubectl::WITHOUT;
use crate::support::Sandbox;

/// Much longer than an answer takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most that a chain may hold: Go reads a message of 256 KiB.
const LONGEST_CHAIN: usize = 200_000;

type Chain = Vec<Vec<u8>>;

/// A running `kubectl proxy`, and the chain that it will see next.
pub struct GoClient {
    child: Child,
    socket: PathBuf,
    chain: Arc<Mutex<Chain>>,
    good: Vec<u8>,
    _sandbox: Sandbox,
}

impl GoClient {
    /// Starts kubectl; nothing where it is missing and doesn't have to be there. `good` is a
    /// certificate that Go reads, with an ECDSA key.
    pub fn start(good: Vec<u8>) -> Option<Self> {
        let sandbox = Sandbox::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = sandbox.write("config", kubeconfig(port));
        let socket = sandbox.path().join("socket");
        let program = env::var_os("KUBECTL").unwrap_or_else(|| "kubectl".into());
        let child = Command::new(&program)
            .env_remove("GODEBUG")
            .env("KUBECONFIG", config)
            .env("HOME", sandbox.path())
            .args(["proxy", "--unix-socket"])
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let is_allowed = env::var(WITHOUT).is_ok_and(|value| value == "1");
                assert!(
                    is_allowed,
                    "{program:?} is not there, so no certificate has been shown to Go: install \
                     kubectl or name it by KUBECTL, or set {WITHOUT}=1 to go without"
                );
                // Not `eprintln!`, which the test harness hides as long as a test passes.
                let skipped = b"NOT CHECKED with Go's own X.509 parser: there is no kubectl\n";
                std::io::stderr().write_all(skipped).unwrap();
                return None;
            }
            Err(error) => panic!("{program:?}: {error}"),
        };
        let mut started = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut started).unwrap();
        assert!(started.starts_with("Starting to serve"), "{started}");
        let chain = Arc::new(Mutex::new(Vec::new()));
        let presented = Arc::clone(&chain);
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that hangs up early is one that has seen enough.
                let _ = present(&mut stream.unwrap(), &presented.lock().unwrap());
            }
        });
        Some(Self {
            child,
            socket,
            chain,
            good,
            _sandbox: sandbox,
        })
    }

    /// What Go says against one of these certificates, or nothing where it reads all of them.
    pub fn refusal(&self, certificates: &[&[u8]]) -> Option<String> {
        let good = std::iter::once(self.good.as_slice());
        let chain = good.chain(certificates.iter().copied());
        *self.chain.lock().unwrap() = chain.map(<[u8]>::to_vec).collect();
        let answer = self.request();
        let refusal = answer.split_once("failed to parse certificate from server: ");
        // Go has read the certificates, and goes on to what the server doesn't say.
        let is_read = answer.contains("missing ServerKeyExchange message");
        assert!(refusal.is_some() || is_read, "{answer}");
        refusal.map(|(_, error)| error.trim().to_owned())
    }

    /// The certificates that Go refuses, by their index, each with what it says.
    pub fn refused(&self, certificates: &[&[u8]]) -> Vec<(usize, String)> {
        let mut refused = Vec::new();
        let mut start = 0;
        while start < certificates.len() {
            let mut size = 0;
            let is_in = |certificate: &&&[u8]| {
                size += certificate.len() + 3;
                size < LONGEST_CHAIN
            };
            let count = certificates[start..].iter().take_while(is_in).count();
            let chain = &certificates[start..start + count];
            if self.refusal(chain).is_some() {
                let one_by_one = chain.iter().enumerate().filter_map(|(index, certificate)| {
                    Some((start + index, self.refusal(&[certificate])?))
                });
                refused.extend(one_by_one);
            }
            start += count;
        }
        refused
    }

    fn request(&self) -> String {
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for GoClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kubeconfig(port: u16) -> String {
    format!(
        "apiVersion: v1
kind: Config
current-context: here
contexts:
  - name: here
    context: {{cluster: here, user: nobody}}
users:
  - name: nobody
    user: {{token: none}}
clusters:
  - name: here
    cluster: {{server: 'https://127.0.0.1:{port}', insecure-skip-tls-verify: true}}
"
    )
}

/// Answers a client's greeting in TLS 1.2 with a chain, and waits until it hangs up.
fn present(stream: &mut TcpStream, chain: &Chain) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut header = [0; 5];
    stream.read_exact(&mut header)?;
    let length = u16::from_be_bytes([header[3], header[4]]);
    stream.read_exact(&mut vec![0; length.into()])?;

    let listed: Vec<u8> = chain.iter().flat_map(|der| sized(der)).collect();
    let messages = [
        message(2, &server_hello()),
        message(11, &sized(&listed)),
        message(14, &[]),
    ];
    for record in messages.concat().chunks(1 << 14) {
        let length = u16::try_from(record.len()).unwrap().to_be_bytes();
        stream.write_all(&[&[22, 3, 3], length.as_slice(), record].concat())?;
    }
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest)?;
    Ok(())
}

/// TLS 1.2, a random number, no session, ECDHE-ECDSA-AES128-GCM-SHA256, no compression.
fn server_hello() -> Vec<u8> {
    [&[3, 3][..], &[7; 32], &[0], &[0xc0, 0x2b], &[0]].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], sized(body).as_slice()].concat()
}

/// Bytes with their length in three bytes before them.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[1..], bytes].concat()
}
