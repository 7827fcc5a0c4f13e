//! Every page is there, says what it is about, and has the tag in it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

const TAG: &str = r#"<script async src="http://127.0.0.1:4400/s/shop.js"></script>"#;

struct Served {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Served {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap() };
        let serving = tokio::spawn(example_shop::serve(listener, TAG, shutdown));
        Self { address, stop, serving }
    }

    /// The whole answer, head and body.
    async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn every_page_has_the_tag_and_what_is_for_sale_has_a_category() {
    let shop = Served::start().await;
    for (path, category) in [
        ("/", ""),
        ("/c/tea", "Tea"),
        ("/p/stoneware-mug", "Tableware/Mugs"),
        ("/cart", ""),
        ("/checkout/details", ""),
        ("/checkout/shipping", ""),
        ("/checkout/payment", ""),
        ("/thanks", ""),
    ] {
        let meta = format!(r#"<meta name="footfall:category" content="{category}">"#);
        for path in [path.to_owned(), format!("/spa{path}")] {
            let answer = shop.get(&path).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
            assert_eq!(answer.matches(TAG).count(), 1, "{path}");
            assert!(answer.contains(&meta), "{path}");
        }
    }
    shop.stop().await;
}

#[tokio::test]
async fn every_link_of_the_first_page_leads_somewhere() {
    let shop = Served::start().await;
    for start in ["/", "/spa/"] {
        let page = shop.get(start).await;
        let links = page.split("href=\"/").skip(1).filter_map(|rest| rest.split('"').next());
        let mut followed = 0;
        for link in links {
            let answer = shop.get(&format!("/{link}")).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{start} to /{link}: {answer}");
            followed += 1;
        }
        assert!(followed > 12, "{followed}");
    }
    shop.stop().await;
}

#[tokio::test]
async fn an_unknown_address_is_a_404_that_looks_like_the_shop() {
    let shop = Served::start().await;
    for path in ["/p/gold-bar", "/c/gold", "/spa/p/gold-bar", "/nowhere"] {
        let answer = shop.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(answer.contains("not on our shelves"), "{path}");
    }
    shop.stop().await;
}

#[tokio::test]
async fn scripts_are_served_as_scripts() {
    let shop = Served::start().await;
    for path in ["/shop.js", "/cart.js", "/multi-page.js", "/single-page.js"] {
        assert!(shop.get(path).await.contains("content-type: text/javascript"), "{path}");
    }
    assert!(shop.get("/shop.css").await.contains("content-type: text/css"));
    shop.stop().await;
}
