//! The pages, made from the templates in `pages/`.

use askama::Template;

use crate::product::{CATEGORIES, Category, Product};

/// The shop as a template sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shop<'a> {
    /// Before every address: empty, or `/spa` for the single-page shop.
    pub(crate) base: &'static str,
    pub(crate) products: &'a [Product],
}

impl<'a> Shop<'a> {
    fn single_page(&self) -> bool {
        !self.base.is_empty()
    }

    fn categories(&self) -> &'static [Category] {
        &CATEGORIES
    }

    fn of(&self, category: &str) -> Vec<&'a Product> {
        self.products.iter().filter(|product| product.category == category).collect()
    }

    /// The two beside the great words of the first page.
    fn hero(&self) -> Vec<&'a Product> {
        let shown = |product: &&Product| ["iron-teapot", "stoneware-mug"].contains(&&*product.slug);
        self.products.iter().filter(shown).collect()
    }

    /// Three others: the next ones in the table, which are of other shelves for the most part.
    fn beside(&self, slug: &str) -> Vec<&'a Product> {
        let at = self.products.iter().position(|product| product.slug == slug).unwrap_or(0);
        self.products.iter().cycle().skip(at + 2).step_by(3).take(3).collect()
    }
}

macro_rules! plain_page {
    ($name:ident, $path:literal) => {
        #[derive(Template)]
        #[template(path = $path)]
        struct $name<'a> {
            shop: Shop<'a>,
        }
    };
}

plain_page!(Home, "home.html");
plain_page!(Cart, "cart.html");
plain_page!(Details, "details.html");
plain_page!(Shipping, "shipping.html");
plain_page!(Payment, "payment.html");
plain_page!(Thanks, "thanks.html");
plain_page!(Missing, "missing.html");

#[derive(Template)]
#[template(path = "category.html")]
struct CategoryPage<'a> {
    shop: Shop<'a>,
    category: &'static Category,
}

#[derive(Template)]
#[template(path = "product.html")]
struct ProductPage<'a> {
    shop: Shop<'a>,
    product: &'a Product,
}

/// The page at `path` (below the shop's base); `None` where there is none.
pub(crate) fn render(shop: Shop<'_>, path: &str) -> Option<askama::Result<String>> {
    if let Some(slug) = path.strip_prefix("/c/") {
        let category = CATEGORIES.iter().find(|category| category.slug == slug)?;
        return Some(CategoryPage { shop, category }.render());
    }
    if let Some(slug) = path.strip_prefix("/p/") {
        let product = shop.products.iter().find(|product| product.slug == slug)?;
        return Some(ProductPage { shop, product }.render());
    }
    match path {
        "/" => Some(Home { shop }.render()),
        "/cart" => Some(Cart { shop }.render()),
        "/checkout/details" => Some(Details { shop }.render()),
        "/checkout/shipping" => Some(Shipping { shop }.render()),
        "/checkout/payment" => Some(Payment { shop }.render()),
        "/thanks" => Some(Thanks { shop }.render()),
        _ => None,
    }
}

/// The page for an address the shop does not have.
pub(crate) fn missing(shop: Shop<'_>) -> askama::Result<String> {
    Missing { shop }.render()
}
