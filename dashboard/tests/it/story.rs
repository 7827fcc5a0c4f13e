//! A shop with a few visitors, among them one who sends markup wherever it can.

use std::time::Duration;

use store::EventRow;
use store::site::{self, Site, SiteSettings};
use store::testing::{TestDatabase, insert, visitor};

/// What a hostile visitor sends as a path, a title, an event and a category.
pub(crate) const HOSTILE: &str = "/<script>alert(\"x\")</script>'&{{7*7}}</table>";

/// The site `shop` and an empty site `blog`.
pub(crate) async fn shop() -> TestDatabase {
    let database = TestDatabase::create().await;
    for name in ["shop", "blog"] {
        let origins = vec![format!("https://{name}.example").parse().unwrap()];
        let settings = SiteSettings { origins, ..SiteSettings::default() };
        let site = Site { name: name.parse().unwrap(), settings };
        site::add(database.server(), &site, 1).await.unwrap();
    }
    insert(database.server(), &rows()).await;
    database
}

/// Ada and Ben look at shoes and Ada buys; Cleo looks at bags, on another day, from a country unknown.
fn rows() -> Vec<EventRow> {
    let ada = visitor("ada").country("HR").at("2026-01-10T10:00:00Z").views("/p/1");
    let ada = ada.category("Shoes/Running").does("add_to_cart").steps("checkout", "shipping");
    let ada = ada.does("purchase").session("2").at("2026-01-20T09:00:00Z").views("/p/2");
    let ben = visitor("ben").country("SI").at("2026-01-10T11:00:00Z").views("/p/1");
    let ben = ben.category("Shoes").after(Duration::from_secs(60)).does("add_to_cart");
    let cleo = visitor("cleo").at("2026-01-20T12:00:00Z").views("/p/3").category("Bags");
    let mallory = visitor("mallory").country("HR").at("2026-01-21T12:00:00Z");
    let mallory = mallory.with(|row| row.title = HOSTILE.to_owned()).views(HOSTILE);
    let mallory = mallory.category(HOSTILE).does(HOSTILE);
    [ada, ben, cleo, mallory].into_iter().flat_map(Vec::from).collect()
}
