//! Requests that nobody should send: the same for the same seed, so that a failure can be had again.

/// Makes junk.
#[derive(Clone, Debug)]
pub struct Junk {
    state: u64,
}

const BATCH: &str = r#"{"site":"shop","sent_at":1800000000000,"events":[{"id":"018f4d5e-0000-7000-8000-000000000001","type":"page_view","at":1800000000000,"visitor":"018f4d5e-0000-7000-8000-00000000000a","url":"https://shop.example/"}]}"#;

const ADDRESSES: [&str; 8] = [
    "/v1/events",
    "/v1/batch",
    "/v1/track",
    "/v1/identify",
    "/v1/page",
    "/v1/t",
    "/v1/group",
    "/v1/alias",
];

impl Junk {
    /// Begins at a seed.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(2).wrapping_add(1) }
    }

    /// xorshift64*, Vigna 2016.
    fn number(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        (self.number() % end as u64) as usize
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let count = 1 + self.below(most);
        (0..count).map(|_| self.number().to_le_bytes()[0]).collect()
    }

    fn word(&mut self, most: usize) -> String {
        let letter = |byte: u8| char::from(b'a' + byte % 26);
        self.bytes(most).into_iter().map(letter).collect()
    }

    /// A request that is whole as HTTP goes, and wrong: it is answered 4xx, and the next one may follow on
    /// its connection.
    pub fn whole(&mut self) -> Vec<u8> {
        let address = ADDRESSES[self.below(ADDRESSES.len())];
        match self.below(10) {
            0 => {
                let method = ["DELETE", "PUT", "GET", "PATCH", "BREW"][self.below(5)];
                request(method, address, "", b"")
            }
            1 => {
                let path = format!("/x{}?{}=%00%ff", self.word(60), self.word(20));
                request("POST", &path, "", b"")
            }
            2 => {
                let mut body = self.bytes(600);
                // What begins so is never JSON.
                body.insert(0, b'}');
                request("POST", address, "", &body)
            }
            3 => {
                let cut = BATCH.as_bytes().get(..self.below(BATCH.len())).unwrap_or_default();
                request("POST", address, "Content-Type: application/json\r\n", cut)
            }
            4 => {
                let site = self.word(80);
                let body = BATCH.replacen("shop", &format!("x{site}"), 1);
                request("POST", "/v1/events", "", body.as_bytes())
            }
            5 => {
                let encoding = ["gzip", "br", "zstd", "deflate", "gzip, gzip"][self.below(5)];
                // No encoding's first bytes.
                let mut body = self.bytes(300);
                body.splice(0..0, [0xff; 4]);
                request("POST", address, &format!("Content-Encoding: {encoding}\r\n"), &body)
            }
            6 => request("GET", &format!("/v1/pixel.gif?site=x{}", self.word(30)), "", b""),
            7 => {
                let body = BATCH.replace("1800000000000", &format!("\"{}\"", self.word(9)));
                request("POST", "/v1/events", "", body.as_bytes())
            }
            8 => request("POST", address, "", "[".repeat(1 + self.below(3000)).as_bytes()),
            _ => {
                let (name, value) = (self.word(40), self.word(900));
                let head = format!("{name}: {value}\r\nOrigin: https://{name}.example\r\n");
                request("POST", "/v1/events", &head, BATCH.as_bytes())
            }
        }
    }

    /// Bytes that end a connection: no request, half of one, or one that is too much.
    pub fn broken(&mut self) -> Vec<u8> {
        let half = request("POST", "/v1/events", "", BATCH.as_bytes());
        match self.below(9) {
            0 => {
                let mut bytes = self.bytes(2000);
                bytes.insert(0, 0);
                bytes
            }
            1 => half.get(..1 + self.below(half.len() - 1)).unwrap_or_default().to_owned(),
            2 => request("GET", "/healthz", &format!("X-Long: {}\r\n", "y".repeat(40_000)), b""),
            3 => request("GET", &format!("/{}", "z".repeat(70_000)), "", b""),
            4 => b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n{}".to_vec(),
            5 => b"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
                .to_vec(),
            // A TLS handshake, as from a browser that was told https.
            6 => [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(), &self.bytes(500)]
                .concat(),
            // Its body is not read, so nothing may follow it.
            7 => request("POST", "/nowhere", "", &self.bytes(5000)),
            _ => {
                let fields: String =
                    (0..200).map(|number| format!("x-{number}: {}\r\n", self.word(9))).collect();
                request("GET", "/metrics", &fields, b"")
            }
        }
    }
}

fn request(method: &str, path: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{fields}\r\n");
    [head.as_bytes(), body].concat()
}
